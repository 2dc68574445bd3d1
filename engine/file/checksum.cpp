#include <bit>
#include <cstring>

#include "file/model_file.h"

namespace neural_engine {

namespace {

constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio: odd, with no pattern in its bits
constexpr size_t kLanes = 8;
constexpr size_t kBlock = kLanes * sizeof(uint64_t);

struct Lanes {
  uint64_t state[kLanes] = {1, 2, 3, 4, 5, 6, 7, 8};

  void add(const std::byte* block) {
    uint64_t words[kLanes];
    std::memcpy(words, block, kBlock);
    for (size_t i = 0; i < kLanes; ++i) state[i] = std::rotl((state[i] ^ words[i]) * kMultiplier, 29);
  }
};

}  // namespace

uint64_t checksum64(std::span<const std::byte> bytes) {
  Lanes lanes;
  size_t at = 0;
  for (; at + kBlock <= bytes.size(); at += kBlock) lanes.add(bytes.data() + at);
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
