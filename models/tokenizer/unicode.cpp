#include "models/tokenizer/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <vector>

namespace neural_engine::unicode {
namespace {

#include "models/tokenizer/unicode_tables.inc"

constexpr uint32_t kBlock = 256;
constexpr uint32_t kBlocks = (kLastCodePoint + 1) / kBlock;

// Two stages: the block of a code point, then its place in the block. Most of the 4352 blocks are alike (unassigned,
// ideographs, private use), so about 200 distinct ones of 512 bytes remain.
class PropertyTable {
 public:
  PropertyTable() {
    std::map<std::vector<uint16_t>, uint16_t> known;
    std::vector<uint16_t> block;
    block.reserve(kBlock);
    size_t next = 0;
    for (const auto& [length, value] : kPropertyRuns) {
      for (uint32_t i = 0; i < length; ++i) {
        block.push_back(static_cast<uint16_t>(value));
        if (block.size() < kBlock) continue;
        const auto [it, added] = known.emplace(block, static_cast<uint16_t>(known.size()));
        if (added) values_.insert(values_.end(), block.begin(), block.end());
        blocks_[next++] = it->second;
        block.clear();
      }
    }
  }

  uint16_t operator[](char32_t c) const { return values_[blocks_[c / kBlock] * kBlock + c % kBlock]; }

 private:
  std::array<uint16_t, kBlocks> blocks_{};
  std::vector<uint16_t> values_;
};

// Unpacked at the first call; constant from then on.
const PropertyTable& table() {
  static const PropertyTable instance;
  return instance;
}

}  // namespace

uint16_t properties(char32_t c) noexcept { return c <= kLastCodePoint ? table()[c] : 0; }

char32_t lower(char32_t c, char32_t* second) noexcept {
  *second = 0;
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  if (c == 0x130) {
    *second = 0x307;
    return 'i';
  }
  const auto value = static_cast<int32_t>(c);
  const auto* run = std::upper_bound(std::begin(kLowerRuns), std::end(kLowerRuns), value,
                                     [](int32_t v, const int32_t(&r)[4]) { return v < r[0]; });
  if (run == std::begin(kLowerRuns)) return c;
  const auto& [first, last, step, difference] = *(run - 1);
  return value <= last && (value - first) % step == 0 ? static_cast<char32_t>(value + difference) : c;
}

uint8_t combining_class(char32_t c) noexcept {
  // Combining classes never change once assigned, so any later version of Unicode has those of version 9.
  if (!has(c, kNormalizes)) return 0;
  return static_cast<uint8_t>(utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class);
}

}  // namespace neural_engine::unicode
