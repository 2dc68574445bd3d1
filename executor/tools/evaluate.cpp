// `neural_engine evaluate`.

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "executor/tools/command.h"
#include "executor/tools/flags.h"
#include "executor/tools/progress.h"
#include "models/labelled_text.h"
#include "models/metrics.h"
#include "neural_engine/text.h"

namespace neural_engine::tools {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

struct Predictions {
  std::vector<int64_t> labels;
  std::vector<double> values;
  double seconds = 0;
};

Predictions predict(TextClassifier& classifier, const LabelledText& data) {
  Predictions result;
  // Blocks of many batches: rows of similar length meet in one batch, and progress can be shown between them.
  const size_t block = static_cast<size_t>(FLAGS_batch_size) * 32;
  Progress progress("evaluate", static_cast<int64_t>(data.texts.size()));
  const Clock::time_point start = Clock::now();
  for (size_t begin = 0; begin < data.texts.size(); begin += block) {
    const size_t count = std::min(block, data.texts.size() - begin);
    const auto pairs =
        data.pairs.empty() ? std::span<const std::string>() : std::span(data.pairs).subspan(begin, count);
    for (const Classification& answer : classifier.classify(std::span(data.texts).subspan(begin, count), pairs)) {
      result.labels.push_back(answer.label);
      result.values.push_back(answer.score);
    }
    progress.advance(static_cast<int64_t>(count));
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

double measure(const Predictions& predictions, const LabelledText& data) {
  if (FLAGS_metric == "pearson") return pearson(predictions.values, data.labels);
  if (FLAGS_metric == "spearman") return spearman(predictions.values, data.labels);
  const std::vector<int64_t> expected(data.labels.begin(), data.labels.end());
  if (FLAGS_metric == "f1") return f1(predictions.labels, expected);
  if (FLAGS_metric == "mcc") return mcc(predictions.labels, expected);
  return accuracy(predictions.labels, expected);
}

void check_flags() {
  static constexpr const char* kMetrics[] = {"accuracy", "f1", "mcc", "pearson", "spearman"};
  if (FLAGS_model.empty()) throw UsageError{"--model is missing"};
  if (FLAGS_data.empty()) throw UsageError{"--data is missing"};
  if (std::find(std::begin(kMetrics), std::end(kMetrics), FLAGS_metric) == std::end(kMetrics)) {
    throw UsageError{"--metric=" + FLAGS_metric + " is none of accuracy, f1, mcc, pearson, spearman"};
  }
}

}  // namespace

int run_evaluate() {
  check_flags();
  const LabelledText data = read_labelled_text(FLAGS_data);
  TextClassifier classifier =
      TextClassifier::load(Model::load(FLAGS_model, load_options()), FLAGS_model,
                           {.max_length = FLAGS_max_length, .batch_size = FLAGS_batch_size}, session_options());
  print_notes(classifier.session());
  classifier.classify(data.texts.front());  // plans and packs before the clock runs
  const Predictions predictions = predict(classifier, data);
  const double value = measure(predictions, data);
  const int64_t rows = static_cast<int64_t>(data.texts.size());

  Json report = {
      {"model", FLAGS_model}, {"data", FLAGS_data}, {"rows", rows}, {"metric", FLAGS_metric}, {"value", value}};
  if (FLAGS_metric == "accuracy") report["margin_95"] = rate_margin(value, rows);
  report["seconds"] = predictions.seconds;
  report["rows_per_s"] = static_cast<double>(rows) / predictions.seconds;
  report["ms_per_row"] = 1e3 * predictions.seconds / static_cast<double>(rows);
  report["threads"] = classifier.session().threads();
  const bool met = FLAGS_target < 0 || value >= FLAGS_target;
  if (FLAGS_target >= 0) report["target"] = FLAGS_target;
  if (FLAGS_json) {
    std::cout << report.dump() << "\n";
  } else {
    std::cout << std::fixed << std::setprecision(4) << FLAGS_metric << " " << value;
    if (report.contains("margin_95")) std::cout << " +- " << report["margin_95"].get<double>();
    std::cout << std::setprecision(2) << " on " << rows << " rows, " << report["ms_per_row"].get<double>()
              << " ms a row, " << report["rows_per_s"].get<double>() << " rows/s with " << report["threads"]
              << " thread(s)\n";
    if (!met) std::cout << "the goal " << FLAGS_target << " is missed\n";
  }
  return met ? kDone : kGoalMissed;
}

}  // namespace neural_engine::tools
