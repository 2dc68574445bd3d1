// Copies elements between two strided layouts: Transpose, Concat, Split, Slice, Expand, Tile and their kin.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/parallel.h"

namespace neural_engine {

// A loop nest, outermost first; strides in elements, negative or zero as well. Dimensions of one element vanish and
// dimensions that continue each other on both sides become one, so that the nest is as short as the layouts allow.
class StridedCopy {
 public:
  explicit StridedCopy(size_t elem_bytes) : elem_bytes_(elem_bytes) {}

  // A loop inside those added before. Throws Error(kUnsupported) past 16 loops.
  void add(int64_t count, int64_t src_stride, int64_t dst_stride);
  void run(const void* src, void* dst, Parallel& parallel) const;

 private:
  struct Loop {
    int64_t count, src_stride, dst_stride;
  };
  class Walk;  // over the outer loops

  void copy_runs(const std::byte* src, std::byte* dst, Parallel& parallel) const;
  void copy_elements(const std::byte* src, std::byte* dst, Parallel& parallel) const;
  void transpose(int across, const std::byte* src, std::byte* dst, Parallel& parallel) const;
  int contiguous_source() const;

  static constexpr int kMaxLoops = 16;
  size_t elem_bytes_;
  bool empty_ = false;
  int rank_ = 0;
  std::array<Loop, kMaxLoops> loops_ = {};
};

// memcpy, shared out.
void copy_bytes(const void* src, void* dst, size_t bytes, Parallel& parallel);

}  // namespace neural_engine
