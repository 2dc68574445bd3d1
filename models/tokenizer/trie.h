// A set of words with numbers, searched from a position of a text for the words that begin there.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace neural_engine {

// Edges live in one hash table keyed by (node, character): a walk costs one probe a character, whatever the alphabet.
class Trie {
 public:
  static constexpr int32_t kNone = -1;
  static constexpr uint32_t kRoot = 0;

  // The first value given for a word stays. Returns false when the word was there.
  bool insert(std::u32string_view word, int32_t value);

  // The node below `node` along c, or 0 (no edge leads to the root).
  uint32_t child(uint32_t node, char32_t c) const noexcept {
    if (slots_.empty()) return 0;
    const uint64_t key = key_of(node, c);
    for (size_t i = slot_of(key);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].key == key) return slots_[i].node;
      if (slots_[i].key == 0) return 0;
    }
  }
  int32_t value(uint32_t node) const noexcept { return values_[node]; }

  // The longest word that is a prefix of `text`: its value (kNone when there is none) and length.
  int32_t longest(std::u32string_view text, size_t* length, uint32_t from = kRoot) const noexcept {
    int32_t best = kNone;
    uint32_t node = from;
    for (size_t i = 0; i < text.size(); ++i) {
      node = child(node, text[i]);
      if (node == 0) break;
      if (values_[node] == kNone) continue;
      best = values_[node];
      *length = i + 1;
    }
    return best;
  }

  bool empty() const { return values_.size() == 1; }

 private:
  struct Slot {
    uint64_t key = 0;  // 0 = free
    uint32_t node = 0;
  };

  // Characters have 21 bits; + 1 keeps (root, U+0000) from being 0.
  static uint64_t key_of(uint32_t node, char32_t c) noexcept { return (uint64_t{node} << 21 | c) + 1; }
  size_t slot_of(uint64_t key) const noexcept {
    return static_cast<size_t>((key * 0x9E3779B97F4A7C15u) >> 32) & (slots_.size() - 1);
  }
  void grow();

  std::vector<Slot> slots_;
  std::vector<int32_t> values_ = {kNone};  // by node
};

}  // namespace neural_engine
