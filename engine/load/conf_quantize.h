// Quantization in a conf.yaml: the tensor of bytes, and beside it tensors of the least and the greatest value that the
// bytes stand for. u8 spreads over [min, max]; s8 is symmetric about zero.
#pragma once

#include "load/conf_call.h"

namespace neural_engine {

struct ConfRange {
  ValueId min = kNoValue;
  ValueId max = kNoValue;
};

// Constant ranges: the value of one step, per element of the range.
std::vector<float> conf_steps(const ConfCall& call, ConfRange range, DType dtype);

// Bytes times their step. Without an offset: static products have what u8's offset adds to them in their bias.
// `channel_axis`: which axis a range of more than one element belongs to.
ValueId conf_dequantize(const ConfCall& call, ValueId bytes, ConfRange range, int64_t channel_axis);

// x / step, with or without the offset of u8, rounded to nearest even and saturated.
ValueId conf_quantize(const ConfCall& call, ValueId x, ConfRange range, DType dtype, bool with_offset);

// Sets the three outputs of an operator that quantizes as it runs: bytes, minimum, maximum.
void conf_quantize_dynamically(ConfCall& call, ValueId x, DType dtype);

// The real values of bytes that such an operator made.
ValueId conf_dequantize_dynamic(const ConfCall& call, ValueId bytes, const ConfDynamic& by);

// Constant weights of a product with such bytes. Later writers put the scale (127 / the greatest magnitude) where the
// maximum is otherwise; the least byte of each channel, which follows from its minimum, tells which it is.
ValueId conf_dequantize_weight(const ConfCall& call, ValueId bytes, ConfRange range, int64_t channel_axis);

}  // namespace neural_engine
