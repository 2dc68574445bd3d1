// The parts of a tokenizer.json, read strictly: each part, setting and type is honoured or refused by name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/tokenizer/added_tokens.h"
#include "models/tokenizer/decoder.h"
#include "models/tokenizer/json_object.h"
#include "models/tokenizer/model.h"
#include "models/tokenizer/normalizer.h"
#include "models/tokenizer/post_processor.h"
#include "models/tokenizer/pre_tokenizer.h"

namespace neural_engine {

NormalizerPtr read_normalizer(const Json& value, const std::string& path);
PreTokenizerPtr read_pre_tokenizer(const Json& value, const std::string& path);
TokenModelPtr read_model(const Json& value, const std::string& path);
DecoderPtr read_decoder(const Json& value, const std::string& path);

PostProcessor read_post_processor(const Json& value, const std::string& path);

struct AddedTokenEntry {
  AddedToken token;
  int64_t id;
};
std::vector<AddedTokenEntry> read_added_tokens(const Json& value, const std::string& path);

Truncation read_truncation(const Json& value, const std::string& path);
Padding read_padding(const Json& value, const std::string& path);

// Shared by normalizers, pre-tokenizers and decoders: {"String": "..."} or {"Regex": "..."}.
Regex read_pattern(const Json& value, const std::string& path);
SplitBehavior read_behavior(const std::string& name, const std::string& path);

}  // namespace neural_engine
