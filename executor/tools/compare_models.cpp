// `neural_engine compare`.

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "compressor/report/comparison.h"
#include "executor/tools/command.h"
#include "executor/tools/flags.h"
#include "executor/tools/progress.h"
#include "executor/tools/text_metric.h"
#include "models/labelled_text.h"
#include "models/metrics.h"
#include "models/text_encoder.h"

namespace neural_engine::tools {

namespace {

using Json = nlohmann::ordered_json;

struct Answers {
  std::vector<int64_t> reference, other;
};

void add_answers(const Tensor& logits, std::vector<int64_t>& to) {
  require(logits.dtype() == DType::kF32 && logits.rank() == 2 && logits.dim(1) > 0, Code::kUnsupported,
          "the models' first output is ", to_string(logits.dtype()), to_string(logits.shape()),
          ", a classifier's is f32[rows,labels]");
  for (int64_t row = 0; row < logits.dim(0); ++row) {
    const float* scores = logits.data<float>() + row * logits.dim(1);
    to.push_back(std::max_element(scores, scores + logits.dim(1)) - scores);
  }
}

Answers run_both(Comparison& comparison, const LabelledText& data, const Model& model) {
  const TextEncoder encoder(FLAGS_model, FLAGS_max_length);
  Answers answers;
  const size_t rows = data.texts.size(), step = static_cast<size_t>(FLAGS_batch_size);
  Progress progress("compare", static_cast<int64_t>(rows));
  for (size_t begin = 0; begin < rows; begin += step) {
    const size_t count = std::min(step, rows - begin);
    const auto pairs =
        data.pairs.empty() ? std::span<const std::string>() : std::span(data.pairs).subspan(begin, count);
    const Comparison::Outputs outputs =
        comparison.run(encoder.encode(std::span(data.texts).subspan(begin, count), pairs, model.inputs()));
    add_answers(outputs.reference.at(0), answers.reference);
    add_answers(outputs.other.at(0), answers.other);
    progress.advance(static_cast<int64_t>(count));
  }
  return answers;
}

Json report_of(const std::vector<LayerError>& layers, const Answers& answers, const std::vector<double>& labels) {
  Json report = {{"model", FLAGS_model}, {"with", FLAGS_with}, {"rows", answers.reference.size()}};
  report["agreement"] = accuracy(answers.other, answers.reference);
  if (!labels.empty()) {
    const std::vector<int64_t> expected(labels.begin(), labels.end());
    const double reference = accuracy(answers.reference, expected), other = accuracy(answers.other, expected);
    report["accuracy"] = reference;
    report["accuracy_with"] = other;
    report["difference"] = other - reference;
    report["difference_margin_95"] = paired_margin(answers.reference, answers.other, labels);
  }
  const auto diverging = std::find_if(layers.begin(), layers.end(),
                                      [](const LayerError& each) { return !(each.cosine >= FLAGS_min_cosine); });
  report["first_diverging"] = diverging == layers.end() ? Json() : Json(diverging->name);
  report["layers"] = Json::array();
  for (const LayerError& each : layers) {
    report["layers"].push_back({{"name", each.name},
                                {"cosine", each.cosine},
                                {"sqnr_db", each.sqnr_db},
                                {"max_abs", each.max_abs},
                                {"mean_abs", each.mean_abs}});
  }
  return report;
}

void print(const Json& report) {
  std::cout << std::fixed << " cosine    SQNR dB  largest difference  layer\n";
  for (const Json& each : report["layers"]) {
    std::cout << std::setprecision(5) << each["cosine"].get<double>() << "  " << std::setprecision(1) << std::setw(7)
              << each["sqnr_db"].get<double>() << "  " << std::setprecision(5) << std::setw(18)
              << each["max_abs"].get<double>() << "  " << each["name"].get<std::string>() << "\n";
  }
  std::cout << std::setprecision(2);
  if (report["first_diverging"].is_null()) {
    std::cout << "no layer's cosine is below " << FLAGS_min_cosine << "\n";
  } else {
    std::cout << "the first layer with a cosine below " << FLAGS_min_cosine << " is "
              << report["first_diverging"].get<std::string>() << "\n";
  }
  std::cout << "agreement " << 100 * report["agreement"].get<double>() << " % of " << report["rows"] << " rows\n";
  if (!report.contains("accuracy")) return;
  std::cout << "accuracy " << 100 * report["accuracy"].get<double>() << " % and "
            << 100 * report["accuracy_with"].get<double>() << " %: " << std::showpos
            << 100 * report["difference"].get<double>() << std::noshowpos << " +- "
            << 100 * report["difference_margin_95"].get<double>() << " points\n";
}

}  // namespace

int run_compare() {
  if (FLAGS_model.empty()) throw UsageError{"--model is missing"};
  if (FLAGS_with.empty()) throw UsageError{"--with is missing"};
  if (FLAGS_data.empty()) throw UsageError{"--data is missing"};
  if (FLAGS_batch_size < 1) throw UsageError{"--batch_size is less than 1"};
  const LabelledText data = read_texts(FLAGS_data, FLAGS_rows > 0 ? FLAGS_rows : kAllRows);
  const Model model = Model::load(FLAGS_model), other = Model::load(FLAGS_with);
  Comparison comparison(model, other, FLAGS_mask_input, {.threads = FLAGS_threads});
  const Answers answers = run_both(comparison, data, model);
  const Json report = report_of(comparison.layers(), answers, data.labels);
  if (FLAGS_json) {
    std::cout << report.dump() << "\n";
  } else {
    print(report);
  }
  return report["first_diverging"].is_null() ? kDone : kGoalMissed;
}

}  // namespace neural_engine::tools
