#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "base/error.h"
#include "models/labels.h"
#include "models/tokenizer/tokenizer.h"
#include "neural_engine/text.h"

namespace neural_engine {

namespace {

constexpr int64_t kDefaultMaxLength = 512;

std::string folder_of_model(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

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

std::vector<float> softmax(const float* logits, int64_t count) {
  std::vector<float> result(logits, logits + count);
  const float largest = *std::max_element(result.begin(), result.end());
  float sum = 0;
  for (float& value : result) sum += value = std::exp(value - largest);
  for (float& value : result) value /= sum;
  return result;
}

}  // namespace

struct TextClassifier::Impl {
  Impl(const std::string& path, const TextOptions& text_options, const SessionOptions& session_options)
      : options(text_options),
        tokenizer(Tokenizer::load(folder_of_model(path))),
        labels(read_labels(folder_of_model(path))),
        session(Model::load(path), session_options) {
    require(options.batch_size >= 1, Code::kInvalidArgument, "batch size ", options.batch_size,
            " found, at least 1 expected");
    require(options.max_length >= 0, Code::kInvalidArgument, "max_length ", options.max_length, " is negative");
    if (options.max_length == 0) options.max_length = tokenizer->model_max_length().value_or(kDefaultMaxLength);
  }

  // Appends the answers of one batch; `rows` are indices into `results`.
  void run(std::span<const std::string> texts, std::span<const std::string> pairs, std::span<const size_t> rows,
           std::vector<Classification>& results) {
    std::vector<std::string> batch_texts, batch_pairs;
    for (size_t row : rows) {
      batch_texts.push_back(texts[row]);
      if (!pairs.empty()) batch_pairs.push_back(pairs[row]);
    }
    EncodeOptions encode;
    encode.truncation = Truncation{.max_length = options.max_length};
    const Batch batch = tokenizer->encode_batch(batch_texts, batch_pairs, encode);
    std::vector<Tensor> inputs;
    for (const TensorInfo& input : session.model().inputs()) inputs.push_back(make_input(batch, input));
    const Tensor logits = session.run(inputs).at(0);
    if (logits.dtype() != DType::kF32 || logits.rank() != 2 || logits.dim(0) != batch.rows || logits.dim(1) < 1) {
      fail(Code::kUnsupported, "the model's first output is ", to_string(logits.dtype()), to_string(logits.shape()),
           ", a classifier's is f32[rows,labels]");
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      results[rows[i]] = interpret(logits.data<float>() + static_cast<int64_t>(i) * logits.dim(1), logits.dim(1));
    }
  }

  Classification interpret(const float* logits, int64_t count) const {
    Classification answer;
    if (count == 1) {
      answer.scores = {logits[0]};
      answer.score = logits[0];
    } else {
      answer.scores = softmax(logits, count);
      answer.label = std::max_element(logits, logits + count) - logits;
      answer.score = answer.scores[static_cast<size_t>(answer.label)];
    }
    const size_t index = static_cast<size_t>(answer.label);
    answer.name = index < labels.size() ? labels[index] : "LABEL_" + std::to_string(answer.label);
    return answer;
  }

  TextOptions options;
  std::unique_ptr<Tokenizer> tokenizer;
  std::vector<std::string> labels;
  Session session;
};

TextClassifier::TextClassifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TextClassifier::TextClassifier(TextClassifier&&) noexcept = default;
TextClassifier::~TextClassifier() = default;

TextClassifier TextClassifier::load(const std::string& model_path, const TextOptions& options,
                                    const SessionOptions& session) {
  return TextClassifier(std::make_unique<Impl>(model_path, options, session));
}

std::vector<Classification> TextClassifier::classify(std::span<const std::string> texts,
                                                     std::span<const std::string> pairs) {
  require(pairs.empty() || pairs.size() == texts.size(), Code::kInvalidArgument, texts.size(), " texts and ",
          pairs.size(), " second texts given");
  // Rows of similar length share a batch, so that little padding is computed. Bytes stand for tokens.
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto length = [&](size_t i) { return texts[i].size() + (pairs.empty() ? 0 : pairs[i].size()); };
  if (impl_->options.batch_size > 1) {
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return length(a) < length(b); });
  }
  std::vector<Classification> results(texts.size());
  const size_t step = static_cast<size_t>(impl_->options.batch_size);
  for (size_t begin = 0; begin < order.size(); begin += step) {
    impl_->run(texts, pairs, std::span(order).subspan(begin, std::min(step, order.size() - begin)), results);
  }
  return results;
}

Classification TextClassifier::classify(const std::string& text) { return classify(std::span(&text, 1)).front(); }

const std::vector<std::string>& TextClassifier::labels() const { return impl_->labels; }
Session& TextClassifier::session() { return impl_->session; }

}  // namespace neural_engine
