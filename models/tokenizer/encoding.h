// What a tokenizer gives: token ids and where they come from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/tokenizer/aligned_text.h"

namespace neural_engine {

// One tokenized text or pair; all vectors have the same length. Ids are int64_t, as ONNX models take them.
struct Encoding {
  std::vector<int64_t> ids;
  std::vector<int64_t> type_ids;
  std::vector<int64_t> attention_mask;  // 0 for padding
  std::vector<Span> offsets;            // bytes of the text that the token comes from; {0, 0} for special tokens
  std::vector<int32_t> sequence_ids;    // 0 = the text, 1 = its pair, -1 = neither (special tokens, padding)
  std::vector<int32_t> word_ids;        // the word within its text, -1 for special tokens and padding

  size_t size() const { return ids.size(); }
  void push_back(int64_t id, int64_t type_id, Span offset, int32_t sequence_id, int32_t word_id) {
    ids.push_back(id);
    type_ids.push_back(type_id);
    attention_mask.push_back(1);
    offsets.push_back(offset);
    sequence_ids.push_back(sequence_id);
    word_ids.push_back(word_id);
  }
};

enum class Side { kLeft, kRight };

enum class TruncationStrategy {
  kLongestFirst,  // shortens the longer of text and pair, then both
  kOnlyFirst,
  kOnlySecond,
};

struct Truncation {
  int64_t max_length = 512;  // special tokens included
  TruncationStrategy strategy = TruncationStrategy::kLongestFirst;
  int64_t stride = 0;        // tokens that a window shares with the one before it (encode_windows)
  Side side = Side::kRight;  // which end is cut
};

enum class PaddingStrategy {
  kNone,     // all rows must have the same length
  kLongest,  // to the longest row of the batch
  kFixed,    // to `length`; longer rows stay, and make the others as long
};

struct Padding {
  PaddingStrategy strategy = PaddingStrategy::kLongest;
  int64_t length = 0;                            // kFixed
  int64_t multiple_of = 1;                       // round the length up
  Side side = Side::kRight;                      // where padding is put
  std::optional<int64_t> pad_id = std::nullopt;  // not given: the file's, or that of its padding token
  int64_t pad_type_id = 0;
};

// Appends (or prepends) padding up to `length`; nothing when it is that long already.
void pad(Encoding& encoding, int64_t length, const Padding& padding, int64_t pad_id);

// White space at both ends of a token, which byte-level post-processing takes off its offsets.
struct Spaces {
  uint32_t leading = 0;  // characters
  uint32_t leading_bytes = 0, trailing_bytes = 0;
};

// Tokens of one text before special tokens are put around them.
struct TokenSequence {
  std::vector<int64_t> ids;
  std::vector<Span> offsets;
  std::vector<int32_t> word_ids;
  std::vector<Spaces> spaces;  // empty where nothing is trimmed

  size_t size() const { return ids.size(); }
  TokenSequence slice(size_t begin, size_t end) const;
};

// Half-open ranges of tokens, the first of which is what truncation keeps.
struct TokenRange {
  size_t begin, end;
};

// The windows of at most `length` tokens that cover `size` tokens, each sharing `stride` with the one before. `length`
// 0 gives one empty window. Requires stride < length (kInvalidArgument).
std::vector<TokenRange> windows(size_t size, size_t length, size_t stride, Side side);

// How many tokens of the text and of its pair (nullopt: there is none) may stay so that both have at most `limit`.
// Throws kInvalidArgument where the strategy cannot do it.
struct Lengths {
  size_t first, second;
};
Lengths truncated_lengths(size_t first, std::optional<size_t> second, size_t limit, TruncationStrategy strategy);

}  // namespace neural_engine
