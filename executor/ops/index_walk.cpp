#include "executor/ops/index_walk.h"

namespace neural_engine {

ElementPlaces::ElementPlaces(const Shape& data, const Shape& indices, size_t axis)
    : shape_(indices), strides_(dense_strides(data)), bound_(data[axis]), stride_(strides_[axis]) {
  for (size_t i = 0; i < data.size(); ++i) {
    require(i == axis || indices[i] <= data[i], Code::kInvalidData, "indices of shape ", to_string(indices),
            " reach beyond data of shape ", to_string(data));
  }
  strides_[axis] = 0;
}

TuplePlaces::TuplePlaces(const Shape& data, const Tensor& indices, int64_t batch_dims, bool from_end)
    : indices_(indices, from_end), tuple_(indices.shape().back()) {
  const size_t batch = static_cast<size_t>(batch_dims), first_slice = batch + static_cast<size_t>(tuple_);
  const std::vector<int64_t> strides = dense_strides(data);
  bounds_.assign(data.begin() + batch_dims, data.begin() + static_cast<int64_t>(first_slice));
  strides_.assign(strides.begin() + batch_dims, strides.begin() + static_cast<int64_t>(first_slice));
  slice_ = elems_between(data, first_slice);
  count_ = elems_between(indices.shape(), 0, indices.shape().size() - 1);
  per_batch_ = elems_between(indices.shape(), batch, indices.shape().size() - 1);
  batch_pitch_ = elems_between(data, batch);
}

int64_t TuplePlaces::offset(int64_t i) const {
  int64_t result = i / per_batch_ * batch_pitch_;
  for (size_t k = 0; k < bounds_.size(); ++k) {
    const int64_t position = i * tuple_ + static_cast<int64_t>(k);
    const int64_t index = indices_.at(position, bounds_[k]);
    if (index < 0 || index >= bounds_[k]) fail_index(indices_, position, bounds_[k]);
    result += index * strides_[k];
  }
  return result;
}

}  // namespace neural_engine
