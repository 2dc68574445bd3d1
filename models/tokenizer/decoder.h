// Decoders: how tokens become text again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/tokenizer/regex.h"

namespace neural_engine {

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Rewrites the tokens; what is left at the end is joined without spaces.
  virtual void apply(std::vector<std::string>& tokens) const = 0;
};

using DecoderPtr = std::unique_ptr<const Decoder>;

DecoderPtr make_byte_level_decoder();
DecoderPtr make_word_piece_decoder(std::string prefix, bool cleanup);
DecoderPtr make_metaspace_decoder(char32_t replacement, bool prepended);
DecoderPtr make_bpe_decoder(std::string suffix);
DecoderPtr make_byte_fallback_decoder();
DecoderPtr make_fuse_decoder();
DecoderPtr make_strip_decoder(char32_t content, int64_t start, int64_t stop);
DecoderPtr make_replace_decoder(Regex pattern, std::u32string content);
DecoderPtr make_join_decoder(std::string separator);  // when the file names no decoder
DecoderPtr make_decoder_sequence(std::vector<DecoderPtr> parts);

}  // namespace neural_engine
