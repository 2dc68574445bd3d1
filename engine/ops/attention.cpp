#include "ops/attention.h"

#include "ir/infer.h"
#include "ops/all.h"

namespace neural_engine {

std::span<const OpDef> attention_ops() {
  static const std::vector<OpDef> kOps = {
      // Ours, see ops/attention.h.
      {.name = "FusedAttention",
       .attrs = {required_attr("num_heads", AttrType::kInt),
                 required_attr("num_kv_heads", AttrType::kInt),
                 required_attr("head_size", AttrType::kInt),
                 required_attr("v_head_size", AttrType::kInt),
                 {"scale", 1.0f},
                 {"causal", 0},
                 {"q_layout", "BSHD"},
                 {"k_layout", "BSHD"},
                 {"v_layout", "BSHD"},
                 {"out_layout", "BSHD"},
                 {"q_offset", 0},
                 {"k_offset", 0},
                 {"v_offset", 0}},
       .inputs = {3, 4},
       .infer = infer_fused_attention},
  };
  return kOps;
}

}  // namespace neural_engine
