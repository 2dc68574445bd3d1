#include "executor/ops/post_ops.h"

#include "ops/post_ops.h"

namespace neural_engine {

namespace {

EpilogueOp unary_post_op(std::string_view name) {
  if (name == "gelu_erf") return unary(UnaryOp::kGeluErf);
  if (name == "gelu_tanh") return unary(UnaryOp::kGeluTanh);
  if (name == "relu") return unary(UnaryOp::kRelu);
  if (name == "silu") return unary(UnaryOp::kSilu);
  if (name == "tanh") return unary(UnaryOp::kTanh);
  return unary(UnaryOp::kSigmoid);
}

Spread spread_of_operand(const BindContext& context, int input) {
  const auto spread = operand_spread(context.shape(input), context.output_shape(0));
  if (!spread) {
    fail(Code::kUnsupported, "operand ", input, " has shape ", to_string(context.shape(input)), ", the output ",
         to_string(context.output_shape(0)));
  }
  return *spread == OperandSpread::kScalar ? Spread::kScalar
         : *spread == OperandSpread::kRow  ? Spread::kRow
                                           : Spread::kFull;
}

}  // namespace

void append_post_ops(const BindContext& context, int first, Epilogue* epilogue, std::vector<PlanOperand>* operands) {
  int next = first;
  for (const std::string& name : context.attr<std::vector<std::string>>("post_ops")) {
    const PostOp op = *find_post_op(name);
    const int parameters = op.quantized ? next + op.operands - 2 : -1;
    if (op.binary) {
      const Spread spread = spread_of_operand(context, next);
      EpilogueOp added = binary(name.starts_with("add") ? BinaryOp::kAdd : BinaryOp::kMul, spread);
      added.operand_dtype = op.quantized ? context.dtype(next) : DType::kF32;
      epilogue->push_back(added);
      operands->push_back({.input = next, .spread = spread, .parameters = parameters});
    } else if (op.quantized) {
      const DType levels = context.dtype(parameters + 1);
      epilogue->push_back(name == "quantize" ? quantize_to(levels) : round_to_grid(levels));
      operands->push_back({.input = -1, .spread = Spread::kScalar, .parameters = parameters});
    } else {
      epilogue->push_back(unary_post_op(name));
    }
    next += op.operands;
  }
}

}  // namespace neural_engine
