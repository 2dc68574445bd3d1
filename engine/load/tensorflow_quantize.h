// What the files of quantization share.
#pragma once

#include "load/tensorflow_node.h"

namespace neural_engine {

// x = scale * (q - zero)
struct Grid {
  float scale;
  int64_t zero;
  DType dtype;
};

// A scale that is no positive number, or a zero outside of the integers, is refused.
ValueId quantize(TfNode& n, ValueId x, const Grid& grid);
ValueId dequantize(TfNode& n, ValueId q, const Grid& grid);

// x moved to the grid, so that QuantizeLinear (which takes the even one of two integers that are equally near) finds
// TensorFlow's integers: of two equally near kAway takes the one that is farther from `origin`, kUp the greater one.
enum class Ties { kEven, kAway, kUp };
ValueId rounded(TfNode& n, ValueId x, const Grid& grid, Ties ties, int64_t origin);

// tensorflow_fake_quant.cpp
void fake_quant_vars(TfNode& n);
void fake_quant_args(TfNode& n);
void fake_quant_per_channel(TfNode& n);
void quantize_and_dequantize(TfNode& n);

}  // namespace neural_engine
