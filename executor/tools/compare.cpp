#include "executor/tools/compare.h"

#include <cmath>
#include <optional>

#include "base/dtype.h"

namespace neural_engine::tools {

namespace {

template <class T>
void compare_floating(const Tensor& found, const Tensor& expected, double rtol, double atol, Comparison& result) {
  for (int64_t i = 0; i < found.elems(); ++i) {
    const double a = static_cast<double>(found.data<T>()[i]), b = static_cast<double>(expected.data<T>()[i]);
    if ((std::isnan(a) && std::isnan(b)) || a == b) continue;
    const double difference = std::abs(a - b);
    if (!(difference <= result.max_abs)) result.max_abs = difference;
    if (difference <= atol + rtol * std::abs(b)) continue;
    if (result.equal) result.message = text("element ", i, " is ", a, ", expected ", b);
    result.equal = false;
  }
}

void compare_bits(const Tensor& found, const Tensor& expected, Comparison& result) {
  const auto* a = static_cast<const unsigned char*>(found.raw());
  const auto* b = static_cast<const unsigned char*>(expected.raw());
  // The high half of the last byte of an odd number of 4-bit elements means nothing.
  const bool half_used = bits_of(found.dtype()) == 4 && found.elems() % 2 != 0;
  for (size_t i = 0; i < found.bytes(); ++i) {
    const unsigned mask = half_used && i + 1 == found.bytes() ? 0x0f : 0xff;
    if (((a[i] ^ b[i]) & mask) == 0) continue;
    result.equal = false;
    result.message = text("differs from byte ", i, " of ", found.bytes());
    return;
  }
}

}  // namespace

Comparison compare(const Tensor& found, const Tensor& expected, double rtol, double atol) {
  Comparison result;
  if (found.dtype() != expected.dtype() || found.shape() != expected.shape()) {
    result.equal = false;
    result.message = text("is ", to_string(found.dtype()), to_string(found.shape()), ", expected ",
                          to_string(expected.dtype()), to_string(expected.shape()));
    return result;
  }
  switch (found.dtype()) {
    case DType::kF64: compare_floating<double>(found, expected, rtol, atol, result); break;
    case DType::kF32: compare_floating<float>(found, expected, rtol, atol, result); break;
    case DType::kF16: compare_floating<Half>(found, expected, rtol, atol, result); break;
    case DType::kBF16: compare_floating<BFloat16>(found, expected, rtol, atol, result); break;
    default: compare_bits(found, expected, result);
  }
  return result;
}

}  // namespace neural_engine::tools
