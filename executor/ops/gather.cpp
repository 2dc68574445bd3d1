#include "executor/op_binding.h"

namespace neural_engine {

std::span<const OpBinding> gather_bindings() { return {}; }

}  // namespace neural_engine
