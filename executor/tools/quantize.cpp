// `neural_engine quantize`.

#include <filesystem>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "executor/tools/calibration.h"
#include "executor/tools/command.h"
#include "executor/tools/flags.h"
#include "executor/tools/progress.h"

namespace neural_engine::tools {

namespace {

using Json = nlohmann::ordered_json;

void print_json(const std::vector<OpReport>& operations, const Model& before, const Model& after) {
  Json report = {{"model", FLAGS_model},
                 {"output", FLAGS_output},
                 {"weight_bytes_before", before.weight_bytes()},
                 {"weight_bytes", after.weight_bytes()},
                 {"file_bytes", std::filesystem::file_size(FLAGS_output)},
                 {"operations", Json::array()}};
  for (const OpReport& each : operations) {
    report["operations"].push_back({{"name", each.name},
                                    {"type", each.type},
                                    {"precision", each.precision},
                                    {"sqnr_db", each.sqnr_db},
                                    {"detail", each.detail}});
  }
  std::cout << report.dump() << "\n";
}

void print_text(const std::vector<OpReport>& operations, const Model& before, const Model& after) {
  std::cout << std::fixed << std::setprecision(1);
  int quantized = 0;
  for (const OpReport& each : operations) {
    if (each.precision != "fp32") ++quantized;
    std::cout << std::left << std::setw(10) << each.type << " " << each.precision << "  ";
    if (each.sqnr_db != 0) std::cout << std::right << std::setw(5) << each.sqnr_db << " dB  ";
    std::cout << each.name << "\n";
  }
  std::cout << FLAGS_output << ": " << quantized << " of " << operations.size() << " operations in fewer bits, weights "
            << static_cast<double>(before.weight_bytes()) / 1e6 << " -> "
            << static_cast<double>(after.weight_bytes()) / 1e6 << " MB\n";
}

void calibrate(PreparedModel& prepared, const Model& model) {
  const std::vector<std::vector<Tensor>> inputs =
      calibration_inputs(read_texts(FLAGS_calibration, FLAGS_samples), model);
  Progress progress("calibrate", static_cast<int64_t>(inputs.size()));
  for (const std::vector<Tensor>& each : inputs) {
    prepared.run(each);
    progress.advance(1);
  }
}

}  // namespace

int run_quantize() {
  check_output();
  const Recipe recipe = recipe_from_flags();
  const Model model = Model::load(FLAGS_model, load_options());
  PreparedModel prepared = prepare(model, recipe, {.threads = FLAGS_threads});
  if (!FLAGS_calibration.empty()) calibrate(prepared, model);
  std::vector<OpReport> operations;
  const Model result = convert(prepared, &operations);
  save(result, FLAGS_output);
  copy_text_files(FLAGS_model, FLAGS_output);
  if (FLAGS_json) {
    print_json(operations, model, result);
  } else {
    print_text(operations, model, result);
  }
  return kDone;
}

}  // namespace neural_engine::tools
