// Shared by the element-wise bindings: drivers that bring tensors of any dtype and shape to plain rows of elements.
//
// A row function computes consecutive elements in the memory's own type. f16 and bf16 have no rows: blocks of them are
// converted to float and each result is rounded once. A row may be given the same memory for a source and the result.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/dtype.h"
#include "executor/op_binding.h"
#include "executor/ops/broadcast.h"
#include "kernels/epilogue.h"

namespace neural_engine {

// Elements per task: some microseconds of work.
inline constexpr int64_t kGrain = 4096;

// ---- one operand

// The attributes that the activations have, whatever their names.
struct UnaryParams {
  double alpha = 0;
  double beta = 0;
};

using UnaryRow = void (*)(const void* src, void* dst, int64_t count, const UnaryParams& params);

// F::of(x, alpha, beta) on each element, all of type T; the result has type R.
template <class T, class R, class F>
void unary_row(const void* src, void* dst, int64_t count, const UnaryParams& params) {
  const T* x = static_cast<const T*>(src);
  R* y = static_cast<R*>(dst);
  const T alpha = static_cast<T>(params.alpha), beta = static_cast<T>(params.beta);
  for (int64_t i = 0; i < count; ++i) y[i] = static_cast<R>(F::of(x[i], alpha, beta));
}

// Runs `row`, written for elements of type `compute`, on input 0. An input of another dtype is staged through
// `compute` (kF32 or kF64); the result is then rounded to the output's dtype, unless the row gives bool.
BoundOp bind_unary(const BindContext& context, UnaryRow row, DType compute, UnaryParams params);

// ---- two operands

// False when some element has no result (an integer division by zero). A step is 1, or 0 for a repeated element.
using BinaryRow = bool (*)(const void* a, int64_t step_a, const void* b, int64_t step_b, void* dst, int64_t count);

// F's call operator on pairs of elements; F::valid() afterwards says whether all had a result.
template <class T, class R, class F>
bool binary_row(const void* lhs, int64_t step_a, const void* rhs, int64_t step_b, void* dst, int64_t count) {
  const T* a = static_cast<const T*>(lhs);
  const T* b = static_cast<const T*>(rhs);
  R* y = static_cast<R*>(dst);
  F f;
  if (step_a != 0 && step_b != 0) {
    for (int64_t i = 0; i < count; ++i) y[i] = static_cast<R>(f(a[i], b[i]));
  } else if (step_a != 0) {
    const T repeated = *b;
    for (int64_t i = 0; i < count; ++i) y[i] = static_cast<R>(f(a[i], repeated));
  } else {
    const T repeated = *a;
    for (int64_t i = 0; i < count; ++i) y[i] = static_cast<R>(f(repeated, b[i * step_b]));
  }
  return f.valid();
}

// What most binary functors are.
struct AlwaysValid {
  static constexpr bool valid() { return true; }
};

// The row of F for a dtype; f16 and bf16 get that of float. Logical: the result is bool.
template <class F, bool kLogical = false>
BinaryRow binary_row_of(DType dtype) {
  if (dtype == DType::kF16 || dtype == DType::kBF16) dtype = DType::kF32;
  BinaryRow row = nullptr;
  dispatch_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (!std::is_same_v<T, Half> && !std::is_same_v<T, BFloat16> && !std::is_same_v<T, bool>) {
      row = binary_row<T, std::conditional_t<kLogical, bool, T>, F>;
    }
  });
  return row;
}

// Inputs 0 and 1, of one dtype, broadcast. `on_invalid` is the error's text for a row that returned false.
BoundOp bind_binary(const BindContext& context, BinaryRow row, const char* on_invalid = "");

// All inputs, of one dtype, folded from the left by `row`; f16 and bf16 are rounded once, at the end. The sum is
// divided by the number of inputs when `mean`.
BoundOp bind_variadic(const BindContext& context, BinaryRow row, bool mean = false);

// ---- kernels

// Binds the cheapest kernel row for a unary op on f32, if one better than the reference takes it; what was refused is
// recorded in any case. False when the caller has to bind its own loop.
bool bind_kernel(const BindContext& context, const EpilogueOp& op, BoundOp* bound);
// The same for a binary op on the broadcasts that kernels know: same shapes, scalars, rows and columns of a matrix.
bool bind_kernel(const BindContext& context, BinaryOp op, const Broadcast& plan, BoundOp* bound);

// ---- files of the family

std::span<const OpBinding> math_bindings();
std::span<const OpBinding> activation_bindings();
std::span<const OpBinding> arithmetic_bindings();
std::span<const OpBinding> logic_bindings();
std::span<const OpBinding> select_bindings();

}  // namespace neural_engine
