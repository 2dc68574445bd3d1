#include "executor/memory.h"

#include <algorithm>
#include <numeric>

namespace neural_engine {

namespace {

constexpr size_t kAlignment = 64;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

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
      if (offset + bytes <= layout.offsets[other]) break;  // the gap before it is large enough
      offset = std::max(offset, layout.offsets[other] + aligned(there.bytes));
    }
    layout.offsets[id] = offset;
    layout.bytes = std::max(layout.bytes, offset + bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), id,
                                   [&](size_t a, size_t b) { return layout.offsets[a] < layout.offsets[b]; }),
                  id);
  }
  return layout;
}

}  // namespace neural_engine
