// The arithmetic of one quantized number.
#pragma once

#include <cstdint>

#include "base/dtype.h"

namespace neural_engine {

// The values that a quantized dtype holds.
struct IntRange {
  int32_t low, high;
};
inline IntRange int_range(DType dtype) {
  switch (dtype) {
    case DType::kS4: return {-8, 7};
    case DType::kU4: return {0, 15};
    case DType::kS8: return {-128, 127};
    case DType::kU8: return {0, 255};
    case DType::kS16: return {-32768, 32767};
    case DType::kU16: return {0, 65535};
    default: fail(Code::kInternal, "dtype ", to_string(dtype), " is not quantized");
  }
}

// saturate(round(quotient) + zero_point), halves to even; NaN, which has no place on the line, goes to the zero point.
inline int32_t quantize_value(float quotient, int32_t zero_point, IntRange range) {
  // Clamped before the conversion, which an int could not hold; wider than any range plus zero point.
  constexpr float kLimit = 1 << 20;
  if (!(quotient == quotient)) return zero_point;
  const float bounded = quotient < -kLimit ? -kLimit : quotient > kLimit ? kLimit : quotient;
  // Adding 1.5 * 2^23 leaves no room for a fraction: the addition itself rounds, to nearest even.
  constexpr float kNoFraction = 12582912.0f;
  const int32_t value = static_cast<int32_t>((bounded + kNoFraction) - kNoFraction) + zero_point;
  return value < range.low ? range.low : value > range.high ? range.high : value;
}

}  // namespace neural_engine
