// Three ways to walk the nest, by what the innermost loop looks like:
//   both sides contiguous       -> memcpy of runs (Concat, Slice, Transpose that keeps the last axis)
//   only the target contiguous, -> tiles of kTile x kTile, so that both sides use whole cache lines (2-D transposes
//     some outer loop reads on       and all that contain one)
//   otherwise                   -> one element at a time (repeats, reversals, gaps)
// Work is shared out over the loops outside, never over elements of one run, unless there is nothing outside.
#include "executor/ops/strided_copy.h"

#include <xmmintrin.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace neural_engine {

namespace {

constexpr int64_t kGrainBytes = 32 << 10;  // below this a thread costs more than it saves
constexpr int64_t kTile = 32;              // 32 rows of 32 floats: 4 KiB on either side, well inside L1

// Calls body with a value of the element's size.
template <class Body>
void with_element(size_t bytes, Body&& body) {
  switch (bytes) {
    case 1: return body(uint8_t());
    case 2: return body(uint16_t());
    case 4: return body(uint32_t());
    case 8: return body(uint64_t());
    default: fail(Code::kInternal, "elements of ", bytes, " bytes");
  }
}

// dst[i * dst_stride + j] = src[j * src_stride + i]; strides in elements.
template <class T>
void transpose_tile(const T* src, int64_t src_stride, T* dst, int64_t dst_stride, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) dst[i * dst_stride + j] = src[j * src_stride + i];
  }
}

// The same by 4 x 4 blocks in registers.
void transpose_tile(const uint32_t* src, int64_t src_stride, uint32_t* dst, int64_t dst_stride, int64_t rows,
                    int64_t columns) {
  const int64_t block_rows = rows / 4 * 4, block_columns = columns / 4 * 4;
  const float* from = reinterpret_cast<const float*>(src);
  float* to = reinterpret_cast<float*>(dst);
  for (int64_t i = 0; i < block_rows; i += 4) {
    for (int64_t j = 0; j < block_columns; j += 4) {
      __m128 a = _mm_loadu_ps(from + (j + 0) * src_stride + i), b = _mm_loadu_ps(from + (j + 1) * src_stride + i);
      __m128 c = _mm_loadu_ps(from + (j + 2) * src_stride + i), d = _mm_loadu_ps(from + (j + 3) * src_stride + i);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      _mm_storeu_ps(to + (i + 0) * dst_stride + j, a);
      _mm_storeu_ps(to + (i + 1) * dst_stride + j, b);
      _mm_storeu_ps(to + (i + 2) * dst_stride + j, c);
      _mm_storeu_ps(to + (i + 3) * dst_stride + j, d);
    }
    transpose_tile<uint32_t>(src + block_columns * src_stride + i, src_stride, dst + i * dst_stride + block_columns,
                             dst_stride, 4, columns - block_columns);
  }
  transpose_tile<uint32_t>(src + block_rows, src_stride, dst + block_rows * dst_stride, dst_stride, rows - block_rows,
                           columns);
}

}  // namespace

// The loops but the one or two that a copier handles itself, as one counter and two offsets.
class StridedCopy::Walk {
 public:
  Walk(const StridedCopy& copy, int skip_a, int skip_b) {
    for (int i = 0; i < copy.rank_; ++i) {
      if (i != skip_a && i != skip_b) loops_[static_cast<size_t>(rank_++)] = copy.loops_[static_cast<size_t>(i)];
    }
    for (int i = 0; i < rank_; ++i) total_ *= loops_[static_cast<size_t>(i)].count;
  }

  int64_t total() const { return total_; }

  void seek(int64_t position) {
    src = dst = 0;
    for (int i = rank_ - 1; i >= 0; --i) {
      const Loop& loop = loops_[static_cast<size_t>(i)];
      const int64_t index = position % loop.count;
      position /= loop.count;
      index_[static_cast<size_t>(i)] = index;
      src += index * loop.src_stride;
      dst += index * loop.dst_stride;
    }
  }

  void next() {
    for (int i = rank_ - 1; i >= 0; --i) {
      const Loop& loop = loops_[static_cast<size_t>(i)];
      src += loop.src_stride;
      dst += loop.dst_stride;
      if (++index_[static_cast<size_t>(i)] < loop.count) return;
      src -= loop.count * loop.src_stride;
      dst -= loop.count * loop.dst_stride;
      index_[static_cast<size_t>(i)] = 0;
    }
  }

  int64_t src = 0, dst = 0;  // offsets in elements

 private:
  int rank_ = 0;
  int64_t total_ = 1;
  std::array<Loop, kMaxLoops> loops_;
  std::array<int64_t, kMaxLoops> index_ = {};
};

void StridedCopy::add(int64_t count, int64_t src_stride, int64_t dst_stride) {
  if (count == 0) empty_ = true;
  if (count == 1 || empty_) return;
  if (rank_ > 0) {
    Loop& last = loops_[static_cast<size_t>(rank_ - 1)];
    if (last.src_stride == count * src_stride && last.dst_stride == count * dst_stride) {
      last = {last.count * count, src_stride, dst_stride};
      return;
    }
  }
  require(rank_ < kMaxLoops, Code::kUnsupported, "a copy of more than ", kMaxLoops, " axes");
  loops_[static_cast<size_t>(rank_++)] = {count, src_stride, dst_stride};
}

void StridedCopy::run(const void* src, void* dst, Parallel& parallel) const {
  if (empty_) return;
  const std::byte* from = static_cast<const std::byte*>(src);
  std::byte* to = static_cast<std::byte*>(dst);
  if (rank_ == 0) {
    std::memcpy(to, from, elem_bytes_);
    return;
  }
  const Loop& inner = loops_[static_cast<size_t>(rank_ - 1)];
  if (inner.src_stride == 1 && inner.dst_stride == 1) return copy_runs(from, to, parallel);
  const int across = inner.dst_stride == 1 && inner.src_stride != 0 ? contiguous_source() : -1;
  if (across >= 0) return transpose(across, from, to, parallel);
  copy_elements(from, to, parallel);
}

// The loop that reads consecutive elements, if it is long enough for tiles to pay.
int StridedCopy::contiguous_source() const {
  for (int i = rank_ - 2; i >= 0; --i) {
    if (loops_[static_cast<size_t>(i)].src_stride == 1 && loops_[static_cast<size_t>(i)].count >= 4) return i;
  }
  return -1;
}

void StridedCopy::copy_runs(const std::byte* src, std::byte* dst, Parallel& parallel) const {
  const int64_t bytes = static_cast<int64_t>(elem_bytes_);
  const int64_t run_bytes = loops_[static_cast<size_t>(rank_ - 1)].count * bytes;
  if (rank_ == 1) return copy_bytes(src, dst, static_cast<size_t>(run_bytes), parallel);
  const Walk start(*this, rank_ - 1, -1);
  parallel.ranges(start.total(), std::max<int64_t>(1, kGrainBytes / run_bytes), [&](int64_t begin, int64_t end) {
    Walk walk = start;
    walk.seek(begin);
    for (int64_t i = begin; i < end; ++i, walk.next()) {
      std::memcpy(dst + walk.dst * bytes, src + walk.src * bytes, static_cast<size_t>(run_bytes));
    }
  });
}

void StridedCopy::copy_elements(const std::byte* src, std::byte* dst, Parallel& parallel) const {
  const Loop inner = loops_[static_cast<size_t>(rank_ - 1)];
  const Walk start(*this, rank_ - 1, -1);
  const int64_t bytes = static_cast<int64_t>(elem_bytes_), row_bytes = inner.count * bytes;
  with_element(elem_bytes_, [&](auto element) {
    using T = decltype(element);
    const auto copy = [&](int64_t src_offset, int64_t dst_offset, int64_t count) {
      const T* from = reinterpret_cast<const T*>(src) + src_offset;
      T* to = reinterpret_cast<T*>(dst) + dst_offset;
      if (inner.src_stride == 0 && inner.dst_stride == 1) {
        std::fill_n(to, count, *from);
        return;
      }
      for (int64_t j = 0; j < count; ++j) to[j * inner.dst_stride] = from[j * inner.src_stride];
    };
    if (rank_ == 1) {
      return parallel.ranges(inner.count, kGrainBytes / bytes, [&](int64_t begin, int64_t end) {
        copy(begin * inner.src_stride, begin * inner.dst_stride, end - begin);
      });
    }
    parallel.ranges(start.total(), std::max<int64_t>(1, kGrainBytes / row_bytes), [&](int64_t begin, int64_t end) {
      Walk walk = start;
      walk.seek(begin);
      for (int64_t i = begin; i < end; ++i, walk.next()) copy(walk.src, walk.dst, inner.count);
    });
  });
}

void StridedCopy::transpose(int across, const std::byte* src, std::byte* dst, Parallel& parallel) const {
  const Loop inner = loops_[static_cast<size_t>(rank_ - 1)], outer = loops_[static_cast<size_t>(across)];
  const Walk start(*this, rank_ - 1, across);
  const int64_t bands = (outer.count + kTile - 1) / kTile;  // of kTile target rows
  const int64_t band_bytes = kTile * inner.count * static_cast<int64_t>(elem_bytes_);
  with_element(elem_bytes_, [&](auto element) {
    using T = decltype(element);
    parallel.ranges(start.total() * bands, std::max<int64_t>(1, kGrainBytes / band_bytes),
                    [&](int64_t begin, int64_t end) {
                      Walk walk = start;
                      for (int64_t i = begin; i < end; ++i) {
                        walk.seek(i / bands);
                        const int64_t row = i % bands * kTile, rows = std::min(kTile, outer.count - row);
                        const T* from = reinterpret_cast<const T*>(src) + walk.src + row;
                        T* to = reinterpret_cast<T*>(dst) + walk.dst + row * outer.dst_stride;
                        for (int64_t column = 0; column < inner.count; column += kTile) {
                          transpose_tile(from + column * inner.src_stride, inner.src_stride, to + column,
                                         outer.dst_stride, rows, std::min(kTile, inner.count - column));
                        }
                      }
                    });
  });
}

void copy_bytes(const void* src, void* dst, size_t bytes, Parallel& parallel) {
  const std::byte* from = static_cast<const std::byte*>(src);
  std::byte* to = static_cast<std::byte*>(dst);
  parallel.ranges(static_cast<int64_t>(bytes), kGrainBytes, [&](int64_t begin, int64_t end) {
    std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin));
  });
}

}  // namespace neural_engine
