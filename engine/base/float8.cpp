#include "base/float8.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace neural_engine {

namespace {

// A format's layout. FN: finite and NaN only; UZ: an unsigned zero, whose negative pattern is the one NaN.
struct Layout {
  int mantissa_bits;
  int bias;
  uint8_t max;       // pattern of the largest finite value
  uint8_t nan;       // pattern of a positive NaN
  bool has_inf;      // right above `max`
  bool single_zero;  // UZ
};

Layout layout_of(DType format) noexcept {
  switch (format) {
    case DType::kF8E4M3FN: return {3, 7, 0x7e, 0x7f, false, false};
    case DType::kF8E4M3FNUZ: return {3, 8, 0x7f, 0x80, false, true};
    case DType::kF8E5M2: return {2, 15, 0x7b, 0x7f, true, false};
    default: return {2, 16, 0x7f, 0x80, false, true};
  }
}

float magnitude(int pattern, const Layout& layout) noexcept {
  const int exponent = pattern >> layout.mantissa_bits;
  const int mantissa = pattern & ((1 << layout.mantissa_bits) - 1);
  // A subnormal has the exponent of the smallest normal and no leading one.
  const int significand = exponent == 0 ? mantissa : mantissa + (1 << layout.mantissa_bits);
  return std::ldexp(static_cast<float>(significand),
                    (exponent == 0 ? 1 : exponent) - layout.bias - layout.mantissa_bits);
}

uint8_t overflow(const Layout& layout, uint8_t sign, bool saturate) noexcept {
  if (saturate) return sign | layout.max;
  if (layout.has_inf) return sign | static_cast<uint8_t>(layout.max + 1);
  return layout.single_zero ? layout.nan : sign | layout.nan;
}

}  // namespace

bool is_float8(DType dtype) noexcept {
  return dtype == DType::kF8E4M3FN || dtype == DType::kF8E4M3FNUZ || dtype == DType::kF8E5M2 ||
         dtype == DType::kF8E5M2FNUZ;
}

uint8_t float_to_float8(float value, DType format, bool saturate) noexcept {
  const Layout layout = layout_of(format);
  const uint8_t sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value)) return layout.single_zero ? layout.nan : sign | layout.nan;
  const float abs = std::fabs(value);
  if (std::isinf(abs)) return overflow(layout, sign, saturate);
  if (abs == 0.0f) return layout.single_zero ? 0 : sign;
  // The distance of neighbours at this magnitude, as an exponent; scaling by a power of two is exact, so that the one
  // rounding is nearbyint's (to nearest even).
  const int exponent = std::max(std::ilogb(abs), 1 - layout.bias);
  const int step = exponent - layout.mantissa_bits;
  const double quotient = std::nearbyint(std::ldexp(static_cast<double>(abs), -step));
  if (std::ldexp(quotient, step) > static_cast<double>(magnitude(layout.max, layout))) {
    return overflow(layout, sign, saturate);
  }
  // Patterns of positive values are consecutive: subnormals, then binade by binade; a quotient that was rounded up to
  // the next binade carries into the exponent by itself.
  const int steps = static_cast<int>(quotient);
  const int pattern = ((exponent + layout.bias - 1) << layout.mantissa_bits) + steps;
  if (pattern == 0 && layout.single_zero) return 0;
  return sign | static_cast<uint8_t>(pattern);
}

float float8_to_float(uint8_t bits, DType format) noexcept {
  const Layout layout = layout_of(format);
  const int pattern = bits & 0x7f;
  if (layout.single_zero ? bits == layout.nan : pattern > layout.max) {
    const bool infinite = layout.has_inf && pattern == layout.max + 1;
    const float special = infinite ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
    return bits & 0x80 ? -special : special;
  }
  const float result = magnitude(pattern, layout);
  return bits & 0x80 ? -result : result;
}

}  // namespace neural_engine
