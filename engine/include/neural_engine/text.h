// Text in, answers out: a tokenizer, a model and its labels as one thing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "neural_engine/export.h"
#include "neural_engine/session.h"

namespace neural_engine {

struct TextOptions {
  // Tokens of a row at most; longer texts are truncated. 0: what the tokenizer or config.json beside the model says,
  // else 512.
  int64_t max_length = 0;
  // Rows of one run of the session.
  int64_t batch_size = 1;
};

struct Classification {
  int64_t label = 0;          // the index of the best score; 0 for a regression
  std::string name;           // the label's name
  float score = 0;            // its probability; for a regression the value itself
  std::vector<float> scores;  // of all labels: softmax of the logits (a regression: the single value)
};

// A sequence classifier or regressor: the model's first output has shape [rows, labels] (or [rows, 1]: a regression).
// Its integer inputs are input_ids and, where it has them, attention_mask and token_type_ids.
//
// Not thread-safe for its options; classify() may be called from many threads.
class NEURAL_ENGINE_EXPORT TextClassifier {
 public:
  // The tokenizer (tokenizer.json or vocab.txt) and the label names (labels.txt, one per line, or id2label of
  // config.json; without either LABEL_0 ...) lie beside the model. Throws Error as Model::load and for tokenizer files.
  static TextClassifier load(const std::string& model_path, const TextOptions& options = {},
                             const SessionOptions& session = {});
  TextClassifier(TextClassifier&&) noexcept;
  ~TextClassifier();

  // One answer per text. `pairs` is empty or has one second text per text. Rows are run in batches of similar length;
  // the answers are in the order of the texts and do not depend on the batching beyond the rounding of the model.
  std::vector<Classification> classify(std::span<const std::string> texts, std::span<const std::string> pairs = {});
  Classification classify(const std::string& text);

  const std::vector<std::string>& labels() const;
  Session& session();

 private:
  struct Impl;
  explicit TextClassifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace neural_engine
