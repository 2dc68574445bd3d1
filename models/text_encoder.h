// Texts as a text model's inputs.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "neural_engine/model.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

class Tokenizer;

class TextEncoder {
 public:
  // The tokenizer lies beside the model, or in the folder that is the model. `max_length`: tokens of a row at most,
  // longer texts are truncated; 0: what the tokenizer says, else 512.
  TextEncoder(const std::string& model_path, int64_t max_length);
  ~TextEncoder();

  // One tensor [rows, tokens] per input, as text_inputs() has them. Rows are padded to the longest, rounded up to a
  // multiple of `multiple_of` tokens. `pairs` is empty or has one second text per text.
  std::vector<Tensor> encode(std::span<const std::string> texts, std::span<const std::string> pairs,
                             const std::vector<TensorInfo>& inputs, int64_t multiple_of = 1) const;

 private:
  std::unique_ptr<Tokenizer> tokenizer_;
  int64_t max_length_;
};

}  // namespace neural_engine
