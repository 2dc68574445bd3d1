// Rows of A in the form that the inner step of a quantized product reads: 16 bits without the zero point for pairs,
// u8 for quadruples; and what belongs to each row.
#pragma once

#include <memory>

#include "kernels/int_matmul.h"
#include "kernels/isa.h"
#include "kernels/jit/quantize_row.h"

namespace neural_engine::jit {

class IntRows {
 public:
  struct Memory {
    char* elements = nullptr;  // rows of row_bytes()
    float* scales = nullptr;
    int32_t* zeros = nullptr;  // of quadruples
    int32_t* sums = nullptr;   // of the row without its zero point, where B has zero points
  };

  IntRows(Isa isa, const IntMatmulDesc& desc);

  int64_t row_bytes() const { return row_bytes_; }
  int64_t scratch_bytes(int64_t m) const;
  Memory lay_out(int64_t m, void* scratch) const;
  void read(const IntMatmulArgs& args, int64_t m, const Memory& memory) const;

 private:
  void quantize(const float* a, int64_t m, const Memory& memory) const;
  template <class T>
  void convert(const T* a, int32_t zero, int64_t m, const Memory& memory) const;
  void add_up(int64_t m, const Memory& memory) const;

  const DType dtype_;
  const int64_t k_;
  const bool quadruples_, has_sums_;
  const int64_t row_bytes_;
  const std::shared_ptr<const QuantizeRow> quantize_;  // of an f32 A
};

}  // namespace neural_engine::jit
