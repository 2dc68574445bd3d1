#include "models/text_encoder.h"

#include "base/error.h"
#include "models/text_inputs.h"

namespace neural_engine {

TextEncoder::TextEncoder(const std::string& model_path, int64_t max_length)
    : tokenizer_(Tokenizer::load(text_folder(model_path))), max_length_(max_length) {
  check_text_options({.max_length = max_length});
  if (max_length_ == 0) max_length_ = tokenizer_->model_max_length().value_or(kDefaultMaxLength);
}

TextEncoder::~TextEncoder() = default;

std::vector<Tensor> TextEncoder::encode(std::span<const std::string> texts, std::span<const std::string> pairs,
                                        const std::vector<TensorInfo>& inputs, int64_t multiple_of) const {
  EncodeOptions encode;
  encode.truncation = Truncation{.max_length = max_length_};
  encode.padding = Padding{.multiple_of = multiple_of};
  return text_inputs(tokenizer_->encode_batch(texts, pairs, encode), inputs);
}

}  // namespace neural_engine
