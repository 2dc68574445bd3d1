// From C++ types to element types and back.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/half.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

template <class T>
inline constexpr DType kDTypeOf = DType::kUndefined;
template <>
inline constexpr DType kDTypeOf<double> = DType::kF64;
template <>
inline constexpr DType kDTypeOf<float> = DType::kF32;
template <>
inline constexpr DType kDTypeOf<Half> = DType::kF16;
template <>
inline constexpr DType kDTypeOf<BFloat16> = DType::kBF16;
template <>
inline constexpr DType kDTypeOf<int64_t> = DType::kS64;
template <>
inline constexpr DType kDTypeOf<int32_t> = DType::kS32;
template <>
inline constexpr DType kDTypeOf<int16_t> = DType::kS16;
template <>
inline constexpr DType kDTypeOf<int8_t> = DType::kS8;
template <>
inline constexpr DType kDTypeOf<uint64_t> = DType::kU64;
template <>
inline constexpr DType kDTypeOf<uint32_t> = DType::kU32;
template <>
inline constexpr DType kDTypeOf<uint16_t> = DType::kU16;
template <>
inline constexpr DType kDTypeOf<uint8_t> = DType::kU8;
template <>
inline constexpr DType kDTypeOf<bool> = DType::kBool;

template <class T>
struct TypeTag {
  using type = T;
};

// Calls `body(TypeTag<T>{})` for the dtype's C++ type; refuses s4, u4, fp8 and undefined (they have no C++ type here).
template <class Body>
decltype(auto) dispatch_dtype(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::kF64: return body(TypeTag<double>{});
    case DType::kF32: return body(TypeTag<float>{});
    case DType::kF16: return body(TypeTag<Half>{});
    case DType::kBF16: return body(TypeTag<BFloat16>{});
    case DType::kS64: return body(TypeTag<int64_t>{});
    case DType::kS32: return body(TypeTag<int32_t>{});
    case DType::kS16: return body(TypeTag<int16_t>{});
    case DType::kS8: return body(TypeTag<int8_t>{});
    case DType::kU64: return body(TypeTag<uint64_t>{});
    case DType::kU32: return body(TypeTag<uint32_t>{});
    case DType::kU16: return body(TypeTag<uint16_t>{});
    case DType::kU8: return body(TypeTag<uint8_t>{});
    case DType::kBool: return body(TypeTag<bool>{});
    default: fail(Code::kUnsupported, "dtype ", to_string(dtype), " is not supported here");
  }
}

// f16, bf16, f32, f64.
template <class Body>
decltype(auto) dispatch_floating(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::kF64: return body(TypeTag<double>{});
    case DType::kF32: return body(TypeTag<float>{});
    case DType::kF16: return body(TypeTag<Half>{});
    case DType::kBF16: return body(TypeTag<BFloat16>{});
    default: fail(Code::kUnsupported, "dtype ", to_string(dtype), " found, a floating-point dtype is supported here");
  }
}

}  // namespace neural_engine
