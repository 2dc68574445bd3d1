// `neural_engine run`: tensors in, tensors out, compared with what was expected where that is given.

#include <iostream>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "executor/tools/command.h"
#include "executor/tools/compare.h"
#include "executor/tools/flags.h"
#include "executor/tools/random_inputs.h"
#include "executor/tools/run_cases.h"
#include "executor/tools/run_text.h"
#include "executor/tools/tensor_files.h"
#include "neural_engine/session.h"

namespace neural_engine::tools {

namespace {

using Json = nlohmann::ordered_json;

Json describe(const TensorInfo& port, const Tensor& tensor) {
  return {{"name", port.name}, {"dtype", to_string(tensor.dtype())}, {"shape", tensor.shape()}};
}

// Prints one line per output; false when one is not as expected.
bool check(const std::vector<TensorInfo>& ports, const std::vector<Tensor>& found, Json& report) {
  const std::vector<Tensor> expected = read_case(FLAGS_expect, "output", ports);
  bool all_equal = true;
  for (size_t i = 0; i < found.size(); ++i) {
    const Comparison result = compare(found[i], expected[i], FLAGS_rtol, FLAGS_atol);
    all_equal &= result.equal;
    report["outputs"][i]["equal"] = result.equal;
    report["outputs"][i]["max_abs_difference"] = result.max_abs;
    if (!result.equal) report["outputs"][i]["message"] = result.message;
  }
  report["equal"] = all_equal;
  return all_equal;
}

void print(const Json& report) {
  if (FLAGS_json) {
    std::cout << report.dump() << "\n";
    return;
  }
  for (const Json& output : report["outputs"]) {
    std::cout << output["name"].get<std::string>() << "\t" << output["dtype"].get<std::string>()
              << to_string(output["shape"].get<Shape>());
    if (output.contains("equal")) {
      std::cout << (output["equal"].get<bool>() ? "\tas expected, largest difference "
                                                : "\tNOT as expected, largest difference ")
                << output["max_abs_difference"].get<double>();
    }
    if (output.contains("message")) std::cout << ": " << output["message"].get<std::string>();
    std::cout << "\n";
  }
}

}  // namespace

int run_model() {
  if (!FLAGS_cases.empty()) return run_cases();
  if (FLAGS_model.empty()) throw UsageError{"--model is missing"};
  if (!FLAGS_text.empty() || !FLAGS_text_file.empty()) return run_text();
  const Model model = Model::load(FLAGS_model, load_options());
  const std::vector<Tensor> inputs =
      FLAGS_inputs.empty() ? random_inputs(model, input_shapes(model, {FLAGS_batch_size, FLAGS_seq_len, FLAGS_shapes}),
                                           static_cast<uint64_t>(FLAGS_seed))
                           : read_inputs(FLAGS_inputs, model.inputs());
  Session session(model, session_options());
  print_notes(session);
  const std::vector<Tensor> outputs = session.run(inputs);
  if (!FLAGS_output_dir.empty()) write_outputs(FLAGS_output_dir, model.outputs(), outputs);

  Json report;
  for (size_t i = 0; i < outputs.size(); ++i) report["outputs"].push_back(describe(model.outputs()[i], outputs[i]));
  const bool as_expected = FLAGS_expect.empty() || check(model.outputs(), outputs, report);
  print(report);
  return as_expected ? kDone : kGoalMissed;
}

}  // namespace neural_engine::tools
