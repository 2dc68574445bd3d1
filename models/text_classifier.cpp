#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "models/labels.h"
#include "models/text_inputs.h"
#include "models/tokenizer/tokenizer.h"
#include "neural_engine/text.h"

namespace neural_engine {

namespace {

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
  Impl(const Model& model, const std::string& path, const TextOptions& text_options,
       const SessionOptions& session_options)
      : options(text_options),
        tokenizer(Tokenizer::load(text_folder(path))),
        labels(read_labels(text_folder(path))),
        session(model, session_options) {
    check_text_options(options);
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
    const Tensor logits = session.run(text_inputs(batch, session.model().inputs())).at(0);
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
  return load(Model::load(model_path), model_path, options, session);
}

TextClassifier TextClassifier::load(const Model& model, const std::string& model_path, const TextOptions& options,
                                    const SessionOptions& session) {
  return TextClassifier(std::make_unique<Impl>(model, model_path, options, session));
}

std::vector<Classification> TextClassifier::classify(std::span<const std::string> texts,
                                                     std::span<const std::string> pairs) {
  require(pairs.empty() || pairs.size() == texts.size(), Code::kInvalidArgument, texts.size(), " texts and ",
          pairs.size(), " second texts given");
  const std::vector<size_t> order = by_length(texts, pairs, impl_->options.batch_size);
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
