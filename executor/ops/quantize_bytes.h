// Floats to 8-bit levels of one scale and back: QuantizeLinear's and DequantizeLinear's arithmetic, eight at a time.
#pragma once

#include <cstdint>

namespace neural_engine {

// saturate(round(x / scale) + zero), halves to even, NaN to zero. T is uint8_t or int8_t.
template <class T>
void quantize_bytes(const float* src, int64_t count, float scale, int32_t zero, T* dst) noexcept;

// (x - zero) * scale
template <class T>
void dequantize_bytes(const T* src, int64_t count, float scale, int32_t zero, float* dst) noexcept;

// The extremes, 0 among them, and whether all elements are finite.
struct FloatBounds {
  float low = 0, high = 0;
  bool finite = true;
};
FloatBounds bounds_of(const float* src, int64_t count) noexcept;

}  // namespace neural_engine
