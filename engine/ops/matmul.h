// What passes and the executor share about FusedMatMul:
//   inputs  a, b, bias? [N], then one operand for each binary post op
//   output  post_ops(alpha * op(a) x op(b) + bias), where op() swaps the last two dimensions if trans_a, trans_b
// and about products of integers (kernels/int_matmul.h): DynamicQuantizedMatMul, which quantizes the rows of a as it
// runs,
//   inputs  a f32, b s8 of rank 2, scale f32 [N], bias? [N], then the operands of the post ops
//   output  post_ops(alpha * (a x op(b)) * scale + bias)
// and QuantizedMatMul
//   inputs  a s8 or u8, scale_a, b s8 or u8 of rank 2, scale_b, zero_a?, zero_b?, bias? [N], then the operands of the
//           post ops; a has one scale and zero point, b one or one for each column
//   output  post_ops(alpha * ((a - zero_a) x op(b - zero_b)) * scale_a * scale_b + bias)
// Post ops: ops/post_ops.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ir/infer.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

// numpy's matmul of the shapes of two inputs, whose last two dimensions may be swapped first; nullopt when one is not
// known.
std::optional<SymShape> matmul_shape(const InferContext& context, int input_a, int input_b, bool trans_a = false,
                                     bool trans_b = false);

void append_integer_products(std::vector<OpDef>* ops);  // quantized_matmul.cpp

}  // namespace neural_engine
