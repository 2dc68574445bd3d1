// The models: how one word becomes tokens of the vocabulary.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/tokenizer/vocabulary.h"

namespace neural_engine {

// A token and the characters [begin, end) of the word that it stands for.
struct ModelToken {
  int32_t id;
  uint32_t begin, end;
};

class TokenModel {
 public:
  explicit TokenModel(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  virtual ~TokenModel() = default;

  // Appends the tokens of a word, which is not empty.
  virtual void tokenize(std::u32string_view word, std::vector<ModelToken>& out) const = 0;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 protected:
  Vocabulary vocabulary_;
};

using TokenModelPtr = std::unique_ptr<const TokenModel>;

struct WordPieceOptions {
  std::string unk_token = "[UNK]";
  std::string continuing_subword_prefix = "##";
  int64_t max_input_chars_per_word = 100;  // longer words are unknown
};

// Throws kInvalidData when the vocabulary lacks the unknown token.
TokenModelPtr make_word_piece(Vocabulary vocabulary, const WordPieceOptions& options);

struct BytePairOptions {
  std::vector<std::pair<std::string, std::string>> merges;  // first = first to be merged
  std::optional<std::string> unk_token;                     // not given: unknown characters vanish
  std::string continuing_subword_prefix;
  std::string end_of_word_suffix;
  bool fuse_unk = false;
  bool byte_fallback = false;  // unknown characters become <0x00>..<0xFF>
  bool ignore_merges = false;  // a word that is a token is that token
};

// Throws kInvalidData when a merge or the unknown token is not in the vocabulary.
TokenModelPtr make_byte_pair(Vocabulary vocabulary, const BytePairOptions& options);

struct UnigramOptions {
  std::vector<double> scores;  // by id
  std::optional<int64_t> unk_id;
  bool byte_fallback = false;
};

// `pieces` in order of their ids, texts may repeat. Throws kInvalidData for an unknown id out of range.
TokenModelPtr make_unigram(const std::vector<std::string>& pieces, const UnigramOptions& options);

}  // namespace neural_engine
