// Tokens that are found in the text itself, before any model sees it: "[SEP]", "<|end|>".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "models/tokenizer/normalizer.h"
#include "models/tokenizer/pieces.h"
#include "models/tokenizer/trie.h"
#include "models/tokenizer/vocabulary.h"

namespace neural_engine {

struct AddedToken {
  std::string content;
  bool single_word = false;  // not within a word
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // ... and after it
  bool normalized = false;   // looked for in the normalized text, else in the text as given
  bool special = false;      // left out by decode(skip_special_tokens)
};

class AddedTokens {
 public:
  // Ids are those of the vocabulary, or for new tokens the next free ones, in order. `normalizer` may be nullptr.
  // Throws kInvalidData for an empty token, kUnsupported for one that normalizes to nothing or is too long.
  AddedTokens() = default;
  AddedTokens(const std::vector<AddedToken>& tokens, const Vocabulary& vocabulary, const Normalizer* normalizer);

  // Cuts the added tokens out of the text and normalizes what is between them.
  Pieces extract(std::string_view text, const Normalizer* normalizer) const;

  // -1 / nullptr when it is no added token.
  int32_t find(std::string_view content) const;
  const AddedToken* token(int64_t id) const;
  bool is_special(std::string_view content) const { return specials_.count(std::string(content)) != 0; }
  int64_t max_id() const { return by_id_.empty() ? -1 : by_id_.rbegin()->first; }

 private:
  // The trie, and a quick refusal of most characters as the begin of a token.
  struct Matcher {
    Trie trie;
    bool ascii[128] = {};
    bool other = false;

    void insert(std::u32string_view word, int32_t id);
    bool may_begin(char32_t c) const { return c < 128 ? ascii[c] : other; }
  };

  void cut(const AlignedText& text, const Matcher& matcher, std::vector<Piece>& out) const;

  std::map<std::string, int32_t, std::less<>> ids_;
  std::map<int64_t, AddedToken> by_id_;
  std::unordered_set<std::string> specials_;
  Matcher raw_, normalized_;
};

}  // namespace neural_engine
