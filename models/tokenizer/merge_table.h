// The merges of byte-pair encoding: which two neighbours become which token, and in what order.
#pragma once

#include <cstdint>
#include <vector>

namespace neural_engine {

class MergeTable {
 public:
  struct Merge {
    int32_t rank = INT32_MAX;  // INT32_MAX: no such merge
    int32_t id = -1;
  };

  explicit MergeTable(size_t merges) {
    size_t slots = 16;
    while (slots < merges * 2) slots *= 2;
    slots_.resize(slots);
  }

  // A pair that is given again takes the later rank, as for the reference. At most the number given to the constructor.
  void add(int32_t left, int32_t right, Merge merge) {
    size_t i = slot_of(key_of(left, right));
    while (slots_[i].key != kFree && slots_[i].key != key_of(left, right)) i = next(i);
    slots_[i] = {key_of(left, right), merge};
  }

  Merge find(int32_t left, int32_t right) const noexcept {
    const uint64_t key = key_of(left, right);
    for (size_t i = slot_of(key);; i = next(i)) {
      if (slots_[i].key == key) return slots_[i].merge;
      if (slots_[i].key == kFree) return {};
    }
  }

 private:
  static constexpr uint64_t kFree = ~uint64_t{0};  // no pair of ids is this
  struct Slot {
    uint64_t key = kFree;
    Merge merge;
  };

  static uint64_t key_of(int32_t left, int32_t right) noexcept {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  size_t slot_of(uint64_t key) const noexcept {
    return static_cast<size_t>((key * 0x9E3779B97F4A7C15u) >> 32) & (slots_.size() - 1);
  }
  size_t next(size_t i) const noexcept { return (i + 1) & (slots_.size() - 1); }

  std::vector<Slot> slots_;
};

}  // namespace neural_engine
