// ONNX's rules for the bounds of one sliced axis.
#pragma once

#include <algorithm>
#include <cstdint>

namespace neural_engine {

struct SliceRange {
  int64_t start = 0;
  int64_t count = 0;
};

// Negative bounds count from the end; then bounds are clamped to what a walk by `step` (not 0) can reach.
inline SliceRange slice_range(int64_t dim, int64_t start, int64_t end, int64_t step) {
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  const int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? dim : dim - 1;
  start = std::clamp<int64_t>(start, 0, std::max<int64_t>(highest, 0));
  end = std::clamp(end, lowest, std::max(lowest, highest));
  const int64_t distance = step > 0 ? end - start : start - end;
  if (distance <= 0 || dim == 0) return {start, 0};
  // The magnitude of the lowest integer does not fit the signed type.
  const uint64_t magnitude = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
  return {start, static_cast<int64_t>((static_cast<uint64_t>(distance) - 1) / magnitude) + 1};
}

}  // namespace neural_engine
