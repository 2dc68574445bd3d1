// Places in a data tensor for the index tensors of the gather and scatter ops.
#pragma once

#include <vector>

#include "executor/ops/run_helpers.h"

namespace neural_engine {

// GatherElements and ScatterElements: the index tensor has the rank of the data, and each index replaces one
// coordinate.
class ElementPlaces {
 public:
  ElementPlaces(const Shape& data, const Shape& indices, size_t axis);

  // The data offset, in elements, of index position i but for the replaced coordinate.
  int64_t base(int64_t i) const {
    int64_t offset = 0;
    for (size_t d = shape_.size(); d-- > 0;) {
      offset += i % shape_[d] * strides_[d];
      i /= shape_[d];
    }
    return offset;
  }
  int64_t bound() const { return bound_; }
  int64_t stride() const { return stride_; }

 private:
  Shape shape_;                   // of the indices
  std::vector<int64_t> strides_;  // of the data; 0 along the axis
  int64_t bound_, stride_;        // of the data along the axis
};

// GatherND and ScatterND: the last axis of the indices holds tuples of coordinates.
class TuplePlaces {
 public:
  TuplePlaces(const Shape& data, const Tensor& indices, int64_t batch_dims, bool from_end);

  int64_t count() const { return count_; }  // of tuples
  int64_t slice() const { return slice_; }  // elements of what a tuple names
  // The data offset of tuple i; Error(kInvalidData) when a coordinate is out of bounds.
  int64_t offset(int64_t i) const;

 private:
  Indices indices_;
  int64_t tuple_, count_ = 0, slice_ = 1;
  int64_t per_batch_ = 1, batch_pitch_ = 0;
  std::vector<int64_t> bounds_, strides_;  // one per coordinate
};

}  // namespace neural_engine
