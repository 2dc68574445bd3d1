// Row-wise kernels: layer and RMS normalisation, softmax. Each row is [n], strides in elements.
#pragma once

#include <cstdint>

#include "base/parallel.h"
#include "kernels/kernel.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

class NormKernel;

// s = x (+ residual); out = (s - mean(s)) / sqrt(var(s) + epsilon) * gamma + beta, the variance over n; RMS leaves the
// mean out: out = s / sqrt(mean(s^2) + epsilon) * gamma + beta.
struct NormDesc {
  using Kernel = NormKernel;
  enum class Kind : uint8_t { kLayer, kRms };

  DType dtype = DType::kF32;
  Kind kind = Kind::kLayer;
  int64_t n = 0;  // > 0
  float epsilon = 1e-5f;
  bool has_residual = false;
  bool has_gamma = true;
  bool has_beta = true;
  bool writes_sum = false;  // s is a second output
  int64_t rows = 0;         // a hint for the cost

  bool operator==(const NormDesc&) const = default;
};

struct NormArgs {
  int64_t rows = 0;
  const void* x = nullptr;
  int64_t ldx = 0;
  const void* residual = nullptr;
  int64_t ld_residual = 0;
  const void* gamma = nullptr;  // [n]
  const void* beta = nullptr;   // [n]
  void* out = nullptr;          // may be x or the residual, with the same stride
  int64_t ld_out = 0;
  void* sum = nullptr;  // may be x or the residual, with the same stride, if out is not
  int64_t ld_sum = 0;
};

class NormKernel : public Kernel {
 public:
  void run(const NormArgs& args, Parallel& parallel) const {
    count();
    execute(args, parallel);
  }

 private:
  virtual void execute(const NormArgs& args, Parallel& parallel) const = 0;
};

class SoftmaxKernel;

// out = exp(x - max(x)) / sum(exp(x - max(x))). A row of -inf, or with a NaN or +inf in it, yields NaN.
struct SoftmaxDesc {
  using Kernel = SoftmaxKernel;

  DType dtype = DType::kF32;
  int64_t rows = 0, n = 0;  // hints for the cost

  bool operator==(const SoftmaxDesc&) const = default;
};

struct SoftmaxArgs {
  int64_t rows = 0, n = 0;
  const void* x = nullptr;
  int64_t ldx = 0;
  void* out = nullptr;  // may be x with the same stride
  int64_t ld_out = 0;
};

class SoftmaxKernel : public Kernel {
 public:
  void run(const SoftmaxArgs& args, Parallel& parallel) const {
    count();
    execute(args, parallel);
  }

 private:
  virtual void execute(const SoftmaxArgs& args, Parallel& parallel) const = 0;
};

}  // namespace neural_engine
