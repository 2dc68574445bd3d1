// What the text pipelines share: from texts to the inputs of a model.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/tokenizer/tokenizer.h"
#include "neural_engine/text.h"

namespace neural_engine {

inline constexpr int64_t kDefaultMaxLength = 512;

// Where the tokenizer of a model lies: beside its file, or in the folder that is the model.
std::string text_folder(const std::string& model_path);
void check_text_options(const TextOptions& options);
// The batch as the model's inputs, in their order; Error(kUnsupported) for one that text does not give.
std::vector<Tensor> text_inputs(const Batch& batch, const std::vector<TensorInfo>& inputs);
// Indices of the rows; for batches of several, rows of similar length side by side, so that little padding is
// computed. Bytes stand for tokens.
std::vector<size_t> by_length(std::span<const std::string> texts, std::span<const std::string> pairs,
                              int64_t batch_size);

}  // namespace neural_engine
