// The four 8-bit float formats of ONNX, as storage types: arithmetic is done in float.
#pragma once

#include <cstdint>

#include "neural_engine/tensor.h"

namespace neural_engine {

// `format` is kF8E4M3FN, kF8E4M3FNUZ, kF8E5M2 or kF8E5M2FNUZ. Rounds to nearest even. What is too large for the format,
// infinities included, becomes its largest value when `saturate`, else infinity where the format has one and NaN where
// it has none. (The table in ONNX's Cast makes NaN of a saturated infinity in the FNUZ formats; ONNX's own code and
// test data, and other engines, make the largest value.)
uint8_t float_to_float8(float value, DType format, bool saturate) noexcept;
float float8_to_float(uint8_t bits, DType format) noexcept;

bool is_float8(DType dtype) noexcept;

}  // namespace neural_engine
