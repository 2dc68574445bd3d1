#include "emulator/low_precision.h"

#include <xmmintrin.h>

#include <cmath>

namespace neural_engine::emulator {
namespace {

constexpr uint32_t kSign = 0x80000000u, kExponent = 0x7f800000u;

// Rounding to nearest even, denormals as they are: what the exact steps below start from.
class DefaultRounding {
 public:
  DefaultRounding() : saved_(_mm_getcsr()) { _mm_setcsr(0x1f80); }
  ~DefaultRounding() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
};

float without_denormals(float value) {
  const uint32_t bits = bits_of(value);
  return (bits & kExponent) == 0 ? float_of(bits & kSign) : value;
}

// The exact value a * b + c as a double and the sign of what was lost: then rounded once to float. Products of floats
// are exact in double; the sum is made odd where it is inexact, which a second rounding cannot mistake for a tie.
float round_once(double product, double c) {
  const double sum = product + c;
  if (!std::isfinite(sum)) return static_cast<float>(sum);
  const double c_part = sum - product, lost = (product - (sum - c_part)) + (c - c_part);
  uint64_t bits;
  __builtin_memcpy(&bits, &sum, sizeof(bits));
  double odd = sum;
  if (lost != 0 && (bits & 1) == 0) {
    // Towards the true value, to the odd neighbour.
    odd = std::nextafter(sum, lost > 0 ? INFINITY : -INFINITY);
  }
  return static_cast<float>(odd);
}

// Flushed after rounding as if the exponent had no lower bound: a result that rounds up to the least normal number
// stays.
float flushed(double product, double c) {
  const float rounded = round_once(product, c);
  if ((bits_of(rounded) & kExponent) != 0) {
    // It may be the least normal number only because a denormal's coarser grid rounded it up.
    constexpr double kLeast = 0x1p-126;
    if (std::fabs(double{rounded}) > kLeast) return rounded;
    const float scaled = round_once(product * 0x1p64, c * 0x1p64);
    return std::fabs(double{scaled}) < kLeast * 0x1p64 ? float_of(bits_of(rounded) & kSign) : rounded;
  }
  return float_of(bits_of(rounded) & kSign);
}

}  // namespace

uint16_t round_to_bf16(float value) {
  const uint32_t bits = bits_of(value);
  if ((bits & kExponent) == 0) return static_cast<uint16_t>((bits & kSign) >> 16);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float fused_step(float a, float b, float c) {
  const DefaultRounding rounding;
  return flushed(double{without_denormals(a)} * double{without_denormals(b)}, double{without_denormals(c)});
}

float flushed_sum(float a, float b) {
  const DefaultRounding rounding;
  return flushed(double{without_denormals(a)}, double{without_denormals(b)});
}

}  // namespace neural_engine::emulator
