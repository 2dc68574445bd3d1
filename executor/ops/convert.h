// Elements of any dtype read and written as one of a few C++ types, with ONNX's rules of conversion. An op that is not
// written for a dtype's own C++ type works on blocks that these functions fill and empty.
#pragma once

#include <cstdint>

#include "neural_engine/tensor.h"

namespace neural_engine {

// Elements per block of a staged loop: small enough for the stack and the first cache.
inline constexpr int64_t kBlock = 512;

// Elements [first, first + count) of a tensor's memory `src`, which has dtype `from`. T is float, double, int64_t or
// uint64_t. Never undefined: a float that an integer cannot hold becomes the nearest one that it can, NaN becomes 0.
template <class T>
void load(DType from, const void* src, int64_t first, int64_t count, T* values);

// The reverse. To a narrower integer the low bits are kept when T is an integer, and it saturates when T is floating.
// To a float it rounds once, to nearest even; `saturate` is that of float_to_float8. Two 4-bit elements share a byte:
// distinct threads must write ranges that begin at even elements.
template <class T>
void store(DType to, const T* values, int64_t count, void* dst, int64_t first, bool saturate = true);

// The type that holds every value of a dtype: kF32, kF64, kS64 or kU64.
DType wide_type(DType dtype) noexcept;

// Elements of `from` to elements of `to`; the two may be the same memory when their sizes agree.
void convert(DType from, const void* src, DType to, void* dst, int64_t first, int64_t count, bool saturate = true);

}  // namespace neural_engine
