// What products do to their result before they store it: names in the attribute "post_ops", in order, whose operands
// follow the product's own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ir/infer.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

struct PostOp {
  const char* name;
  int operands = 0;
  bool binary = false;     // the first operand is added or multiplied
  bool quantized = false;  // 8-bit: of integer products alone; the last two operands are a scale and a zero point
};

//   gelu_erf, gelu_tanh, relu, silu, tanh, sigmoid
//   add x, mul x                                                           x spreads as OperandSpread says
//   add_quantized x scale zero, mul_quantized x scale zero                 (x - zero) * scale is added or multiplied
//   round scale zero                                                       DequantizeLinear(QuantizeLinear(result))
//   quantize scale zero                                                    QuantizeLinear(result), the last one
// nullopt for another name.
std::optional<PostOp> find_post_op(std::string_view name);
std::string post_op_names(bool quantized);  // for messages

// Refuses names and operands (the node's inputs from `first` on) of the attribute "post_ops" that a product of `shape`
// cannot have. The dtype of the result.
DType check_post_ops(const InferContext& context, int first, const std::optional<SymShape>& shape, bool quantized);

// Refuses an input that has not one element for each of the product's columns.
void check_row(const InferContext& context, int input, const char* what, const std::optional<SymShape>& shape);

// How a binary post op's operand spreads over the output [.., M, N]: one value, one row [N], or the output's own shape.
enum class OperandSpread { kScalar, kRow, kFull };
// nullopt when the operand spreads in a way that is not honoured.
std::optional<OperandSpread> operand_spread(const Shape& operand, const Shape& output);

}  // namespace neural_engine
