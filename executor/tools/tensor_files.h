// Tensors from and to files, in the layouts that `run` takes.
#pragma once

#include <string>
#include <vector>

#include "neural_engine/model.h"
#include "neural_engine/tensor.h"

namespace neural_engine::tools {

// By its ending: .npy, or .pb (an ONNX TensorProto).
Tensor read_tensor_file(const std::string& path);

// The tensors of a folder `<kind>_0.pb`, `<kind>_1.npy` ... in the order of the ports: by name where each file carries
// the name of a port, else by position. Fewer files than ports, or more, are refused.
std::vector<Tensor> read_case(const std::string& folder, const std::string& kind, const std::vector<TensorInfo>& ports);

// --inputs: a folder, or name=file pairs.
std::vector<Tensor> read_inputs(const std::string& flag, const std::vector<TensorInfo>& ports);

// Each output as <folder>/<name>.npy, with what a file name cannot hold replaced by '_'. Dtypes without a .npy form are
// written as .pb.
void write_outputs(const std::string& folder, const std::vector<TensorInfo>& ports, const std::vector<Tensor>& tensors);

}  // namespace neural_engine::tools
