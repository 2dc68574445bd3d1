#include "models/tokenizer/trie.h"

namespace neural_engine {

void Trie::grow() {
  std::vector<Slot> old(slots_.empty() ? 64 : slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.key == 0) continue;
    size_t i = slot_of(slot.key);
    while (slots_[i].key != 0) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = slot;
  }
}

bool Trie::insert(std::u32string_view word, int32_t value) {
  uint32_t node = kRoot;
  for (const char32_t c : word) {
    if (const uint32_t below = child(node, c)) {
      node = below;
      continue;
    }
    // At most half full, so that a search for what is not there ends soon.
    if (values_.size() * 2 >= slots_.size()) grow();
    const uint64_t key = key_of(node, c);
    size_t i = slot_of(key);
    while (slots_[i].key != 0) i = (i + 1) & (slots_.size() - 1);
    node = static_cast<uint32_t>(values_.size());
    slots_[i] = {key, node};
    values_.push_back(kNone);
  }
  if (values_[node] != kNone) return false;
  values_[node] = value;
  return true;
}

}  // namespace neural_engine
