// Bindings of the signal family that live in files of their own.
#pragma once

#include "executor/op_binding.h"

namespace neural_engine {

void run_dft(const Node& node, OpContext& context);  // fourier.cpp
void run_stft(const Node& node, OpContext& context);
void run_negative_log_likelihood(const Node& node, OpContext& context);  // loss.cpp
void run_softmax_cross_entropy(const Node& node, OpContext& context);
BoundOp bind_tf_idf(const BindContext& context);  // tf_idf.cpp

// The output's memory; made here where its shape followed from the operands' elements only.
inline Tensor& output_of_shape(OpContext& context, int i, DType dtype, const Shape& shape) {
  if (!context.output(i).defined() || context.output(i).shape() != shape) context.set_output(i, Tensor(dtype, shape));
  return context.output(i);
}

// The value of a scalar integer operand.
int64_t scalar_int(const Tensor& tensor);

}  // namespace neural_engine
