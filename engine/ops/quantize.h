// Shared by the files of the quantize family.
#pragma once

#include <vector>

#include "ir/op_def.h"

namespace neural_engine {

// y_scale of QuantizeLinear, x_scale of DequantizeLinear: one scale for all, one per index of the axis, or one per
// block of `block_size` indices of the axis. Refuses (kInvalidModel) a shape of `scale` that is none of them, and one
// of `zero_point` that is not that of the scale; inputs 0, 1 and 2 of the node.
void check_granularity(const InferContext& context);

void append_integer_ops(std::vector<OpDef>* ops);       // quantize_integer.cpp: products of matrices
void append_integer_conv_ops(std::vector<OpDef>* ops);  // quantize_conv.cpp

}  // namespace neural_engine
