// C[M,N] = epilogue(A[M,K] x B[K,N]) of 8-bit integers: products and sums are integers.
//
//   sum[i,j]   =  sum over k of (a[i,k] - zero_a) * (b[k,j] - zero_b[j])             exact in s32 up to max_int_k()
//   C[i,j]     =  epilogue(float(sum) * (scale_a * scale_b[j]))
//
// A is s8 or u8 with one scale and one zero point, or f32 that is quantized row by row as it is read:
//
//   row i of A:   low = min(0, min(a)), high = max(0, max(a)), scale_a[i] = max(high - low, 1e-30) / 255
//                 zero = round(-low / scale_a);  a[i,k] - zero_a = clamp(round(a / scale_a), -zero, 255 - zero)
//
// Divisions by that scale_a are multiplications by 1 / scale_a; halves round to even. A row that holds NaN or an
// infinity, or whose range overflows, yields NaN. All rows of the table give the same bits, NaN's payload aside: the
// float part is one sequence of IEEE operations on all of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/parallel.h"
#include "kernels/epilogue.h"
#include "kernels/kernel.h"

namespace neural_engine {

class IntMatmulKernel;

struct IntMatmulDesc {
  using Kernel = IntMatmulKernel;

  int64_t m = 0;              // a hint for the cost, 0 when unknown
  int64_t n = 0, k = 0;       // > 0
  bool b_transposed = false;  // B as given to pack() is [N,K]
  Epilogue epilogue = {};     // C has its result_dtype()
  DType a = DType::kF32;      // kF32, kU8 or kS8
  DType b = DType::kS8;       // or kU8, which is packed as s8: 128 less, and so are its zero points
  bool has_zero_b = false;    // else zero_b is not read: zeros as it is packed

  bool operator==(const IntMatmulDesc&) const = default;
};

// Strides in elements. C overlaps none of the inputs.
struct IntMatmulArgs {
  int64_t m = 0;
  const void* a = nullptr;
  int64_t lda = 0;
  float scale_a = 1.0f;             // for an A of 8 bits
  int32_t zero_a = 0;               // the same
  const void* b = nullptr;          // what pack() wrote, 64-byte aligned
  const float* scale_b = nullptr;   // [N]
  const int32_t* zero_b = nullptr;  // [N], of B as it is packed
  void* c = nullptr;
  int64_t ldc = 0;
  std::span<const EpilogueOperand> operands = {};  // one per op of the epilogue that takes one
  void* scratch = nullptr;                         // scratch_bytes() bytes, 64-byte aligned
};

class IntMatmulKernel : public Kernel {
 public:
  // As MatmulKernel's.
  virtual int64_t packed_bytes() const = 0;
  virtual std::string packing() const = 0;
  virtual void pack(const void* b, int64_t ldb, void* packed, Parallel& parallel) const = 0;

  // For any number of threads.
  virtual int64_t scratch_bytes(int64_t m) const = 0;

  // The same bits for any number of threads. Allocates nothing.
  void run(const IntMatmulArgs& args, Parallel& parallel) const {
    count();
    execute(args, parallel);
  }

 private:
  virtual void execute(const IntMatmulArgs& args, Parallel& parallel) const = 0;
};

// How one row of A is quantized, from its bounds (0 included) and the bits of its largest absolute value.
struct RowQuantization {
  float scale;    // NaN when the row cannot be quantized
  float inverse;  // 0 then
  int32_t low, high;

  static RowQuantization of(float low, float high, uint32_t absolute_bits) noexcept;
};

// The most rows of B whose sums stay in 32 bits: 255 * 128 is the largest product, 255 * 255 that with zero points of
// B.
int64_t max_int_k(bool has_zero_b) noexcept;

// Empty, or why no row can serve the request: sizes, and ops of the epilogue whose bits are not defined.
std::string check_int_matmul(const IntMatmulDesc& desc);

}  // namespace neural_engine
