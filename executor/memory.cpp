#include "executor/memory.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "base/error.h"

namespace neural_engine {

namespace {

constexpr size_t kAlignment = 64;

// Shapes come from files and requests: each buffer may be as large as 2^60 bytes, and an offset that wraps round would
// put one value into another's memory, or outside of the arena.
size_t sum(size_t a, size_t b) {
  size_t result = 0;
  if (__builtin_add_overflow(a, b, &result) || result > static_cast<size_t>(PTRDIFF_MAX)) {
    fail(Code::kOutOfMemory, "the values of one run need more than 2^63 bytes");
  }
  return result;
}

size_t aligned(size_t bytes) { return sum(bytes, kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

ArenaLayout plan_arena(const std::vector<BufferRequest>& requests) {
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return requests[a].bytes > requests[b].bytes; });

  ArenaLayout layout;
  layout.offsets.resize(requests.size());
  std::vector<size_t> placed;  // by offset
  for (size_t id : order) {
    const BufferRequest& request = requests[id];
    const size_t bytes = aligned(request.bytes);
    size_t offset = 0;
    for (size_t other : placed) {
      const BufferRequest& there = requests[other];
      if (there.last < request.first || request.last < there.first) continue;
      if (sum(offset, bytes) <= layout.offsets[other]) break;  // the gap before it is large enough
      offset = std::max(offset, sum(layout.offsets[other], aligned(there.bytes)));
    }
    layout.offsets[id] = offset;
    layout.bytes = std::max(layout.bytes, sum(offset, bytes));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), id,
                                   [&](size_t a, size_t b) { return layout.offsets[a] < layout.offsets[b]; }),
                  id);
  }
  return layout;
}

}  // namespace neural_engine
