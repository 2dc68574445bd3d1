#include "executor/weight_store.h"

namespace neural_engine {

Tensor WeightStore::get(const Tensor& weight, const std::string& layout, const std::function<Tensor()>& pack) {
  const std::lock_guard lock(mutex_);
  const Key key(weight.raw(), weight.shape(), layout);
  auto it = entries_.find(key);
  if (it == entries_.end()) it = entries_.emplace(key, Entry{weight, pack()}).first;
  return it->second.packed;
}

size_t WeightStore::bytes() const {
  const std::lock_guard lock(mutex_);
  size_t total = 0;
  for (const auto& [key, entry] : entries_) total += entry.packed.bytes();
  return total;
}

}  // namespace neural_engine
