// Tensors as serialized ONNX TensorProto messages (.pb files of test data).
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "neural_engine/tensor.h"

namespace neural_engine {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// Error(kInvalidModel) for a malformed message, Error(kUnsupported) for strings, complex numbers and external data.
NamedTensor parse_tensor_pb(std::span<const std::byte> bytes);
NamedTensor read_tensor_pb(const std::string& path);

// With the elements as raw data.
std::string serialize_tensor_pb(const Tensor& tensor, const std::string& name = {});
void write_tensor_pb(const std::string& path, const Tensor& tensor, const std::string& name = {});

}  // namespace neural_engine
