#include "ops/post_ops.h"

#include <algorithm>

namespace neural_engine {

namespace {

constexpr PostOp kPostOps[] = {{"gelu_erf"},
                               {"gelu_tanh"},
                               {"relu"},
                               {"silu"},
                               {"tanh"},
                               {"sigmoid"},
                               {"add", 1, true},
                               {"mul", 1, true},
                               {"add_quantized", 3, true, true},
                               {"mul_quantized", 3, true, true},
                               {"round", 2, false, true},
                               {"quantize", 2, false, true}};

void check_spread(const InferContext& context, int input, const std::optional<SymShape>& shape) {
  if (!shape || !context.shape(input)) return;
  const auto found = concrete(*context.shape(input)), whole = concrete(*shape);
  if (found && whole && !operand_spread(*found, *whole)) {
    context.unsupported("operand ", input, " has shape ", to_string(*found), ", supported are one value, [",
                        whole->back(), "] and ", to_string(*whole));
  }
}

void require_one(const InferContext& context, int input, const char* what) {
  if (!context.shape(input)) return;
  Dim count = 1;
  for (const Dim& dim : *context.shape(input)) count = count * dim;
  if (count.known() && !count.is(1)) {
    context.unsupported("input ", input, " (", what, ") has shape ", to_string(*context.shape(input)),
                        ", supported: one element");
  }
}

// The last two operands of a quantized post op, and the first one of those that have it.
void check_quantized(const InferContext& context, const PostOp& op, int first) {
  const int scale = first + op.operands - 2;
  context.require_dtype(scale, {DType::kF32});
  context.require_dtype(scale + 1, {DType::kS8, DType::kU8});
  require_one(context, scale, "a scale");
  require_one(context, scale + 1, "a zero point");
  if (!op.binary) return;
  context.require_dtype(first, {DType::kS8, DType::kU8});
  if (context.dtype(first) != context.dtype(scale + 1) && context.dtype(first) != DType::kUndefined &&
      context.dtype(scale + 1) != DType::kUndefined) {
    context.invalid("input ", first, " has dtype ", to_string(context.dtype(first)), ", its zero point ",
                    to_string(context.dtype(scale + 1)));
  }
}

}  // namespace

std::optional<PostOp> find_post_op(std::string_view name) {
  for (const PostOp& op : kPostOps) {
    if (name == op.name) return op;
  }
  return std::nullopt;
}

std::string post_op_names(bool quantized) {
  std::string names;
  for (const PostOp& op : kPostOps) {
    if (quantized || !op.quantized) names += std::string(names.empty() ? "" : ", ") + op.name;
  }
  return names;
}

DType check_post_ops(const InferContext& context, int first, const std::optional<SymShape>& shape, bool quantized) {
  int next = first;
  DType result = DType::kF32;
  const auto& names = context.attr<std::vector<std::string>>("post_ops");
  for (const std::string& name : names) {
    const std::optional<PostOp> op = find_post_op(name);
    if (!op || (op->quantized && !quantized)) {
      context.invalid("post_ops has \"", name, "\", expected one of ", post_op_names(quantized));
    }
    for (int i = next; i < next + op->operands; ++i) {
      if (!context.has_input(i)) context.invalid("post_ops has \"", name, "\" but input ", i, " is absent");
    }
    if (op->binary) check_spread(context, next, shape);
    if (op->quantized) check_quantized(context, *op, next);
    if (name == "quantize") {
      if (&name != &names.back()) context.invalid("post_ops has \"quantize\" before \"", names.back(), "\"");
      result = context.dtype(next + 1);
    }
    next += op->operands;
  }
  if (context.num_inputs() > std::max(next, first)) {
    context.invalid(context.num_inputs(), " inputs found, post_ops consumes ", next);
  }
  return result;
}

void check_row(const InferContext& context, int input, const char* what, const std::optional<SymShape>& shape) {
  if (!context.has_input(input) || !context.shape(input)) return;
  const SymShape& row = *context.shape(input);
  const Dim n = shape ? shape->back() : Dim();
  if (row.size() != 1 || (n.known() && row[0].known() && n.value() != row[0].value())) {
    context.invalid("the ", what, " has shape ", to_string(row), ", expected [", to_string(n), "]");
  }
}

std::optional<OperandSpread> operand_spread(const Shape& operand, const Shape& output) {
  int64_t elems = 1;
  for (const int64_t dim : operand) elems *= dim;
  if (elems == 1 && operand.size() <= output.size()) return OperandSpread::kScalar;
  if (operand == output) return OperandSpread::kFull;
  if (!operand.empty() && operand.size() <= output.size() && operand.back() == output.back() &&
      elems == operand.back()) {
    return OperandSpread::kRow;
  }
  return std::nullopt;
}

}  // namespace neural_engine
