// The quantized matrix product on vector registers: a strip of C, one panel wide and many rows high.
//
//   panel of B: [k / group][width][group] 8-bit integers                          (kernels/pack/int_panels.h)
//   for each tile of `rows` rows in the strip:
//     for k, a group at a time: acc[r][v] += sum over the group of A[r][k] * B[k][v]
//     acc[r][v] -= row_term[r] * column_term[v]                                   for each correction
//     C = epilogue(float(acc) * (scale_a[r] * scale_b[v]))
//
// The inner step is a matter of the ISA:
//   AVX2, 512   vpmaddwd on pairs: A in 16 bits less its zero point, B widened as it is loaded. vpmaddubsw would take
//               four products at once, but it saturates: two of 255 * 127 exceed 16 bits, and 1.6 % of the pairs of
//               MiniLM's weights can. Six rows by two vectors leave four registers: two of B, one of A, one product.
//   VNNI        vpdpbusd on quadruples: A in u8 as it is; its zero point times the sums of B's columns is a correction.
#pragma once

#include <memory>

#include "kernels/epilogue.h"
#include "kernels/isa.h"

namespace neural_engine::jit {

struct OperandPointer;

// What is subtracted from the sums: int32 by row times int32 by column.
struct IntCorrection {
  const int32_t* rows;
  const int32_t* columns;
};

// Strides in bytes. The code moves a, scale_a, c, the corrections' and the operands' row pointers on.
struct IntStripCall {
  const void* a;  // of 4 bytes a group
  int64_t a_row_bytes;
  const int8_t* b;
  int64_t steps;  // of 8 rows of B, >= 1
  const float* scale_a;
  const float* scale_b;
  IntCorrection corrections[2];  // by IntMatmulVec::Form
  void* c;                       // in the epilogue's result dtype; an 8-bit one is written a panel wide
  int64_t c_row_bytes;
  int64_t tiles;  // >= 1
  int64_t cols;   // 1 .. width
  OperandPointer* operands;
};

class IntMatmulVec {
 public:
  struct Form {
    Isa isa = Isa::kAvx2;
    Epilogue epilogue = {};
    bool has_zero_b = false;  // sums of A's rows, without its zero point, times B's zero points: the last correction

    // Rows of B that one step takes together. With 4 A comes as u8, and the first correction is A's zero point by the
    // sums of B's columns.
    int group() const { return isa == Isa::kAvx2 || isa == Isa::kAvx512 ? 2 : 4; }
    bool has_zero_a() const { return group() == 4; }
    int corrections() const { return int{has_zero_a()} + int{has_zero_b}; }
    int max_rows() const { return isa == Isa::kAvx2 || isa == Isa::kAvxVnni ? 6 : 12; }
    int width() const;
    bool operator==(const Form&) const = default;
  };

  static std::shared_ptr<const IntMatmulVec> get(const Form& form);
  virtual ~IntMatmulVec() = default;
  // As MatmulVec's. rows 1 .. max_rows()
  virtual void prepare(int rows) const = 0;
  virtual void run(IntStripCall& call, int rows) const = 0;
};

}  // namespace neural_engine::jit
