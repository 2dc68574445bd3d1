// IEEE binary16 and bfloat16 as storage types: arithmetic is done in float.
#pragma once

#include <bit>
#include <cstdint>

namespace neural_engine {

// Round to nearest even, subnormals and NaN kept; overflow becomes infinity.
uint16_t float_to_half(float value) noexcept;
float half_to_float(uint16_t bits) noexcept;

inline uint16_t float_to_bfloat16(float value) noexcept {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40);  // quiet NaN
  bits += 0x7fff + ((bits >> 16) & 1);
  return static_cast<uint16_t>(bits >> 16);
}
inline float bfloat16_to_float(uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

// The neighbour of `value` in float whose last bit is odd, or the value itself where float has it: rounding that once
// more, to half or bfloat16, gives what rounding the double directly would.
float round_to_odd(double value) noexcept;

struct Half {
  uint16_t bits = 0;
  Half() = default;
  Half(float value) noexcept : bits(float_to_half(value)) {}
  operator float() const noexcept { return half_to_float(bits); }
};

struct BFloat16 {
  uint16_t bits = 0;
  BFloat16() = default;
  BFloat16(float value) noexcept : bits(float_to_bfloat16(value)) {}
  operator float() const noexcept { return bfloat16_to_float(bits); }
};

static_assert(sizeof(Half) == 2 && sizeof(BFloat16) == 2);

}  // namespace neural_engine
