// out[M,N] = ops(src[M,N]): a chain of unary and binary ops over a matrix, in one pass.
#pragma once

#include <cstdint>
#include <span>

#include "base/parallel.h"
#include "kernels/epilogue.h"
#include "kernels/kernel.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

class EltwiseKernel;

struct EltwiseDesc {
  using Kernel = EltwiseKernel;

  DType src = DType::kF32;
  DType dst = DType::kF32;
  Epilogue ops = {};
  int64_t m = 0, n = 0;  // hints for the cost

  bool operator==(const EltwiseDesc&) const = default;
};

// Strides in elements. A dense tensor without row or column operands is best given as m = 1.
struct EltwiseArgs {
  int64_t m = 0, n = 0;
  const void* src = nullptr;
  int64_t ld_src = 0;
  void* dst = nullptr;  // may be src or a full operand with the same stride
  int64_t ld_dst = 0;
  std::span<const EpilogueOperand> operands;  // one per binary op
};

class EltwiseKernel : public Kernel {
 public:
  void run(const EltwiseArgs& args, Parallel& parallel) const {
    count();
    execute(args, parallel);
  }

 private:
  virtual void execute(const EltwiseArgs& args, Parallel& parallel) const = 0;
};

}  // namespace neural_engine
