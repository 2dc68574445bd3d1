// The matrix product on vector registers: one strip of C, a few columns wide and many rows high, for one block of K.
//
//   panel of B: [k][width()] floats, width() = 2 vectors            (kernels/pack/panels.h)
// A is read in place: packing its rows was measured to lose as much as it gains (Zen 3, K up to 3072).
//
//   for each tile of `rows` rows in the strip:
//     acc[rows][2 * panels] = first block of K ? 0 : C
//     for k: acc[r][v] += A[r][k] * B[k][v]                         A broadcast, B loaded
//     last block of K ? C = epilogue(alpha * acc) : C = acc
//
// Shapes are chosen so that enough accumulators hide the latency of FMA (4 cycles x 2 a cycle = 8) and as few loads as
// possible feed it. On 16 registers with four left for the loads and the epilogue's temporaries: 6 x 2 vectors (12
// accumulators, 8 loads per 12 FMAs), and for few rows several panels side by side: 1 x 8, 2 x 4, 3 x 4.
#pragma once

#include <memory>

#include "kernels/epilogue.h"
#include "kernels/isa.h"

namespace neural_engine::jit {

struct OperandPointer;

// What one call of generated code works on. Strides in bytes. The code moves a, c and the operands' row pointers on.
struct StripCall {
  const float* a;
  int64_t a_row_bytes;    // from one row of A to the next
  const float* b;         // this block of K in the first panel
  int64_t b_panel_bytes;  // from one panel to the next
  float* c;
  int64_t c_row_bytes;
  int64_t k;             // of this block, >= 1
  int64_t tiles;         // tiles of `rows` rows, >= 1
  int64_t cols;          // columns of the strip that exist: below rows' full width only for one panel
  int64_t first_k;       // 1: C is not read
  int64_t last_k;        // 1: the epilogue runs
  const char* prefetch;  // the bytes needed soon, fetched prefetch_step bytes per step of k
  int64_t prefetch_step;
  OperandPointer* operands;
};

class MatmulVec {
 public:
  static constexpr int kMaxRows = 6;
  static constexpr int kMaxPanels = 4;

  static std::shared_ptr<const MatmulVec> get(Isa isa, float alpha, const Epilogue& epilogue);
  virtual ~MatmulVec() = default;

  // Columns of a panel.
  virtual int width() const = 0;
  // The most panels side by side for tiles of so many rows.
  virtual int max_panels(int rows) const = 0;
  // Generates the code for a shape of tile, which run() would do when it first needs it. May throw, which tasks must
  // not: callers prepare what their tasks will run.
  virtual void prepare(int rows, int panels) const = 0;
  // rows 1 .. kMaxRows, panels 1 or max_panels(rows).
  virtual void run(StripCall& call, int rows, int panels) const = 0;
};

}  // namespace neural_engine::jit
