#include "executor/ops/convert.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "base/dtype.h"
#include "base/float8.h"

namespace neural_engine {

namespace {

template <class T>
inline constexpr bool kIsSmallFloat = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

template <std::integral To, std::floating_point From>
To saturate_cast(From value) {
  if (!(value == value)) return 0;
  // The limits are powers of two, or one less: as From they may round up to 2^k, which is out of range itself.
  constexpr From kTop = static_cast<From>(std::numeric_limits<To>::max());
  constexpr From kBottom = static_cast<From>(std::numeric_limits<To>::min());
  if (value >= kTop) return std::numeric_limits<To>::max();
  if (value <= kBottom) return std::numeric_limits<To>::min();
  return static_cast<To>(value);
}

// The integer with at most 53 significant bits, the last of them set when bits were lost: as a double it is exact, and
// it rounds further as the integer itself would.
template <std::integral T>
double to_double_odd(T value) {
  const bool negative = value < 0;
  uint64_t magnitude = negative ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  constexpr uint64_t kLost = (uint64_t{1} << 11) - 1;
  if (magnitude >> 53) magnitude = (magnitude & ~kLost) | (magnitude & kLost ? kLost + 1 : 0);
  const double result = static_cast<double>(magnitude);
  return negative ? -result : result;
}

// To float, such that a further rounding to a narrower format is the only one that counts.
inline float narrow(float value) { return value; }
inline float narrow(double value) { return round_to_odd(value); }
template <std::integral T>
float narrow(T value) {
  return round_to_odd(to_double_odd(value));
}

template <class To, class From>
To convert_value(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (kIsSmallFloat<From>) {
    return convert_value<To>(static_cast<float>(value));
  } else if constexpr (kIsSmallFloat<To>) {
    return To(narrow(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From(0);
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    return saturate_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

int nibble(const void* src, int64_t index) {
  const uint8_t byte = static_cast<const uint8_t*>(src)[index / 2];
  return index % 2 ? byte >> 4 : byte & 0xf;
}

// Elements come in order, so that the byte's other half is either written already or still to come; after the last
// element of an odd number it is 0.
void set_nibble(void* dst, int64_t index, int value) {
  uint8_t& byte = static_cast<uint8_t*>(dst)[index / 2];
  byte = static_cast<uint8_t>(index % 2 ? (byte & 0x0f) | (value & 0xf) << 4 : value & 0xf);
}

template <class T>
int to_int4(T value, int low, int high) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::clamp<int>(saturate_cast<int32_t>(value), low, high);
  } else {
    return static_cast<int>(value & 0xf);
  }
}

}  // namespace

template <class T>
void load(DType from, const void* src, int64_t first, int64_t count, T* values) {
  if (is_float8(from)) {
    const uint8_t* bits = static_cast<const uint8_t*>(src) + first;
    for (int64_t i = 0; i < count; ++i) values[i] = convert_value<T>(float8_to_float(bits[i], from));
  } else if (from == DType::kU4) {
    for (int64_t i = 0; i < count; ++i) values[i] = static_cast<T>(nibble(src, first + i));
  } else if (from == DType::kS4) {
    for (int64_t i = 0; i < count; ++i) values[i] = static_cast<T>((nibble(src, first + i) ^ 8) - 8);
  } else {
    dispatch_dtype(from, [&](auto tag) {
      using From = typename decltype(tag)::type;
      const From* x = static_cast<const From*>(src) + first;
      for (int64_t i = 0; i < count; ++i) values[i] = convert_value<T>(x[i]);
    });
  }
}

template <class T>
void store(DType to, const T* values, int64_t count, void* dst, int64_t first, bool saturate) {
  if (is_float8(to)) {
    uint8_t* bits = static_cast<uint8_t*>(dst) + first;
    for (int64_t i = 0; i < count; ++i) bits[i] = float_to_float8(narrow(values[i]), to, saturate);
  } else if (to == DType::kU4) {
    for (int64_t i = 0; i < count; ++i) set_nibble(dst, first + i, to_int4(values[i], 0, 15));
  } else if (to == DType::kS4) {
    for (int64_t i = 0; i < count; ++i) set_nibble(dst, first + i, to_int4(values[i], -8, 7));
  } else {
    dispatch_dtype(to, [&](auto tag) {
      using To = typename decltype(tag)::type;
      To* y = static_cast<To*>(dst) + first;
      for (int64_t i = 0; i < count; ++i) y[i] = convert_value<To>(values[i]);
    });
  }
}

template void load(DType, const void*, int64_t, int64_t, float*);
template void load(DType, const void*, int64_t, int64_t, double*);
template void load(DType, const void*, int64_t, int64_t, int64_t*);
template void load(DType, const void*, int64_t, int64_t, uint64_t*);
template void store(DType, const float*, int64_t, void*, int64_t, bool);
template void store(DType, const double*, int64_t, void*, int64_t, bool);
template void store(DType, const int64_t*, int64_t, void*, int64_t, bool);
template void store(DType, const uint64_t*, int64_t, void*, int64_t, bool);

DType wide_type(DType dtype) noexcept {
  if (dtype == DType::kF64 || dtype == DType::kU64) return dtype;
  return is_floating(dtype) ? DType::kF32 : DType::kS64;
}

void convert(DType from, const void* src, DType to, void* dst, int64_t first, int64_t count, bool saturate) {
  const auto blocks = [&](auto* buffer) {
    for (int64_t done = 0; done < count; done += kBlock) {
      const int64_t n = std::min(kBlock, count - done);
      load(from, src, first + done, n, buffer);
      store(to, buffer, n, dst, first + done, saturate);
    }
  };
  alignas(64) std::byte memory[kBlock * 8];
  switch (wide_type(from)) {
    case DType::kF32: return blocks(reinterpret_cast<float*>(memory));
    case DType::kF64: return blocks(reinterpret_cast<double*>(memory));
    case DType::kU64: return blocks(reinterpret_cast<uint64_t*>(memory));
    default: return blocks(reinterpret_cast<int64_t*>(memory));
  }
}

}  // namespace neural_engine
