// Post-processing: special tokens around the texts, and offsets without the spaces that byte-level tokens carry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/tokenizer/encoding.h"

namespace neural_engine {

// A part of a template: one of the texts, or special tokens.
struct TemplatePart {
  int32_t sequence = -1;     // 0, 1, or -1 for special tokens
  std::vector<int64_t> ids;  // the special tokens
  int64_t type_id = 0;
};

struct PostProcessor {
  // How a text, or a text and its pair, become one row.
  std::vector<TemplatePart> single = {{0, {}, 0}};
  std::vector<TemplatePart> pair = {{0, {}, 0}, {1, {}, 1}};
  bool trim_offsets = false;      // take white space off the offsets
  bool add_prefix_space = false;  // ... but not the space that was put before the first word

  // The special tokens that one row gets.
  int64_t added_tokens(bool is_pair) const;

  // `second` may be nullptr.
  Encoding apply(const TokenSequence& first, const TokenSequence* second, bool add_special_tokens) const;
};

}  // namespace neural_engine
