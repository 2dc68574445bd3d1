#include "models/text_inputs.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "base/error.h"

namespace neural_engine {

namespace {

// The batch's values in the dtype that the model declares.
Tensor to_tensor(const std::vector<int64_t>& values, const Batch& batch, const TensorInfo& input) {
  const Shape shape = {batch.rows, batch.columns};
  if (input.dtype == DType::kS64) return Tensor::of<int64_t>(shape, values);
  if (input.dtype == DType::kS32) return Tensor::of<int32_t>(shape, std::vector<int32_t>(values.begin(), values.end()));
  fail(Code::kUnsupported, "input \"", input.name, "\" has dtype ", to_string(input.dtype),
       ", a text model's is s64 or s32");
}

Tensor make_input(const Batch& batch, const TensorInfo& input) {
  if (input.name == "input_ids") return to_tensor(batch.ids, batch, input);
  if (input.name == "attention_mask") return to_tensor(batch.attention_mask, batch, input);
  if (input.name == "token_type_ids") return to_tensor(batch.type_ids, batch, input);
  fail(Code::kUnsupported, "input \"", input.name,
       "\" is not one that text gives: input_ids, attention_mask, token_type_ids");
}

}  // namespace

std::string text_folder(const std::string& model_path) {
  if (std::filesystem::is_directory(model_path)) return model_path;
  const std::string folder = std::filesystem::path(model_path).parent_path().string();
  return folder.empty() ? "." : folder;
}

void check_text_options(const TextOptions& options) {
  require(options.batch_size >= 1, Code::kInvalidArgument, "batch size ", options.batch_size,
          " found, at least 1 expected");
  require(options.max_length >= 0, Code::kInvalidArgument, "max_length ", options.max_length, " is negative");
}

std::vector<Tensor> text_inputs(const Batch& batch, const std::vector<TensorInfo>& inputs) {
  std::vector<Tensor> result;
  for (const TensorInfo& input : inputs) result.push_back(make_input(batch, input));
  return result;
}

std::vector<size_t> by_length(std::span<const std::string> texts, std::span<const std::string> pairs,
                              int64_t batch_size) {
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto length = [&](size_t i) { return texts[i].size() + (pairs.empty() ? 0 : pairs[i].size()); };
  if (batch_size > 1) {
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return length(a) < length(b); });
  }
  return order;
}

}  // namespace neural_engine
