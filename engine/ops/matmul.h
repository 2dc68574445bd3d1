// What passes and the executor share about FusedMatMul:
//   inputs  a, b, bias? [N], then one operand for each binary post op
//   output  post_ops(alpha * op(a) x op(b) + bias), where op() swaps the last two dimensions if trans_a, trans_b
// and about DynamicQuantizedMatMul, whose rows of a are quantized to 8 bits as it runs (kernels/int_matmul.h):
//   inputs  a f32, b s8 of rank 2, scale f32 [N], bias? [N], then one operand for each binary post op
//   output  post_ops(alpha * (a x op(b)) * scale + bias)
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ir/infer.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

struct PostOp {
  const char* name;
  bool binary = false;  // consumes the next operand
};

// gelu_erf, gelu_tanh, relu, silu, tanh, sigmoid, add, mul; nullopt for another name.
std::optional<PostOp> find_post_op(std::string_view name);
std::string post_op_names();  // for messages

// How a binary post op's operand spreads over the output [.., M, N]: one value, one row [N], or the output's own shape.
enum class OperandSpread { kScalar, kRow, kFull };
// nullopt when the operand spreads in a way that FusedMatMul does not honour.
std::optional<OperandSpread> operand_spread(const Shape& operand, const Shape& output);

// numpy's matmul of the shapes of two inputs, whose last two dimensions may be swapped first; nullopt when one is not
// known.
std::optional<SymShape> matmul_shape(const InferContext& context, int input_a, int input_b, bool trans_a = false,
                                     bool trans_b = false);

}  // namespace neural_engine
