// Memory for packed weights: large blocks of address space, given out piece by piece and freed as a whole.
//
// A model's pass over its weights touches each page once, so that with pages of 4 KiB the translation of addresses is a
// cost of its own (every miss walks two levels of tables in a virtual machine). Blocks of our own can ask for pages of
// 2 MiB, which weights of some hundred KiB in allocations of their own could not fill.
#pragma once

#include <memory>
#include <mutex>

#include "neural_engine/tensor.h"

namespace neural_engine {

class Slabs {
 public:
  // A u8 tensor, 64-byte aligned, zeros. Its slab lives as long as any tensor in it. Thread-safe. Throws
  // Error(kOutOfMemory).
  Tensor allocate(int64_t bytes);

 private:
  std::mutex mutex_;
  std::shared_ptr<std::byte> slab_;
  size_t used_ = 0, size_ = 0;
};

}  // namespace neural_engine
