// Packed forms of constant weights, made once and shared by every plan of a session.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "neural_engine/tensor.h"

namespace neural_engine {

// Thread-safe. A packed form is identified by the weight's memory and a key that names the layout
// ("matmul.f32.avx2:t").
class WeightStore {
 public:
  // The packed form, made by `pack` when there is none yet; it lives as long as the store.
  Tensor get(const Tensor& weight, const std::string& layout, const std::function<Tensor()>& pack);

  // An object that bindings share for as long as the store lives: the compiled body of a Loop, identified by its graph.
  // `make` must not use the store.
  std::shared_ptr<void> keep(std::shared_ptr<const void> identity, const std::function<std::shared_ptr<void>()>& make);

  // Bytes of all packed forms.
  size_t bytes() const;

 private:
  using Key = std::tuple<const void*, Shape, std::string>;
  struct Entry {
    Tensor weight;  // keeps the address taken
    Tensor packed;
  };
  mutable std::mutex mutex_;
  std::map<Key, Entry> entries_;
  std::map<std::shared_ptr<const void>, std::shared_ptr<void>> objects_;
};

}  // namespace neural_engine
