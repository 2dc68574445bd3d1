#pragma once

namespace neural_engine::tools {

// `run --cases=ROOT`: every subfolder with a model.onnx and test_data_set_* folders. One line per case, JSON with
// --json: {name, status: pass | wrong | refused | error, message, ops}. Exit status 1 when a case is wrong or in error.
int run_cases();

}  // namespace neural_engine::tools
