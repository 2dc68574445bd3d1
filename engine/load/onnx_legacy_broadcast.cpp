// Opset 6, whose binary operators spread their second operand only where an attribute says so, and from an axis on.
#include "load/onnx_legacy.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

// b with the dimensions of 1 after its own that put its first one at `axis` of a.
ValueId aligned(Rewrite& r, ValueId a, ValueId b, int64_t axis) {
  const std::optional<int64_t> rank_a = r.rank(a), rank_b = r.rank(b);
  if (!rank_a || !rank_b) r.unsupported("axis ", axis, " found for operands of unknown rank");
  const int64_t first = axis < 0 ? axis + *rank_a : axis;
  const int64_t missing = *rank_a - first - *rank_b;
  if (first < 0 || missing < 0) {
    r.invalid("axis ", axis, " found for operands of ranks ", *rank_a, " and ", *rank_b);
  }
  Ints axes;
  for (int64_t i = 0; i < missing; ++i) axes.push_back(*rank_b + i);
  return axes.empty() ? b : r.add("Unsqueeze", {b, r.ints(axes)});
}

void binary_6(Rewrite& r) {
  const ValueId a = r.input(0), b = r.input(1);
  const bool spread = r.take_or<int64_t>("broadcast", 0) != 0;
  const std::optional<int64_t> axis = r.take<int64_t>("axis");
  if (!spread) {
    const std::optional<int64_t> rank_a = r.rank(a), rank_b = r.rank(b);
    if (rank_a && rank_b && *rank_a != *rank_b) {
      r.invalid("operands of ranks ", *rank_a, " and ", *rank_b, " found, expected equal shapes without broadcast");
    }
    return r.finish(r.node().op_type, {a, b});
  }
  r.finish(r.node().op_type, {a, axis ? aligned(r, a, b, *axis) : b});
}

void gemm_6(Rewrite& r) {
  r.take<int64_t>("broadcast");  // whether C may spread; it does where it has to
  r.finish_with_rest("Gemm", {r.input(0), r.input(1), r.input(2)});
}

// A slope for each channel, dimension 1.
void prelu_6(Rewrite& r) {
  const ValueId x = r.input(0), slope = r.input(1);
  const std::optional<int64_t> rank = r.rank(x), slope_rank = r.rank(slope);
  if (!rank || !slope_rank) r.unsupported("operands of unknown rank found");
  if (*slope_rank > 1) r.invalid("a slope of rank ", *slope_rank, " found, expected 0 or 1");
  if (*slope_rank == 0 || *rank < 3) return r.finish("PRelu", {x, slope});
  Ints axes;
  for (int64_t i = 1; i < *rank - 1; ++i) axes.push_back(i);
  r.finish("PRelu", {x, r.add("Unsqueeze", {slope, r.ints(axes)})});
}

void require_test(Rewrite& r) {
  if (r.take_or<int64_t>("is_test", 0) == 0) r.unsupported("is_test 0 found, which is for training; 1 is supported");
}

void batch_normalization_6(Rewrite& r) {
  require_test(r);
  if (r.take_or<int64_t>("spatial", 1) != 1) r.unsupported("spatial 0 found, 1 is supported");
  for (size_t i = 1; i < r.num_outputs(); ++i) {
    if (r.wants_output(i)) r.unsupported("output ", i, " is used, which is for training; output 0 is supported");
  }
  r.node().outputs.resize(1);
  const std::vector<ValueId> inputs = {r.input(0), r.input(1), r.input(2), r.input(3), r.input(4)};
  r.finish_with_rest("BatchNormalization", inputs);
}

void dropout_6(Rewrite& r) {
  require_test(r);
  r.take<float>("ratio");
  if (r.wants_output(1)) r.unsupported("output 1 is used, which is for training; output 0 is supported");
  r.node().outputs.resize(1);
  r.finish("Identity", {r.input(0)});
}

}  // namespace

std::span<const LegacyRule> legacy_broadcast_rules() {
  static constexpr LegacyRule kRules[] = {
      {"Add", 6, 6, binary_6},      {"Sub", 6, 6, binary_6},
      {"Mul", 6, 6, binary_6},      {"Div", 6, 6, binary_6},
      {"Pow", 6, 6, binary_6},      {"And", 6, 6, binary_6},
      {"Or", 6, 6, binary_6},       {"Xor", 6, 6, binary_6},
      {"Equal", 6, 6, binary_6},    {"Greater", 6, 6, binary_6},
      {"Less", 6, 6, binary_6},     {"Gemm", 6, 6, gemm_6},
      {"PRelu", 6, 6, prelu_6},     {"BatchNormalization", 6, 6, batch_normalization_6},
      {"Dropout", 6, 6, dropout_6},
  };
  return kRules;
}

}  // namespace neural_engine
