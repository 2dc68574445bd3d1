// `neural_engine convert`.

#include <filesystem>
#include <iostream>

#include <nlohmann/json.hpp>

#include "executor/tools/command.h"
#include "executor/tools/flags.h"
#include "neural_engine/model.h"

namespace neural_engine::tools {

int run_convert() {
  if (FLAGS_model.empty()) throw UsageError{"--model is missing"};
  if (FLAGS_output.empty()) throw UsageError{"--output is missing"};
  std::error_code ignored;
  if (std::filesystem::equivalent(FLAGS_model, FLAGS_output, ignored)) throw UsageError{"--output is the model itself"};
  const Model model = Model::load(FLAGS_model, load_options());
  model.save(FLAGS_output);
  const auto bytes = std::filesystem::file_size(FLAGS_output);
  if (FLAGS_json) {
    std::cout
        << nlohmann::ordered_json{{"output", FLAGS_output}, {"bytes", bytes}, {"parameters", model.parameters()}}.dump()
        << "\n";
  } else {
    std::cout << FLAGS_output << ": " << bytes << " bytes, " << model.parameters() << " parameters\n";
  }
  return kDone;
}

}  // namespace neural_engine::tools
