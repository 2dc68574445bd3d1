// The sizes and scales of a Resize, shared by its inference and its run function.
#pragma once

#include <vector>

#include "ir/attrs.h"

namespace neural_engine {

struct ResizeAxis {
  int64_t in = 0;
  int64_t out = 0;
  double scale = 1;       // of output to input length
  double out_length = 0;  // before rounding down: what the coordinate formulas call the resized length
  double roi_start = 0;   // in fractions of the input's length
  double roi_end = 1;
};

// One for each axis of `in`. Undefined or empty tensors stand for absent operands. Throws Error(kInvalidModel) when the
// operands do not determine sizes.
std::vector<ResizeAxis> resize_axes(const Attrs& attrs, const Shape& in, const Tensor& roi, const Tensor& scales,
                                    const Tensor& sizes);
// The axes that the operands speak of.
std::vector<int64_t> resized_axes(const Attrs& attrs, int64_t rank);

}  // namespace neural_engine
