#include "executor/weight_store.h"

#include <set>

#include "base/tensor_memory.h"

namespace neural_engine {

Tensor WeightStore::get(const Tensor& weight, const std::string& layout, const std::function<Tensor()>& pack) {
  const std::lock_guard lock(mutex_);
  const Key key(weight.raw(), weight.shape(), layout);
  auto it = entries_.find(key);
  if (it == entries_.end()) {
    it = entries_.emplace(key, Entry{weight, pack()}).first;
    it->second.released = release_pages(weight);
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

size_t WeightStore::bytes() const {
  const std::lock_guard lock(mutex_);
  size_t total = 0;
  for (const auto& [key, entry] : entries_) total += entry.packed.bytes();
  return total;
}

size_t WeightStore::released_bytes() const {
  const std::lock_guard lock(mutex_);
  std::set<const void*> counted;  // a weight may be packed in several ways
  size_t total = 0;
  for (const auto& [key, entry] : entries_) {
    if (entry.released && counted.insert(entry.weight.raw()).second) total += entry.weight.bytes();
  }
  return total;
}

}  // namespace neural_engine
