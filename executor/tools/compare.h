// Whether a tensor is what was expected.
#pragma once

#include <string>

#include "neural_engine/tensor.h"

namespace neural_engine::tools {

struct Comparison {
  bool equal = true;
  double max_abs = 0;   // largest |found - expected|
  std::string message;  // why not, with the first differing element
};

// |found - expected| <= atol + rtol * |expected| for floating point, NaN equal to NaN; other dtypes bit for bit. dtype
// and shape must be the same.
Comparison compare(const Tensor& found, const Tensor& expected, double rtol, double atol);

}  // namespace neural_engine::tools
