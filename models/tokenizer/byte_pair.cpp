// Byte-pair encoding. A word starts as its characters; as long as two neighbours can be merged, the merge that was
// learnt first is done, the leftmost of equals first.
//
// Short words look for that merge by going through all pairs: no allocation, and faster than a heap up to some dozens
// of symbols. Long ones keep the candidates in a heap, so that a text without spaces costs n log n and not n squared.
#include <algorithm>
#include <array>
#include <queue>
#include <unordered_map>

#include "base/error.h"
#include "models/tokenizer/merge_table.h"
#include "models/tokenizer/model.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

constexpr size_t kShortWord = 32;
constexpr char32_t kTable = 0x180;  // ByteAlphabet and Latin by table

// A symbol of the word and the bytes of UTF-8 that it stands for. Bytes, as a character can be several symbols.
struct Symbol {
  int32_t id;
  uint32_t bytes;
};

// Symbols in a list, for long words: merged ones leave holes.
struct LinkedSymbol {
  Symbol symbol;
  int32_t previous, next;
};

struct Candidate {
  int32_t rank;
  int32_t position;
  int32_t id;
  bool operator<(const Candidate& other) const {  // a max-heap: the best is the largest
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

class BytePair final : public TokenModel {
 public:
  BytePair(Vocabulary vocabulary, const BytePairOptions& options);
  void tokenize(std::u32string_view word, std::vector<ModelToken>& out) const override;

 private:
  void load_merges(const BytePairOptions& options);
  void load_bytes();
  int32_t find(char32_t c, bool first, bool last) const;
  template <class Add>
  void split(std::u32string_view word, Add add) const;
  size_t merge_short(Symbol* symbols, size_t count) const;
  void merge_long(std::vector<Symbol>& symbols) const;
  static void emit(std::u32string_view word, const Symbol* symbols, size_t count, std::vector<ModelToken>& out);

  MergeTable merges_;
  std::array<int32_t, kTable> table_{};
  std::unordered_map<char32_t, int32_t> characters_;  // those beyond the table
  std::array<int32_t, 256> bytes_{};                  // ids of <0x00>..<0xFF>, -1 = none
  int32_t unk_ = -1;
  std::string prefix_, suffix_;
  bool fuse_unk_, byte_fallback_, ignore_merges_;
};

BytePair::BytePair(Vocabulary vocabulary, const BytePairOptions& options)
    : TokenModel(std::move(vocabulary)),
      merges_(options.merges.size()),
      prefix_(options.continuing_subword_prefix),
      suffix_(options.end_of_word_suffix),
      fuse_unk_(options.fuse_unk),
      byte_fallback_(options.byte_fallback),
      ignore_merges_(options.ignore_merges) {
  if (options.unk_token) {
    unk_ = vocabulary_.find(*options.unk_token);
    if (unk_ < 0) {
      fail(Code::kInvalidData, "the unknown token \"", *options.unk_token, "\" is not in the vocabulary of ",
           vocabulary_.size(), " tokens");
    }
  }
  table_.fill(-1);
  vocabulary_.for_each([&](const std::string& token, int32_t id) {
    if (token.empty()) return;
    char32_t c;
    if (utf8::decode(token, 0, &c) != token.size()) return;
    if (c < kTable) {
      table_[c] = id;
    } else {
      characters_.emplace(c, id);
    }
  });
  load_merges(options);
  load_bytes();
}

void BytePair::load_merges(const BytePairOptions& options) {
  int32_t rank = 0;
  const auto id_of = [&](const std::string& token) {
    const int32_t id = vocabulary_.find(token);
    if (id < 0) {
      fail(Code::kInvalidData, "merge ", rank, ": the token \"", token, "\" is not in the vocabulary of ",
           vocabulary_.size(), " tokens");
    }
    return id;
  };
  for (const auto& [left, right] : options.merges) {
    if (right.compare(0, prefix_.size(), prefix_) != 0) {
      fail(Code::kInvalidData, "merge ", rank, ": \"", right, "\" does not begin with the prefix \"", prefix_, "\"");
    }
    const int32_t left_id = id_of(left);
    const int32_t right_id = id_of(right);
    merges_.add(left_id, right_id, {rank, id_of(left + right.substr(prefix_.size()))});
    ++rank;
  }
}

void BytePair::load_bytes() {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (size_t b = 0; b < 256; ++b) {
    bytes_[b] = vocabulary_.find(std::string("<0x") + kHex[b >> 4] + kHex[b & 15] + '>');
  }
}

int32_t BytePair::find(char32_t c, bool first, bool last) const {
  if ((first || prefix_.empty()) && (!last || suffix_.empty())) {
    if (c < kTable) return table_[c];
    const auto it = characters_.find(c);
    return it == characters_.end() ? -1 : it->second;
  }
  std::string text = first ? std::string() : prefix_;
  utf8::append(text, c);
  if (last) text += suffix_;
  return vocabulary_.find(text);
}

// Gives the first symbols of the word to add(id, bytes). The order is the reference's, which matters where byte
// fallback meets an unknown character that waits to be fused: the bytes overtake it.
template <class Add>
void BytePair::split(std::u32string_view word, Add add) const {
  uint32_t unknown_bytes = 0;
  const auto flush = [&] {
    if (unknown_bytes != 0) add(unk_, unknown_bytes);
    unknown_bytes = 0;
  };
  for (size_t i = 0; i < word.size(); ++i) {
    const uint32_t length = utf8::length(word[i]);
    const bool last = i + 1 == word.size();
    if (const int32_t id = find(word[i], i == 0, last); id >= 0) {
      flush();
      add(id, length);
      continue;
    }
    if (byte_fallback_) {
      std::string text = i == 0 ? std::string() : prefix_;
      utf8::append(text, word[i]);
      if (last) text += suffix_;
      const auto id_of = [&](char byte) { return bytes_[static_cast<uint8_t>(byte)]; };
      if (std::all_of(text.begin(), text.end(), [&](char byte) { return id_of(byte) >= 0; })) {
        for (const char byte : text) add(id_of(byte), 1);
        continue;
      }
    }
    if (unk_ < 0) continue;
    if (!fuse_unk_) flush();
    unknown_bytes += length;
  }
  flush();
}

size_t BytePair::merge_short(Symbol* symbols, size_t count) const {
  std::array<MergeTable::Merge, kShortWord> pairs;  // pairs[i]: the merge of i and i + 1
  for (size_t i = 0; i + 1 < count; ++i) pairs[i] = merges_.find(symbols[i].id, symbols[i + 1].id);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (pairs[i].rank < pairs[best].rank) best = i;
    }
    if (pairs[best].id < 0) break;
    symbols[best] = {pairs[best].id, symbols[best].bytes + symbols[best + 1].bytes};
    std::copy(symbols + best + 2, symbols + count, symbols + best + 1);
    if (best + 2 < count) std::copy(pairs.begin() + best + 2, pairs.begin() + count - 1, pairs.begin() + best + 1);
    --count;
    if (best > 0) pairs[best - 1] = merges_.find(symbols[best - 1].id, symbols[best].id);
    if (best + 1 < count) pairs[best] = merges_.find(symbols[best].id, symbols[best + 1].id);
  }
  return count;
}

void BytePair::merge_long(std::vector<Symbol>& symbols) const {
  const auto count = static_cast<int32_t>(symbols.size());
  std::vector<LinkedSymbol> list(symbols.size());
  std::vector<Candidate> candidates;
  const auto at = [&](int32_t i) -> LinkedSymbol& { return list[static_cast<size_t>(i)]; };
  for (int32_t i = 0; i < count; ++i) at(i) = {symbols[static_cast<size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1};
  for (int32_t i = 0; i + 1 < count; ++i) {
    const MergeTable::Merge merge = merges_.find(at(i).symbol.id, at(i + 1).symbol.id);
    if (merge.id >= 0) candidates.push_back({merge.rank, i, merge.id});
  }
  std::priority_queue<Candidate> queue(std::less<Candidate>(), std::move(candidates));
  const auto offer = [&](int32_t left, int32_t right) {
    const MergeTable::Merge merge = merges_.find(at(left).symbol.id, at(right).symbol.id);
    if (merge.id >= 0) queue.push({merge.rank, left, merge.id});
  };
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    LinkedSymbol& left = at(top.position);
    if (left.symbol.bytes == 0 || left.next < 0) continue;
    LinkedSymbol& right = at(left.next);
    // An older candidate: its symbols have been merged with others since.
    if (merges_.find(left.symbol.id, right.symbol.id).id != top.id) continue;
    left.symbol = {top.id, left.symbol.bytes + right.symbol.bytes};
    right.symbol.bytes = 0;
    left.next = right.next;
    if (left.next >= 0) at(left.next).previous = top.position;
    if (left.previous >= 0) offer(left.previous, top.position);
    if (left.next >= 0) offer(top.position, left.next);
  }
  symbols.clear();
  for (int32_t i = list.empty() ? -1 : 0; i >= 0; i = at(i).next) symbols.push_back(at(i).symbol);
}

// Counts bytes along the word to find the characters of each symbol.
void BytePair::emit(std::u32string_view word, const Symbol* symbols, size_t count, std::vector<ModelToken>& out) {
  uint32_t at = 0;        // the character that holds byte `byte`
  uint32_t at_begin = 0;  // its first byte
  uint32_t byte = 0;
  const auto seek = [&](uint32_t target) {
    while (at + 1 < word.size() && at_begin + utf8::length(word[at]) <= target) at_begin += utf8::length(word[at++]);
  };
  for (size_t i = 0; i < count; ++i) {
    seek(byte);
    const uint32_t begin = at;
    byte += symbols[i].bytes;
    seek(byte - 1);
    out.push_back({symbols[i].id, begin, at + 1});
  }
}

void BytePair::tokenize(std::u32string_view word, std::vector<ModelToken>& out) const {
  if (ignore_merges_) {
    if (const int32_t id = vocabulary_.find(utf8::encode(word)); id >= 0) {
      out.push_back({id, 0, static_cast<uint32_t>(word.size())});
      return;
    }
  }
  // With byte fallback a character is up to four symbols, and with a prefix more: such words take the long way.
  if (word.size() <= kShortWord && !byte_fallback_) {
    std::array<Symbol, kShortWord> symbols;
    size_t count = 0;
    split(word, [&](int32_t id, uint32_t bytes) { symbols[count++] = {id, bytes}; });
    count = merge_short(symbols.data(), count);
    emit(word, symbols.data(), count, out);
    return;
  }
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  split(word, [&](int32_t id, uint32_t bytes) { symbols.push_back({id, bytes}); });
  if (symbols.size() <= kShortWord) {
    symbols.resize(merge_short(symbols.data(), symbols.size()));
  } else {
    merge_long(symbols);
  }
  emit(word, symbols.data(), symbols.size(), out);
}

}  // namespace

TokenModelPtr make_byte_pair(Vocabulary vocabulary, const BytePairOptions& options) {
  return std::make_unique<BytePair>(std::move(vocabulary), options);
}

}  // namespace neural_engine
