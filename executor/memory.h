// Where in one arena each buffer lies.
#pragma once

#include <cstddef>
#include <vector>

namespace neural_engine {

// A buffer that is live from step `first` to step `last`, both included.
struct BufferRequest {
  size_t bytes;
  int first;
  int last;
};

struct ArenaLayout {
  std::vector<size_t> offsets;  // one per request, 64-byte aligned
  size_t bytes = 0;             // of the arena
};

// Greedy by size: the largest buffer first, each at the lowest offset where no buffer that lives at the same time lies
// (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020).
// Throws Error(kOutOfMemory) when the offsets exceed what a size can be.
ArenaLayout plan_arena(const std::vector<BufferRequest>& requests);

}  // namespace neural_engine
