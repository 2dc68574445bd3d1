#include "executor/tools/run_cases.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "executor/tools/command.h"
#include "executor/tools/compare.h"
#include "executor/tools/flags.h"
#include "executor/tools/tensor_files.h"
#include "neural_engine/session.h"

namespace neural_engine::tools {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sorted_entries(const fs::path& folder, const std::string& prefix) {
  std::error_code error;
  std::vector<fs::path> result;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().rfind(prefix, 0) == 0 && fs::is_directory(it->path()))
      result.push_back(it->path());
  }
  if (error) fail(Code::kIo, folder.string(), ": ", error.message());
  std::sort(result.begin(), result.end());
  return result;
}

struct CaseResult {
  std::string status = "pass";
  std::string message;
  std::map<std::string, int> ops;
};

void run_data_sets(const fs::path& folder, CaseResult& result) {
  const Model model = Model::load((folder / "model.onnx").string(), {.optimize = FLAGS_optimize});
  result.ops = model.op_counts();
  Session session(model, session_options());
  for (const fs::path& data : sorted_entries(folder, "test_data_set_")) {
    const std::vector<Tensor> outputs = session.run(read_case(data.string(), "input", model.inputs()));
    const std::vector<Tensor> expected = read_case(data.string(), "output", model.outputs());
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Comparison comparison = compare(outputs[i], expected[i], FLAGS_rtol, FLAGS_atol);
      if (comparison.equal) continue;
      result.status = "wrong";
      result.message =
          text(data.filename().string(), ": output \"", model.outputs()[i].name, "\" ", comparison.message);
      return;
    }
  }
}

CaseResult run_case(const fs::path& folder) {
  CaseResult result;
  try {
    run_data_sets(folder, result);
  } catch (const Error& error) {
    result.status = error.code() == Code::kUnsupported ? "refused" : "error";
    result.message = error.what();
  } catch (const std::exception& error) {
    result.status = "error";
    result.message = error.what();
  }
  return result;
}

}  // namespace

int run_cases() {
  std::map<std::string, int> counts;
  for (const fs::path& folder : sorted_entries(FLAGS_cases, "")) {
    if (!fs::exists(folder / "model.onnx")) continue;
    const CaseResult result = run_case(folder);
    ++counts[result.status];
    if (FLAGS_json) {
      const nlohmann::ordered_json line = {{"name", folder.filename().string()},
                                           {"status", result.status},
                                           {"message", result.message},
                                           {"ops", result.ops}};
      std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
    } else {
      std::cout << result.status << "\t" << folder.filename().string() << "\t" << result.message << std::endl;
    }
  }
  if (!FLAGS_json) {
    std::cout << counts["pass"] << " passed, " << counts["wrong"] + counts["error"] << " failed, " << counts["refused"]
              << " skipped\n";
  }
  return counts["wrong"] + counts["error"] == 0 ? kDone : kGoalMissed;
}

}  // namespace neural_engine::tools
