// Pre-tokenizers: how a normalized text is cut into words before the model sees it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/tokenizer/pieces.h"
#include "models/tokenizer/regex.h"

namespace neural_engine {

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(Pieces& pieces) const = 0;
};

using PreTokenizerPtr = std::unique_ptr<const PreTokenizer>;

enum class PrependScheme { kAlways, kFirst, kNever };

PreTokenizerPtr make_bert_pre_tokenizer();
// GPT-2: an optional space before the first word, its regular expression, then bytes as ByteAlphabet.
PreTokenizerPtr make_byte_level(bool add_prefix_space, bool use_regex);
PreTokenizerPtr make_whitespace();        // words and runs of symbols
PreTokenizerPtr make_whitespace_split();  // at white space alone
PreTokenizerPtr make_digits(bool individual);
PreTokenizerPtr make_punctuation(SplitBehavior behavior);
PreTokenizerPtr make_split(Regex pattern, SplitBehavior behavior, bool invert);
PreTokenizerPtr make_char_delimiter_split(char32_t delimiter);
// SentencePiece: spaces become `replacement`, one is put in front, and words begin with it.
PreTokenizerPtr make_metaspace(char32_t replacement, PrependScheme scheme, bool split);
PreTokenizerPtr make_pre_tokenizer_sequence(std::vector<PreTokenizerPtr> parts);

}  // namespace neural_engine
