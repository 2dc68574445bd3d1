#include "base/onnx_dtype.h"

#include <iterator>

namespace neural_engine {

namespace {

// Indexed by ONNX's code.
constexpr DType kTypes[] = {
    DType::kUndefined,   // 0: undefined
    DType::kF32,         // 1
    DType::kU8,          // 2
    DType::kS8,          // 3
    DType::kU16,         // 4
    DType::kS16,         // 5
    DType::kS32,         // 6
    DType::kS64,         // 7
    DType::kUndefined,   // 8: string
    DType::kBool,        // 9
    DType::kF16,         // 10
    DType::kF64,         // 11
    DType::kU32,         // 12
    DType::kU64,         // 13
    DType::kUndefined,   // 14: complex64
    DType::kUndefined,   // 15: complex128
    DType::kBF16,        // 16
    DType::kF8E4M3FN,    // 17
    DType::kF8E4M3FNUZ,  // 18
    DType::kF8E5M2,      // 19
    DType::kF8E5M2FNUZ,  // 20
    DType::kU4,          // 21
    DType::kS4,          // 22
};

}  // namespace

DType dtype_of_onnx(int64_t code) noexcept {
  return code >= 0 && code < static_cast<int64_t>(std::size(kTypes)) ? kTypes[code] : DType::kUndefined;
}

int64_t onnx_code(DType dtype) noexcept {
  for (size_t code = 1; code < std::size(kTypes); ++code) {
    if (kTypes[code] == dtype && dtype != DType::kUndefined) return static_cast<int64_t>(code);
  }
  return 0;
}

}  // namespace neural_engine
