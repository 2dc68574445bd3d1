// Comparisons, logic, and choosing between two tensors.
#include "load/tensorflow_ops.h"

namespace neural_engine {

namespace {

// With false, operands that do not broadcast compare as unequal instead of being an error.
void check_shape_errors(TfNode& n) {
  if (!n.take_bool("incompatible_shape_error", true)) {
    n.unsupported("attribute \"incompatible_shape_error\" is false, true is supported");
  }
}
void equal(TfNode& n) {
  check_shape_errors(n);
  n.finish("Equal", n.all_inputs());
}
void not_equal(TfNode& n) {
  check_shape_errors(n);
  n.finish("Not", {n.add("Equal", n.all_inputs())});
}
void is_finite(TfNode& n) {
  const ValueId x = n.input(0);
  n.finish("Not", {n.add("Or", {n.add("IsNaN", {x}), n.add("IsInf", {x})})});
}

// The first form does not broadcast, but a vector chooses among rows.
void select(TfNode& n) {
  ValueId condition = n.input(0);
  const ValueId a = n.input(1), b = n.input(2);
  const std::optional<int64_t> rank = n.rank(condition);
  if (rank != 0) {
    const int64_t of_values = n.required_rank(a);
    if (n.required_rank(condition) == 1 && of_values > 1) {
      std::vector<int64_t> axes;
      for (int64_t i = 1; i < of_values; ++i) axes.push_back(i);
      condition = n.unsqueeze(condition, axes);
    }
  }
  n.finish("Where", {condition, a, b});
}

}  // namespace

std::span<const TfOp> tf_logic_ops() {
  static constexpr TfOp kOps[] = {
      {"Equal", equal},
      {"NotEqual", not_equal},
      {"Greater", direct<"Greater">},
      {"GreaterEqual", direct<"GreaterOrEqual">},
      {"Less", direct<"Less">},
      {"LessEqual", direct<"LessOrEqual">},
      {"LogicalAnd", direct<"And">, ""},
      {"LogicalOr", direct<"Or">, ""},
      {"LogicalNot", direct<"Not">, ""},
      {"BitwiseAnd", direct<"BitwiseAnd">},
      {"BitwiseOr", direct<"BitwiseOr">},
      {"BitwiseXor", direct<"BitwiseXor">},
      {"Invert", direct<"BitwiseNot">},
      {"IsNan", direct<"IsNaN">},
      {"IsInf", direct<"IsInf">},
      {"IsFinite", is_finite},
      {"Select", select, "T=1,2"},
      {"SelectV2", direct<"Where">, "T=1,2"},
  };
  return kOps;
}

}  // namespace neural_engine
