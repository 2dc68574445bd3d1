// TensorProto and SparseTensorProto as tensors.
#pragma once

#include <onnx/onnx_pb.h>

#include <map>
#include <memory>
#include <string>

#include "base/mapped_file.h"
#include "load/wire_scanner.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

// The dtype of a TensorProto.DataType number (newer numbers than the schema's included). Strings, complex numbers and
// what is unknown are refused with their name.
DType checked_dtype(int data_type);

// Where the bytes of a model's tensors lie.
class TensorReader {
 public:
  // For tensors outside of models: raw_data is literal and copied; external data is refused.
  TensorReader() = default;
  // raw_data holds tokens of `stripped`, which must outlive the reader. `owner` keeps those bytes alive, and tensors
  // are views of them where their alignment allows; without an owner they are copied. `folder` is where external data
  // lies; empty: external data is refused.
  TensorReader(const StrippedModel& stripped, std::shared_ptr<const void> owner, std::string folder)
      : stripped_(&stripped), owner_(std::move(owner)), folder_(std::move(folder)) {}

  // Sizes are checked against what the file holds before anything is allocated. Errors name the tensor.
  Tensor read(const onnx::TensorProto& proto);
  // As a dense tensor: at most kMaxDense bytes over all calls.
  Tensor read_sparse(const onnx::SparseTensorProto& proto);

  static constexpr int64_t kMaxDense = int64_t{64} << 20;

 private:
  Tensor read_default(const onnx::TensorProto& proto, DType dtype, const Shape& shape);
  Tensor read_external(const onnx::TensorProto& proto, DType dtype, const Shape& shape);

  const StrippedModel* stripped_ = nullptr;
  std::shared_ptr<const void> owner_;
  std::string folder_;
  std::map<std::string, std::shared_ptr<const MappedFile>> external_;
  int64_t dense_bytes_ = 0;
};

}  // namespace neural_engine
