#include "executor/weight_store.h"

#include <algorithm>

#include "base/error.h"
#include "base/tensor_memory.h"

namespace neural_engine {

void WeightStore::limit(size_t weight_bytes, size_t max_bytes) {
  weight_bytes_ = weight_bytes;
  max_bytes_ = max_bytes;
  require_room(0, "the model");
}

// Weights that are views of a mapped file leave the memory when they are packed.
bool WeightStore::has_room(size_t bytes) const {
  if (max_bytes_ == 0) return true;
  const size_t held = weight_bytes_ - std::min(weight_bytes_, released_bytes()) + this->bytes();
  return held <= max_bytes_ && bytes <= max_bytes_ - held;
}

void WeightStore::require_room(size_t bytes, const std::string& what) const {
  if (has_room(bytes)) return;
  fail(Code::kOutOfMemory, what, " needs ", bytes, " bytes beside ", weight_bytes_, " bytes of weights (",
       std::min(weight_bytes_, released_bytes()), " of them not resident) and ", this->bytes(),
       " bytes of packed weights; the limit is ", max_bytes_, " bytes");
}

Tensor WeightStore::get(const Tensor& weight, const std::string& layout, const std::function<Tensor()>& pack) {
  const std::lock_guard lock(mutex_);
  const Key key(weight.raw(), weight.shape(), layout);
  auto it = entries_.find(key);
  if (it == entries_.end()) {
    Tensor packed = pack();
    if (release_pages(weight) && released_.insert(weight.raw()).second) released_bytes_ += weight.bytes();
    require_room(packed.bytes(), "a packed weight");
    packed_bytes_ += packed.bytes();
    it = entries_.emplace(key, Entry{weight, std::move(packed)}).first;
  }
  return it->second.packed;
}

Tensor WeightStore::aligned(const Tensor& weight) {
  if (is_aligned(weight)) return weight;
  return get(weight, "aligned", [&] { return weight.clone(); });
}

std::shared_ptr<void> WeightStore::keep(std::shared_ptr<const void> identity,
                                        const std::function<std::shared_ptr<void>()>& make) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<void>& object = objects_[std::move(identity)];
  if (object == nullptr) object = make();
  return object;
}

}  // namespace neural_engine
