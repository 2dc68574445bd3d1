// Index arithmetic of dense tensors, for loops that a kernel row does not cover.
#pragma once

#include <cstdint>
#include <vector>

#include "neural_engine/tensor.h"

namespace neural_engine {

// Product of the dimensions in [begin, end).
inline int64_t elems_between(const Shape& shape, size_t begin, size_t end = SIZE_MAX) {
  int64_t result = 1;
  for (size_t i = begin; i < end && i < shape.size(); ++i) result *= shape[i];
  return result;
}

// Elements from one index of a dimension to the next.
inline std::vector<int64_t> dense_strides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t step = 1;
  for (size_t d = shape.size(); d-- > 0; step *= shape[d]) strides[d] = step;
  return strides;
}

// Strides over `target` of an operand that numpy's rules spread over it: 0 along the dimensions that it lacks.
inline std::vector<int64_t> broadcast_strides(const Shape& operand, const Shape& target) {
  std::vector<int64_t> strides(target.size(), 0);
  const std::vector<int64_t> own = dense_strides(operand);
  for (size_t d = 0; d < operand.size(); ++d) {
    if (operand[d] != 1) strides[target.size() - operand.size() + d] = own[d];
  }
  return strides;
}

// The offset of the element with this row-major index in `shape`.
inline int64_t strided_offset(int64_t index, const Shape& shape, const std::vector<int64_t>& strides) {
  int64_t offset = 0;
  for (size_t d = shape.size(); d-- > 0; index /= shape[d]) offset += index % shape[d] * strides[d];
  return offset;
}

}  // namespace neural_engine
