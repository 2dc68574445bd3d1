// out = softmax(scale * Q K^T + mask) V for each batch and head.
#pragma once

#include <cstdint>

#include "base/parallel.h"
#include "kernels/kernel.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

class AttentionKernel;

struct AttentionDesc {
  using Kernel = AttentionKernel;
  enum class Mask : uint8_t {
    kNone,
    kAdditive,  // f32, added to the scaled product
    kBoolean,   // one byte, 0: as if -inf were added
  };

  DType dtype = DType::kF32;  // of q, k, v and out
  int64_t num_heads = 1;
  int64_t num_kv_heads =
      1;                  // divides num_heads: head h reads the keys and values of head h / (num_heads / num_kv_heads)
  int64_t head_size = 0;  // of q and k, 1..256
  int64_t v_head_size = 0;  // of v and out, 1..256
  float scale = 1.0f;
  Mask mask = Mask::kNone;
  bool causal = false;                // query i sees keys 0 .. i + args.causal_offset
  int64_t sq = 0, sk = 0, batch = 0;  // hints for the cost, 0 when unknown

  bool operator==(const AttentionDesc&) const = default;
};

// Strides in elements; the elements of one head's row lie side by side.
struct AttentionMatrix {
  void* data = nullptr;
  int64_t batch_stride = 0, head_stride = 0, row_stride = 0;
};

struct AttentionMask {
  const void* data = nullptr;                                             // read when the descriptor has a mask
  int64_t batch_stride = 0, head_stride = 0, q_stride = 0, k_stride = 0;  // 0: the same for all
};

// The softmax is the plain one, also where nothing is left to see: a query whose keys are all at -inf (all masked by
// the boolean mask or the causal rule included) yields NaN, one whose keys are all at the lowest finite value yields
// the mean of the values. A NaN in a query's scores makes its output NaN.
struct AttentionArgs {
  int64_t batch = 0, sq = 0, sk = 0;
  AttentionMatrix q, k, v, out;  // q, k, v are only read
  AttentionMask mask;
  int64_t causal_offset = 0;  // sk - sq when the queries are the last ones; the number of past keys
  void* scratch = nullptr;    // scratch_bytes() bytes, 64-byte aligned
};

class AttentionKernel : public Kernel {
 public:
  // Grows with batch * heads * (sq + sk), never with sq * sk.
  virtual int64_t scratch_bytes(const AttentionArgs& shape, int threads) const = 0;

  // The same bits for any number of threads; out overlaps no input.
  void run(const AttentionArgs& args, Parallel& parallel) const {
    count();
    execute(args, parallel);
  }

 private:
  virtual void execute(const AttentionArgs& args, Parallel& parallel) const = 0;
};

}  // namespace neural_engine
