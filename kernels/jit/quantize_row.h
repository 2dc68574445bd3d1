// Rows of floats to 16-bit integers on a grid: what quantized products read.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/isa.h"

namespace neural_engine::jit {

struct QuantizeRowCall {
  const float* src;
  void* dst;               // written in whole vectors, up to 32 elements; what lies behind the row is not its own
  int64_t n;               // >= 1
  float low, high;         // bounds() writes these: the extremes, 0 among them
  uint32_t absolute_bits;  // and the bits of the largest absolute value, NaN above infinity
  float inverse;
  int32_t from, to;  // round(src * inverse) is cut to these
};

class QuantizeRow {
 public:
  // 16-bit numbers, or u8 from which `from` is subtracted.
  static std::shared_ptr<const QuantizeRow> get(Isa isa, bool bytes);
  virtual ~QuantizeRow() = default;
  virtual void bounds(QuantizeRowCall& call) const = 0;
  virtual void convert(QuantizeRowCall& call) const = 0;
};

}  // namespace neural_engine::jit
