// Pow, whose operands may be of two dtypes; the result has the base's.
#include <algorithm>
#include <atomic>
#include <cmath>

#include "executor/ops/convert.h"
#include "executor/ops/elementwise.h"

namespace neural_engine {

namespace {

// Exact, wrapping. A negative exponent gives the truncated reciprocal; of zero there is none.
bool integer_power(int64_t base, int64_t exponent, bool huge_exponent, int64_t* result) {
  if (exponent < 0 && !huge_exponent) {
    *result = base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
    return base != 0;
  }
  uint64_t power = 1, square = static_cast<uint64_t>(base);
  for (uint64_t rest = static_cast<uint64_t>(exponent); rest != 0; rest >>= 1, square *= square) {
    if (rest & 1) power *= square;
  }
  *result = static_cast<int64_t>(power);
  return true;
}

// A piece of operand k, repeated elements written out, in the type of `values`.
template <class T>
void load_piece(const Tensor& tensor, const Broadcast& plan, int k, const Broadcast::Piece& piece, T* values) {
  const bool repeats = plan.step(k) == 0;
  load(tensor.dtype(), tensor.raw(), piece.in[k], repeats ? 1 : piece.count, values);
  if (repeats) std::fill(values + 1, values + piece.count, values[0]);
}

template <class T>
void power_piece(OpContext& context, const Broadcast& plan, const Broadcast::Piece& piece) {
  T base[kBlock], exponent[kBlock];
  load_piece(context.input(0), plan, 0, piece, base);
  load_piece(context.input(1), plan, 1, piece, exponent);
  if (plan.step(1) == 0 && exponent[0] == T(2)) {  // the variance in a norm; rounds the same
    for (int64_t i = 0; i < piece.count; ++i) base[i] *= base[i];
  } else {
    for (int64_t i = 0; i < piece.count; ++i) base[i] = std::pow(base[i], exponent[i]);
  }
  store(context.output(0).dtype(), base, piece.count, context.output(0).raw(), piece.out);
}

bool integer_piece(OpContext& context, const Broadcast& plan, const Broadcast::Piece& piece) {
  int64_t base[kBlock], exponent[kBlock];
  load_piece(context.input(0), plan, 0, piece, base);
  const bool is_unsigned = context.input(1).dtype() == DType::kU64;
  if (is_unsigned) {
    load_piece(context.input(1), plan, 1, piece, reinterpret_cast<uint64_t*>(exponent));
  } else {
    load_piece(context.input(1), plan, 1, piece, exponent);
  }
  bool valid = true;
  for (int64_t i = 0; i < piece.count; ++i) valid &= integer_power(base[i], exponent[i], is_unsigned, &base[i]);
  store(context.output(0).dtype(), base, piece.count, context.output(0).raw(), piece.out);
  return valid;
}

// Values of these dtypes are exact in float.
bool fits_float(DType dtype) { return bits_of(dtype) <= 16 || dtype == DType::kF32; }

}  // namespace

BoundOp bind_pow(const BindContext& context) {
  const DType base = context.dtype(0), exponent = context.dtype(1);
  const bool integer = is_integer(base) && is_integer(exponent);
  const bool single = is_floating(base) && fits_float(base) && fits_float(exponent);
  const Broadcast plan({context.shape(0), context.shape(1)}, context.output_shape(0));
  return {.run = [plan, integer, single](OpContext& op) {
    std::atomic<bool> valid{true};
    op.parallel.ranges(plan.elems(), kGrain / 4, [&](int64_t begin, int64_t end) {
      plan.walk(begin, end, kBlock, [&](const Broadcast::Piece& piece) {
        if (!integer) return single ? power_piece<float>(op, plan, piece) : power_piece<double>(op, plan, piece);
        if (!integer_piece(op, plan, piece)) valid.store(false, std::memory_order_relaxed);
      });
    });
    require(valid.load(), Code::kInvalidData, "an integer zero raised to a negative power");
  }};
}

}  // namespace neural_engine
