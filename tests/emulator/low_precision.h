// The arithmetic of bf16 and of byte dot products, as the instructions define it.
#pragma once

#include <cstdint>

namespace neural_engine::emulator {

inline float float_of(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof(value));
  return value;
}
inline uint32_t bits_of(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof(bits));
  return bits;
}

inline float widen_bf16(uint16_t bits) { return float_of(uint32_t{bits} << 16); }

// vcvtneps2bf16: round to nearest even; denormals become zeros of their sign; NaN becomes quiet. MXCSR has no say.
uint16_t round_to_bf16(float value);

// a * b + c rounded once to nearest even, denormal operands and results taken as zeros of their sign: the step of
// vdpbf16ps and tdpbf16ps. MXCSR has no say.
float fused_step(float a, float b, float c);
// a + b likewise.
float flushed_sum(float a, float b);

// Four byte products and their sum, exact.
template <class A, class B>
int32_t dot4(uint32_t a, uint32_t b) {
  int32_t sum = 0;
  for (int i = 0; i < 4; ++i) sum += int32_t{static_cast<A>(a >> (8 * i))} * int32_t{static_cast<B>(b >> (8 * i))};
  return sum;
}
// Two word products and their sum: as 64 bits, for the saturating form.
template <class A, class B>
int64_t dot2(uint32_t a, uint32_t b) {
  int64_t sum = 0;
  for (int i = 0; i < 2; ++i) sum += int64_t{static_cast<A>(a >> (16 * i))} * int64_t{static_cast<B>(b >> (16 * i))};
  return sum;
}

}  // namespace neural_engine::emulator
