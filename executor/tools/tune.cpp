// `neural_engine tune`.

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "compressor/report/tuning_report.h"
#include "executor/tools/calibration.h"
#include "executor/tools/command.h"
#include "executor/tools/flags.h"
#include "executor/tools/progress.h"
#include "executor/tools/text_metric.h"
#include "models/text_encoder.h"
#include "neural_engine/tune.h"

namespace neural_engine::tools {

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

// The first Ctrl-C ends the search with what it has found, the second one the process.
void end_on_interrupt() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted = true; };
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

double parse_number(const std::string& word, const std::string& flag) {
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || !std::isfinite(value)) {
    throw UsageError{flag + ": \"" + word + "\" is not a number"};
  }
  return value;
}

// "1%": a part of the f32 model's value; "0.01": a difference.
void parse_max_loss(Tuning& tuning) {
  tuning.relative = !FLAGS_max_loss.empty() && FLAGS_max_loss.back() == '%';
  const std::string number = FLAGS_max_loss.substr(0, FLAGS_max_loss.size() - (tuning.relative ? 1 : 0));
  tuning.max_loss = parse_number(number, "--max_loss") / (tuning.relative ? 100 : 1);
  if (tuning.max_loss < 0) throw UsageError{"--max_loss is negative"};
}

// "size", or "latency:2,size:1".
Objective parse_objective() {
  Objective objective = {.latency = 0, .size = 0, .memory = 0};
  std::string rest = FLAGS_objective;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string part = rest.substr(0, comma);
    rest.erase(0, comma + 1);
    const size_t colon = std::min(part.find(':'), part.size());
    const std::string name = part.substr(0, colon);
    const double weight = colon < part.size() ? parse_number(part.substr(colon + 1), "--objective") : 1;
    double* const target = name == "latency"  ? &objective.latency
                           : name == "size"   ? &objective.size
                           : name == "memory" ? &objective.memory
                                              : nullptr;
    if (target == nullptr || weight < 0) {
      throw UsageError{"--objective: \"" + part + "\" is none of latency, size, memory, with a weight (size:2)"};
    }
    *target = weight;
  }
  if (objective.latency + objective.size + objective.memory <= 0) throw UsageError{"--objective weighs nothing"};
  return objective;
}

// Evaluates models on the data; the first is the f32 model.
class Evaluator {
 public:
  explicit Evaluator(LabelledText data) : data_(std::move(data)) {}

  Evaluation operator()(const Model& model, double needed) {
    TextClassifier classifier =
        TextClassifier::load(model, FLAGS_model, {.max_length = FLAGS_max_length, .batch_size = FLAGS_batch_size},
                             {.threads = FLAGS_threads, .max_plans = 8});
    Predictions found;
    const size_t rows = data_.texts.size(), block = std::max<size_t>(64, 8 * static_cast<size_t>(FLAGS_batch_size));
    Progress progress(baseline_.labels.empty() ? "fp32" : "trial", static_cast<int64_t>(rows));
    bool stopped = false;
    for (size_t begin = 0; begin < rows && !stopped && !interrupted; begin += block) {
      const size_t count = std::min(block, rows - begin);
      predict(classifier, data_, begin, count, found);
      stopped = begin + count < rows && is_out_of_reach(found, needed);
      progress.advance(static_cast<int64_t>(count));
    }
    Evaluation result{.rows = static_cast<int64_t>(found.labels.size()), .stopped = stopped};
    if (found.labels.empty()) return result;
    result.value = measure(FLAGS_metric, found, data_);
    if (baseline_.labels.empty()) {
      baseline_ = std::move(found);
      baseline_value_ = result.value;
    } else if (FLAGS_metric == "accuracy") {
      result.margin = paired_margin(std::span(baseline_.labels).first(found.labels.size()), found.labels, data_.labels);
    }
    return result;
  }

 private:
  // Rows that were right with f32 and are wrong now, and the reverse, say how far the accuracy on all rows can be from
  // the f32 model's: beyond doubt is 99.9 %, at each look.
  bool is_out_of_reach(const Predictions& found, double needed) const {
    if (FLAGS_metric != "accuracy" || baseline_.labels.empty()) return false;
    const size_t rows = found.labels.size();
    const double n = static_cast<double>(rows), all = static_cast<double>(data_.texts.size());
    double difference = 0, squares = 0;
    for (size_t i = 0; i < rows; ++i) {
      const auto label = static_cast<int64_t>(data_.labels[i]);
      const double change = (found.labels[i] == label ? 1.0 : 0.0) - (baseline_.labels[i] == label ? 1.0 : 0.0);
      difference += change / n;
      squares += change * change / n;
    }
    // At least one row in n may differ, however few did.
    const double variance = std::max(squares - difference * difference, 1 / n);
    const double reach = difference + 3.29 * std::sqrt(variance / n * (1 - n / all));
    return baseline_value_ + reach < needed;
  }

  const LabelledText data_;
  Predictions baseline_;
  double baseline_value_ = 0;
};

void print_trial(const Trial& trial, double baseline) {
  std::cerr << std::fixed << "trial " << trial.number << ": " << trial.what << ": " << FLAGS_metric << " "
            << std::setprecision(4) << trial.evaluation.value << " (" << std::showpos
            << trial.evaluation.value - baseline << std::noshowpos;
  if (trial.evaluation.margin > 0) std::cerr << " +- " << trial.evaluation.margin;
  std::cerr << ")"
            << (trial.evaluation.stopped ? ", given up early"
                : trial.met              ? ", meets the goal"
                                         : ", misses it")
            << std::setprecision(2) << ", " << trial.cost.latency_ms << " ms, "
            << static_cast<double>(trial.cost.weight_bytes) / 1e6 << " MB"
            << (trial.resumed ? ", from the journal" : "") << "\n";
}

void print_result(const TuneResult& result) {
  std::cout << std::fixed << std::setprecision(4) << "fp32: " << FLAGS_metric << " " << result.baseline.value
            << ", goal " << result.needed << "; " << result.ended << " after " << result.trials.size() << " trials\n";
  for (size_t i = 0; i < std::min<size_t>(5, result.sensitivities.size()); ++i) {
    const Sensitivity& each = result.sensitivities[i];
    std::cout << (i == 0 ? "what 8 bits harm most: " : "                       ") << each.type << " " << each.name
              << ", relative error " << std::scientific << std::setprecision(1) << each.error << std::fixed << "\n";
  }
  if (result.best == 0) {
    std::cout << "no trial met the goal; nothing was written\n";
    return;
  }
  const Trial& best = result.trials[static_cast<size_t>(result.best) - 1];
  std::cout << std::setprecision(4) << FLAGS_output << ": trial " << best.number << ", " << best.what << ": "
            << FLAGS_metric << " " << best.evaluation.value;
  if (best.evaluation.margin > 0) std::cout << " (difference +- " << best.evaluation.margin << ")";
  std::cout << std::setprecision(2) << ", " << result.baseline_cost.latency_ms << " -> " << best.cost.latency_ms
            << " ms, weights " << static_cast<double>(result.baseline_cost.weight_bytes) / 1e6 << " -> "
            << static_cast<double>(best.cost.weight_bytes) / 1e6 << " MB\n";
}

void write_report(const TuneResult& result, const TuningTitle& title) {
  const std::filesystem::path folder = FLAGS_report;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  require(!error, Code::kIo, FLAGS_report, ": cannot be made: ", error.message());
  write_file_atomically((folder / "report.json").string(), tuning_json(result, title));
  write_file_atomically((folder / "report.html").string(), tuning_html(result, title));
}

Tuning tuning_from_flags(const Model& model, const LabelledText& texts) {
  Tuning tuning;
  parse_max_loss(tuning);
  if (FLAGS_target >= 0) tuning.target = FLAGS_target;
  tuning.objective = parse_objective();
  tuning.strategy = FLAGS_strategy;
  tuning.timeout_s = FLAGS_timeout;
  tuning.max_trials = FLAGS_max_trials;
  tuning.seed = static_cast<uint32_t>(FLAGS_seed);
  tuning.recipe = recipe_from_flags();
  tuning.journal = FLAGS_journal.empty() ? FLAGS_output + ".journal" : FLAGS_journal;
  tuning.data_name =
      FLAGS_data + " " + FLAGS_metric + " " + std::to_string(FLAGS_max_length) + " " + std::to_string(FLAGS_rows);
  tuning.session.threads = FLAGS_threads;
  tuning.interrupted = [] { return interrupted.load(); };
  const auto longest = std::max_element(texts.texts.begin(), texts.texts.end(),
                                        [](const auto& a, const auto& b) { return a.size() < b.size(); });
  const auto row = static_cast<size_t>(longest - texts.texts.begin());
  const auto pair = texts.pairs.empty() ? std::span<const std::string>() : std::span(texts.pairs).subspan(row, 1);
  tuning.latency_inputs =
      TextEncoder(FLAGS_model, FLAGS_max_length).encode(std::span(texts.texts).subspan(row, 1), pair, model.inputs());
  return tuning;
}

void check_flags() {
  check_output();
  check_metric(FLAGS_metric);
  if (FLAGS_data.empty()) throw UsageError{"--data is missing"};
  if (FLAGS_timeout < 0) throw UsageError{"--timeout is negative"};
  if (FLAGS_max_trials < 0) throw UsageError{"--max_trials is negative"};
}

}  // namespace

int run_tune() {
  check_flags();
  const Model model = Model::load(FLAGS_model);
  LabelledText data = read_labelled_text(FLAGS_data, FLAGS_rows > 0 ? FLAGS_rows : kAllRows);
  const LabelledText texts = read_texts(FLAGS_calibration.empty() ? FLAGS_data : FLAGS_calibration, FLAGS_samples);
  Tuning tuning = tuning_from_flags(model, texts);
  Evaluator evaluator(std::move(data));
  std::optional<double> baseline;
  tuning.on_trial = [&](const Trial& trial) { print_trial(trial, baseline.value_or(0)); };
  end_on_interrupt();
  const TuneResult result =
      autotune(model, tuning, calibration_inputs(texts, model), [&](const Model& each, double needed) {
        const Evaluation found = evaluator(each, needed);
        if (!baseline) baseline = found.value;
        return found;
      });
  if (result.model) {
    save(*result.model, FLAGS_output);
    copy_text_files(FLAGS_model, FLAGS_output);
  }
  const TuningTitle title = {.model = FLAGS_model,
                             .data = FLAGS_data,
                             .metric = FLAGS_metric,
                             .strategy = FLAGS_strategy,
                             .seed = tuning.seed};
  if (!FLAGS_report.empty()) write_report(result, title);
  if (FLAGS_json) {
    std::cout << tuning_json(result, title) << "\n";
  } else {
    print_result(result);
  }
  return result.model ? kDone : kGoalMissed;
}

}  // namespace neural_engine::tools
