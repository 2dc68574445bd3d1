#include "executor/ops/quantize_bytes.h"

#include <emmintrin.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "executor/ops/quantize_value.h"

namespace neural_engine {

namespace {

// Four levels without the zero point. Bounds come before rounding, so that what is rounded fits.
__m128i levels(__m128 x, __m128 scale, __m128 low, __m128 high) {
  x = _mm_div_ps(x, scale);
  x = _mm_and_ps(x, _mm_cmpord_ps(x, x));
  return _mm_cvtps_epi32(_mm_min_ps(_mm_max_ps(x, low), high));
}

template <class T>
constexpr IntRange kRange = {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};

}  // namespace

template <class T>
void quantize_bytes(const float* src, int64_t count, float scale, int32_t zero, T* dst) noexcept {
  const __m128 divisor = _mm_set1_ps(scale);
  const __m128 low = _mm_set1_ps(static_cast<float>(kRange<T>.low - zero));
  const __m128 high = _mm_set1_ps(static_cast<float>(kRange<T>.high - zero));
  const __m128i offset = _mm_set1_epi16(static_cast<int16_t>(zero));
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i words = _mm_packs_epi32(levels(_mm_loadu_ps(src + i), divisor, low, high),
                                          levels(_mm_loadu_ps(src + i + 4), divisor, low, high));
    const __m128i sums = _mm_add_epi16(words, offset);
    const __m128i bytes = std::is_signed_v<T> ? _mm_packs_epi16(sums, sums) : _mm_packus_epi16(sums, sums);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(dst + i), bytes);
  }
  for (; i < count; ++i) dst[i] = static_cast<T>(quantize_value(src[i] / scale, zero, kRange<T>));
}

template <class T>
void dequantize_bytes(const T* src, int64_t count, float scale, int32_t zero, float* dst) noexcept {
  const __m128 factor = _mm_set1_ps(scale);
  const __m128i offset = _mm_set1_epi32(zero), none = _mm_setzero_si128();
  const auto put = [&](__m128i numbers, float* at) {
    _mm_storeu_ps(at, _mm_mul_ps(_mm_cvtepi32_ps(_mm_sub_epi32(numbers, offset)), factor));
  };
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(src + i));
    if constexpr (std::is_signed_v<T>) {
      // To the upper half of a word, then shifted down with its sign; the same from words.
      const __m128i words = _mm_srai_epi16(_mm_unpacklo_epi8(none, bytes), 8);
      put(_mm_srai_epi32(_mm_unpacklo_epi16(none, words), 16), dst + i);
      put(_mm_srai_epi32(_mm_unpackhi_epi16(none, words), 16), dst + i + 4);
    } else {
      const __m128i words = _mm_unpacklo_epi8(bytes, none);
      put(_mm_unpacklo_epi16(words, none), dst + i);
      put(_mm_unpackhi_epi16(words, none), dst + i + 4);
    }
  }
  for (; i < count; ++i) dst[i] = static_cast<float>(src[i] - zero) * scale;
}

FloatBounds bounds_of(const float* src, int64_t count) noexcept {
  __m128 low = _mm_setzero_ps(), high = _mm_setzero_ps(), sum = _mm_setzero_ps();
  int64_t i = 0;
  // x - x is 0 unless x is not finite.
  for (; i + 4 <= count; i += 4) {
    const __m128 x = _mm_loadu_ps(src + i);
    low = _mm_min_ps(x, low);
    high = _mm_max_ps(x, high);
    sum = _mm_add_ps(sum, _mm_sub_ps(x, x));
  }
  alignas(16) float lows[4], highs[4], sums[4];
  _mm_store_ps(lows, low);
  _mm_store_ps(highs, high);
  _mm_store_ps(sums, sum);
  FloatBounds bounds;
  for (int lane = 0; lane < 4; ++lane) {
    bounds.low = std::min(bounds.low, lows[lane]);
    bounds.high = std::max(bounds.high, highs[lane]);
    bounds.finite &= sums[lane] == 0;
  }
  for (; i < count; ++i) {
    bounds.low = std::min(bounds.low, src[i]);
    bounds.high = std::max(bounds.high, src[i]);
    bounds.finite &= std::isfinite(src[i]);
  }
  return bounds;
}

template void quantize_bytes(const float*, int64_t, float, int32_t, uint8_t*) noexcept;
template void quantize_bytes(const float*, int64_t, float, int32_t, int8_t*) noexcept;
template void dequantize_bytes(const uint8_t*, int64_t, float, int32_t, float*) noexcept;
template void dequantize_bytes(const int8_t*, int64_t, float, int32_t, float*) noexcept;

}  // namespace neural_engine
