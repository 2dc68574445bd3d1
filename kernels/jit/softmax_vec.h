// Softmax over rows, whole or in blocks of a row that arrive one after the other.
//
//   pass 1: t = x * scale + mask, kept in dst; m = max(t)
//   pass 2: p = exp(t - m), kept in dst; l = sum(p)
//   whole rows:  pass 3: dst = p / l
//   running:     m is the maximum of this and all earlier blocks (state in, state out), l the sum that goes with it,
//                and `correction` what earlier results must be multiplied with: exp(m before - m now)
//
// Where all is -inf, m - m would be NaN too early for a running row, whose later blocks may hold more: p is then 0
// and l is 0, and dividing by l at the end gives the NaN that softmax has there.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/isa.h"

namespace neural_engine::jit {

// Strides in bytes. The arrays of the state have one float per row.
struct SoftmaxCall {
  const float* src;
  float* dst;  // may be src
  int64_t src_bytes, dst_bytes;
  int64_t n, rows;  // rows >= 1
  const float* mask;
  int64_t mask_bytes;
  float* max;         // running: before the first block -inf
  float* sum;         // running: before the first block 0
  float* correction;  // running: written
  float scale;
};

struct SoftmaxVariant {
  bool scaled = false;   // else x is taken as it is
  bool masked = false;   // with `scaled` only
  bool running = false;  // else whole rows
};

class SoftmaxVec {
 public:
  static std::shared_ptr<const SoftmaxVec> make(Isa isa, const SoftmaxVariant& variant);
  virtual ~SoftmaxVec() = default;
  // Moves the call's pointers on.
  virtual void run(SoftmaxCall& call) const = 0;
};

}  // namespace neural_engine::jit
