// What a Tokenizer is made of. Filled by tokenizer_load.cpp, used by tokenizer.cpp.
#pragma once

#include <optional>

#include "models/tokenizer/added_tokens.h"
#include "models/tokenizer/decoder.h"
#include "models/tokenizer/model.h"
#include "models/tokenizer/normalizer.h"
#include "models/tokenizer/post_processor.h"
#include "models/tokenizer/pre_tokenizer.h"
#include "models/tokenizer/tokenizer.h"

namespace neural_engine {

struct Tokenizer::Parts {
  NormalizerPtr normalizer;       // may be nullptr
  PreTokenizerPtr pre_tokenizer;  // may be nullptr
  TokenModelPtr model;
  AddedTokens added;
  PostProcessor post_processor;
  DecoderPtr decoder;
  std::optional<Truncation> truncation;
  std::optional<Padding> padding;
  std::optional<int64_t> model_max_length;
  std::optional<int64_t> pad_id;
};

}  // namespace neural_engine
