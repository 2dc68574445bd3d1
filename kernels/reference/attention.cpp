#include <algorithm>
#include <cmath>

#include "kernels/reference/reference.h"
#include "kernels/requests.h"

namespace neural_engine::reference {
namespace {

class ReferenceAttention final : public AttentionKernel {
 public:
  explicit ReferenceAttention(const AttentionDesc& desc) : desc_(desc) {}

  // One row of scores a worker.
  int64_t scratch_bytes(const AttentionArgs& shape, int threads) const override {
    return threads * row_bytes(shape.sk);
  }

 private:
  static int64_t row_bytes(int64_t sk) { return round_up(sk * int64_t{sizeof(double)}, kScratchAlignment); }

  void execute(const AttentionArgs& args, Parallel& parallel) const override {
    parallel.run(args.batch * desc_.num_heads * args.sq, [&](int64_t index, int worker) {
      char* scratch = static_cast<char*>(args.scratch) + worker * row_bytes(args.sk);
      const int64_t head = index / args.sq;
      query(args, head / desc_.num_heads, head % desc_.num_heads, index % args.sq, reinterpret_cast<double*>(scratch));
    });
  }

  static const float* row(const AttentionMatrix& matrix, int64_t batch, int64_t head, int64_t index) {
    return static_cast<const float*>(matrix.data) + batch * matrix.batch_stride + head * matrix.head_stride +
           index * matrix.row_stride;
  }

  double masked(const AttentionArgs& args, int64_t b, int64_t h, int64_t i, int64_t j, double score) const {
    const AttentionMask& mask = args.mask;
    const int64_t at = b * mask.batch_stride + h * mask.head_stride + i * mask.q_stride + j * mask.k_stride;
    if (desc_.causal && j > i + args.causal_offset) return -HUGE_VAL;
    if (desc_.mask == AttentionDesc::Mask::kBoolean && static_cast<const uint8_t*>(mask.data)[at] == 0)
      return -HUGE_VAL;
    // The sum is rounded to float: -3.4e38 + 5 is the same number as -3.4e38 - 5.
    if (desc_.mask == AttentionDesc::Mask::kAdditive)
      return static_cast<float>(score + double{static_cast<const float*>(mask.data)[at]});
    return score;
  }

  void query(const AttentionArgs& args, int64_t b, int64_t h, int64_t i, double* scores) const {
    const int64_t kv_head = h / (desc_.num_heads / desc_.num_kv_heads);
    const float* q = row(args.q, b, h, i);
    double max = -HUGE_VAL;
    for (int64_t j = 0; j < args.sk; ++j) {
      const float* k = row(args.k, b, kv_head, j);
      double dot = 0;
      for (int64_t d = 0; d < desc_.head_size; ++d) dot += double{q[d]} * double{k[d]};
      scores[j] = masked(args, b, h, i, j, dot * desc_.scale);
      max = std::max(max, scores[j]);
    }
    double sum = 0;
    for (int64_t j = 0; j < args.sk; ++j) sum += scores[j] = std::exp(scores[j] - max);
    float* out = const_cast<float*>(row(args.out, b, h, i));
    for (int64_t d = 0; d < desc_.v_head_size; ++d) {
      double value = 0;
      for (int64_t j = 0; j < args.sk; ++j) value += scores[j] * double{row(args.v, b, kv_head, j)[d]};
      out[d] = static_cast<float>(value / sum);
    }
  }

  AttentionDesc desc_;
};

}  // namespace

std::string supports(const AttentionDesc& desc) { return check_f32(desc); }
double cost(const AttentionDesc& desc, const CpuInfo&) { return flops(desc) / 0.5e3; }
std::unique_ptr<AttentionKernel> make(const AttentionDesc& desc) { return std::make_unique<ReferenceAttention>(desc); }

}  // namespace neural_engine::reference
