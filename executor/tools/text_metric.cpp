#include "executor/tools/text_metric.h"

#include <algorithm>
#include <cmath>

#include "executor/tools/command.h"
#include "models/metrics.h"

namespace neural_engine::tools {

void check_metric(const std::string& metric) {
  static constexpr const char* kMetrics[] = {"accuracy", "f1", "mcc", "pearson", "spearman"};
  if (std::find(std::begin(kMetrics), std::end(kMetrics), metric) == std::end(kMetrics)) {
    throw UsageError{"--metric=" + metric + " is none of accuracy, f1, mcc, pearson, spearman"};
  }
}

double measure(const std::string& metric, const Predictions& predictions, const LabelledText& data) {
  const std::span<const double> labels = std::span(data.labels).first(predictions.labels.size());
  if (metric == "pearson") return pearson(predictions.values, labels);
  if (metric == "spearman") return spearman(predictions.values, labels);
  const std::vector<int64_t> expected(labels.begin(), labels.end());
  if (metric == "f1") return f1(predictions.labels, expected);
  if (metric == "mcc") return mcc(predictions.labels, expected);
  return accuracy(predictions.labels, expected);
}

void predict(TextClassifier& classifier, const LabelledText& data, size_t begin, size_t count,
             Predictions& predictions) {
  const auto pairs = data.pairs.empty() ? std::span<const std::string>() : std::span(data.pairs).subspan(begin, count);
  for (const Classification& answer : classifier.classify(std::span(data.texts).subspan(begin, count), pairs)) {
    predictions.labels.push_back(answer.label);
    predictions.values.push_back(answer.score);
  }
}

double paired_margin(std::span<const int64_t> reference, std::span<const int64_t> other,
                     std::span<const double> labels) {
  double gained = 0, lost = 0;
  const auto n = static_cast<double>(reference.size());
  for (size_t i = 0; i < reference.size(); ++i) {
    const auto label = static_cast<int64_t>(labels[i]);
    gained += other[i] == label && reference[i] != label ? 1 : 0;
    lost += reference[i] == label && other[i] != label ? 1 : 0;
  }
  const double difference = (gained - lost) / n;
  return 1.96 * std::sqrt(std::max(0.0, ((gained + lost) / n - difference * difference) / n));
}

}  // namespace neural_engine::tools
