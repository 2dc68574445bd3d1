// C[M,N] = epilogue(alpha * A[M,K] x B[K,N]), for one matrix or a batch of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/parallel.h"
#include "kernels/epilogue.h"
#include "kernels/kernel.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

class MatmulKernel;

struct MatmulDesc {
  using Kernel = MatmulKernel;

  DType a = DType::kF32;
  DType b = DType::kF32;
  DType c = DType::kF32;
  int64_t m = 0;              // a hint for the cost, 0 when unknown: the kernel takes any M at run time
  int64_t n = 0;              // 0 only when B comes at run time: then known at run time only
  int64_t k = 0;              // likewise
  bool b_constant = true;     // B is packed once by pack(); else B comes with each call
  bool b_transposed = false;  // B as given to pack() or run() is [N,K]
  float alpha = 1.0f;
  Epilogue epilogue = {};

  bool operator==(const MatmulDesc&) const = default;
};

// Strides in elements. C overlaps none of the inputs, the full operands of the epilogue included.
struct MatmulArgs {
  int64_t m = 0, n = 0, k = 0;  // n and k as in the descriptor where it states them; m, n >= 0, k >= 0
  const void* a = nullptr;
  int64_t lda = 0;
  const void* b = nullptr;  // what pack() wrote, 64-byte aligned; or B itself when it is not constant
  int64_t ldb = 0;          // read only when B is not constant
  void* c = nullptr;
  int64_t ldc = 0;
  std::span<const EpilogueOperand> operands = {};  // one per binary op of the epilogue

  int64_t batch = 1;
  int64_t a_batch_stride = 0, b_batch_stride = 0, c_batch_stride = 0;  // b's only when B is not constant

  void* scratch = nullptr;  // scratch_bytes() bytes, 64-byte aligned
};

class MatmulKernel : public Kernel {
 public:
  // Bytes of packed B. The layout depends on the row and the descriptor's B, K and N alone: neither on M, nor on the
  // epilogue, nor on threads. Two kernels with one packing() read the same bytes, so sessions may share them.
  virtual int64_t packed_bytes() const = 0;
  virtual std::string packing() const = 0;
  // Writes all packed_bytes() bytes at `packed` (64-byte aligned). `ldb` in elements; `b` at any address.
  virtual void pack(const void* b, int64_t ldb, void* packed, Parallel& parallel) const = 0;

  // Grows with m, n, k and threads; args' pointers are not looked at.
  virtual int64_t scratch_bytes(const MatmulArgs& shape, int threads) const = 0;

  // The same bits for any number of threads. Allocates nothing (a library's own buffers aside: the onednn row).
  void run(const MatmulArgs& args, Parallel& parallel) const {
    count();
    execute(args, parallel);
  }

 private:
  virtual void execute(const MatmulArgs& args, Parallel& parallel) const = 0;
};

}  // namespace neural_engine
