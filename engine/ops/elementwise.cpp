#include "ops/elementwise.h"

#include "ops/all.h"

namespace neural_engine {

std::span<const OpDef> elementwise_ops() {
  static const auto* const kOps = [] {
    auto* ops = new std::vector<OpDef>;
    append_math_ops(ops);
    append_activation_ops(ops);
    append_arithmetic_ops(ops);
    append_logic_ops(ops);
    append_select_ops(ops);
    return ops;
  }();
  return *kOps;
}

}  // namespace neural_engine
