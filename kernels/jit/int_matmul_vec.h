// The quantized matrix product on vector registers: a strip of C, one panel wide and many rows high.
//
//   panel of B: [k / 2][16][2] 8-bit integers                                    (kernels/pack/int_panels.h)
//   for each tile of `rows` rows in the strip:
//     for k, two at a time: acc[r][v] += A[r][k] * B[k][v] + A[r][k+1] * B[k+1][v]
//     C = epilogue(float(acc) * (scale_a[r] * scale_b[v]))
//
// The step is vpmaddwd on 16-bit pairs, B widened as it is loaded. vpmaddubsw would take four products at once, but it
// saturates: two of 255 * 127 exceed 16 bits, and 1.6 % of the pairs of MiniLM's weights can. Six rows by two vectors
// leave four registers of sixteen: two of B, one of A, one product.
#pragma once

#include <memory>

#include "kernels/epilogue.h"
#include "kernels/isa.h"

namespace neural_engine::jit {

struct OperandPointer;

// Strides in bytes. The code moves a, scale_a, c and the operands' row pointers on.
struct IntStripCall {
  const int16_t* a;
  int64_t a_row_bytes;
  const int8_t* b;
  int64_t steps;  // of 8 rows of B, >= 1
  const float* scale_a;
  const float* scale_b;
  float* c;
  int64_t c_row_bytes;
  int64_t tiles;  // >= 1
  int64_t cols;   // 1 .. 16
  OperandPointer* operands;
};

class IntMatmulVec {
 public:
  static constexpr int kMaxRows = 6;

  static std::shared_ptr<const IntMatmulVec> get(Isa isa, const Epilogue& epilogue);
  virtual ~IntMatmulVec() = default;
  // rows 1 .. kMaxRows
  virtual void run(IntStripCall& call, int rows) const = 0;
};

}  // namespace neural_engine::jit
