#include <algorithm>
#include <bit>
#include <cstring>

#include "base/mapped_file.h"
#include "file/model_file.h"

namespace neural_engine {

namespace {

constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio: odd, with no pattern in its bits
constexpr size_t kLanes = 8;
constexpr size_t kBlock = kLanes * sizeof(uint64_t);
constexpr size_t kReleased = 1 << 20;  // bytes of a file that stay in memory at once

struct Lanes {
  uint64_t state[kLanes] = {1, 2, 3, 4, 5, 6, 7, 8};

  void add(const std::byte* block) {
    uint64_t words[kLanes];
    std::memcpy(words, block, kBlock);
    for (size_t i = 0; i < kLanes; ++i) state[i] = std::rotl((state[i] ^ words[i]) * kMultiplier, 29);
  }
};

}  // namespace

uint64_t checksum64(std::span<const std::byte> bytes, const MappedFile* file) {
  Lanes lanes;
  size_t at = 0;
  while (at + kBlock <= bytes.size()) {
    const size_t begin = at, end = std::min(begin + kReleased, bytes.size());
    for (; at + kBlock <= end; at += kBlock) lanes.add(bytes.data() + at);
    if (file != nullptr) file->release(bytes.subspan(begin, at - begin));
  }
  if (at < bytes.size()) {
    std::byte tail[kBlock] = {};
    std::memcpy(tail, bytes.data() + at, bytes.size() - at);
    lanes.add(tail);
  }
  uint64_t sum = bytes.size();
  for (uint64_t state : lanes.state) sum = std::rotl((sum ^ state) * kMultiplier, 29);
  return sum ^ (sum >> 32);
}

}  // namespace neural_engine
