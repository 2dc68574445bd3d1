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
  // The same with the model loaded already; `model_path` says where its files are.
  static TextClassifier load(const Model& model, const std::string& model_path, const TextOptions& options = {},
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

// Sentences to vectors: a model with an output "sentence_embedding" [rows, size], such as a sentence-transformers
// folder. Not thread-safe for its options; embed() may be called from many threads.
class NEURAL_ENGINE_EXPORT TextEmbedder {
 public:
  // The tokenizer lies beside the model, or in the folder that is the model; a max_length of 0 means max_seq_length of
  // sentence_bert_config.json where that is, else what the tokenizer says. Throws Error as TextClassifier::load.
  static TextEmbedder load(const std::string& model_path, const TextOptions& options = {},
                           const SessionOptions& session = {});
  static TextEmbedder load(const Model& model, const std::string& model_path, const TextOptions& options = {},
                           const SessionOptions& session = {});
  TextEmbedder(TextEmbedder&&) noexcept;
  ~TextEmbedder();

  // Whether the model has that output.
  static bool fits(const Model& model);

  // One vector per text, in the order of the texts.
  std::vector<std::vector<float>> embed(std::span<const std::string> texts);
  std::vector<float> embed(const std::string& text);

  Session& session();

 private:
  struct Impl;
  explicit TextEmbedder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace neural_engine
