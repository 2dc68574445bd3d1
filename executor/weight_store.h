// Packed forms of constant weights, made once and shared by every plan of a session.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <tuple>

#include "base/parallel.h"
#include "executor/slabs.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

// Thread-safe. A packed form is identified by the weight's memory and a key that names the layout
// ("matmul.f32.avx2:t").
class WeightStore {
 public:
  // Packing runs on `parallel`, which outlives the store; on the caller's thread alone when there is none.
  explicit WeightStore(Parallel* parallel = nullptr) : parallel_(parallel != nullptr ? *parallel : serial_) {}

  // From now on weights, packed forms and what require_room is told of stay below `max_bytes` (0: no limit), or
  // Error(kOutOfMemory) says what they come to. `weight_bytes` are the model's.
  void limit(size_t weight_bytes, size_t max_bytes);
  // Whether `bytes` more fit.
  bool has_room(size_t bytes) const;
  // Throws when they do not; `what` needs them.
  void require_room(size_t bytes, const std::string& what) const;

  // The packed form, made by `pack` when there is none yet; it lives as long as the store. The weight itself leaves the
  // resident memory where it is part of a mapped file.
  Tensor get(const Tensor& weight, const std::string& layout, const std::function<Tensor()>& pack);

  // The weight where its elements can be read as their type, else a copy that is kept.
  Tensor aligned(const Tensor& weight);

  // For `pack`: threads, and memory that the system backs with large pages.
  Parallel& parallel() noexcept { return parallel_; }
  Tensor allocate(int64_t bytes) { return slabs_.allocate(bytes); }

  // An object that bindings share for as long as the store lives: the compiled body of a Loop, identified by its graph.
  // `make` must not use the store.
  std::shared_ptr<void> keep(std::shared_ptr<const void> identity, const std::function<std::shared_ptr<void>()>& make);

  // Bytes of all packed forms.
  size_t bytes() const { return packed_bytes_.load(); }
  // Bytes of the weights that were packed and do not stay in memory.
  size_t released_bytes() const { return released_bytes_.load(); }

 private:
  using Key = std::tuple<const void*, Shape, std::string>;
  struct Entry {
    Tensor weight;  // keeps the address taken
    Tensor packed;
  };
  SerialParallel serial_;
  Parallel& parallel_;
  Slabs slabs_;
  size_t weight_bytes_ = 0, max_bytes_ = 0;
  std::atomic<size_t> packed_bytes_{0}, released_bytes_{0};
  mutable std::mutex mutex_;
  std::set<const void*> released_;  // counted once, in however many ways they are packed
  std::map<Key, Entry> entries_;
  std::map<std::shared_ptr<const void>, std::shared_ptr<void>> objects_;
};

}  // namespace neural_engine
