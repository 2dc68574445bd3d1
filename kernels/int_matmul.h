// C[M,N] = epilogue(A[M,K] x B[K,N]) with B in 8 bits and A quantized while it is read: products and sums are integers.
//
//   row i of A:   low = min(0, min(a)), high = max(0, max(a)), scale_a = max(high - low, 1e-30) / 255
//                 zero = round(-low / scale_a);  q = clamp(round(a / scale_a), -zero, 255 - zero)
//   sum[i,j]   =  sum over k of q[i,k] * b[k,j]               exact in s32 up to kMaxIntMatmulK
//   C[i,j]     =  epilogue(float(sum) * (scale_a[i] * scale_b[j]))
//
// q is what asymmetric u8 quantization with one scale per row leaves when its zero point is subtracted, which costs
// nothing here. Divisions by scale_a are multiplications by 1 / scale_a; halves round to even. A row that holds NaN or
// an infinity, or whose range overflows, yields NaN. All rows of the table give the same bits, NaN's payload aside: the
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

// 65535 products of at most 255 * 128 stay below 2^31.
inline constexpr int64_t kMaxIntMatmulK = 65535;

struct IntMatmulDesc {
  using Kernel = IntMatmulKernel;

  int64_t m = 0;              // a hint for the cost, 0 when unknown
  int64_t n = 0, k = 0;       // > 0
  bool b_transposed = false;  // B as given to pack() is [N,K]
  Epilogue epilogue = {};

  bool operator==(const IntMatmulDesc&) const = default;
};

// Strides in elements. C overlaps none of the inputs.
struct IntMatmulArgs {
  int64_t m = 0;
  const float* a = nullptr;
  int64_t lda = 0;
  const void* b = nullptr;         // what pack() wrote, 64-byte aligned
  const float* scale_b = nullptr;  // [N]
  float* c = nullptr;
  int64_t ldc = 0;
  std::span<const EpilogueOperand> operands = {};  // one per binary op of the epilogue
  void* scratch = nullptr;                         // scratch_bytes() bytes, 64-byte aligned
};

class IntMatmulKernel : public Kernel {
 public:
  // As MatmulKernel's.
  virtual int64_t packed_bytes() const = 0;
  virtual std::string packing() const = 0;
  virtual void pack(const int8_t* b, int64_t ldb, void* packed, Parallel& parallel) const = 0;

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

// Empty, or why no row can serve the request: sizes, and ops of the epilogue whose bits are not defined.
std::string check_int_matmul(const IntMatmulDesc& desc);

}  // namespace neural_engine
