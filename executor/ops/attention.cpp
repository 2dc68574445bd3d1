#include "executor/ops/attention.h"

namespace neural_engine {

std::span<const OpBinding> attention_bindings() {
  static constexpr OpBinding kBindings[] = {{"FusedAttention", bind_fused_attention},
                                            {"Attention", bind_attention},
                                            {"RotaryEmbedding", bind_rotary_embedding}};
  return kBindings;
}

}  // namespace neural_engine
