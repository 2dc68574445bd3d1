#include "executor/op_binding.h"

namespace neural_engine {

std::span<const OpBinding> attention_bindings() { return {}; }

}  // namespace neural_engine
