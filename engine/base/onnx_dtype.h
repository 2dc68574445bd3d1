// The numbers by which ONNX names element types (TensorProto.DataType), in attributes such as Cast's `to` too.
#pragma once

#include <cstdint>

#include "neural_engine/tensor.h"

namespace neural_engine {

// kUndefined for a code that has no DType here: string, complex, and what later versions of ONNX add.
DType dtype_of_onnx(int64_t code) noexcept;
// 0 for kUndefined.
int64_t onnx_code(DType dtype) noexcept;

}  // namespace neural_engine
