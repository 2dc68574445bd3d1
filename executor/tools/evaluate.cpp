// `neural_engine evaluate`.

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "executor/tools/command.h"
#include "executor/tools/flags.h"
#include "executor/tools/progress.h"
#include "executor/tools/text_metric.h"
#include "models/labelled_text.h"
#include "models/metrics.h"
#include "neural_engine/text.h"

namespace neural_engine::tools {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

// Returns the seconds that it took.
double predict_all(TextClassifier& classifier, const LabelledText& data, Predictions& predictions) {
  // Blocks of many batches: rows of similar length meet in one batch, and progress can be shown between them.
  const size_t block = static_cast<size_t>(FLAGS_batch_size) * 32;
  Progress progress("evaluate", static_cast<int64_t>(data.texts.size()));
  const Clock::time_point start = Clock::now();
  for (size_t begin = 0; begin < data.texts.size(); begin += block) {
    const size_t count = std::min(block, data.texts.size() - begin);
    predict(classifier, data, begin, count, predictions);
    progress.advance(static_cast<int64_t>(count));
  }
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void check_flags() {
  if (FLAGS_model.empty()) throw UsageError{"--model is missing"};
  if (FLAGS_data.empty()) throw UsageError{"--data is missing"};
  check_metric(FLAGS_metric);
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
  Predictions predictions;
  const double seconds = predict_all(classifier, data, predictions);
  const double value = measure(FLAGS_metric, predictions, data);
  const int64_t rows = static_cast<int64_t>(data.texts.size());

  Json report = {
      {"model", FLAGS_model}, {"data", FLAGS_data}, {"rows", rows}, {"metric", FLAGS_metric}, {"value", value}};
  if (FLAGS_metric == "accuracy") report["margin_95"] = rate_margin(value, rows);
  report["seconds"] = seconds;
  report["rows_per_s"] = static_cast<double>(rows) / seconds;
  report["ms_per_row"] = 1e3 * seconds / static_cast<double>(rows);
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
