#include <algorithm>
#include <cstring>

#include "kernels/reference/reference.h"
#include "kernels/requests.h"

namespace neural_engine::reference {
namespace {

// Columns whose sums are held at once: a row of B is then read along, not across.
constexpr int64_t kColumns = 64;

class ReferenceMatmul final : public MatmulKernel {
 public:
  explicit ReferenceMatmul(const MatmulDesc& desc) : desc_(desc) {}

  int64_t packed_bytes() const override { return desc_.k * desc_.n * int64_t{sizeof(float)}; }
  std::string packing() const override { return "dense.f32"; }

  // [K,N], dense.
  void pack(const void* b, int64_t ldb, void* packed, Parallel& parallel) const override {
    const char* src = static_cast<const char*>(b);
    float* dst = static_cast<float*>(packed);
    parallel.ranges(desc_.k, 64, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k)
        for (int64_t n = 0; n < desc_.n; ++n) {
          const int64_t at = desc_.b_transposed ? n * ldb + k : k * ldb + n;
          std::memcpy(dst + k * desc_.n + n, src + at * int64_t{sizeof(float)}, sizeof(float));
        }
    });
  }

  int64_t scratch_bytes(const MatmulArgs&, int) const override { return 0; }

 private:
  void execute(const MatmulArgs& args, Parallel& parallel) const override {
    parallel.ranges(args.batch * args.m, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t n = 0; n < args.n; n += kColumns)
          row_block(args, row / args.m, row % args.m, n, std::min(kColumns, args.n - n));
    });
  }

  void row_block(const MatmulArgs& args, int64_t batch, int64_t m, int64_t n0, int64_t columns) const {
    const float* a = static_cast<const float*>(args.a) + batch * args.a_batch_stride + m * args.lda;
    const float* b = static_cast<const float*>(args.b);
    const bool transposed = !desc_.b_constant && desc_.b_transposed;
    const int64_t ldb = desc_.b_constant ? args.n : args.ldb;
    if (!desc_.b_constant) b += batch * args.b_batch_stride;
    double sums[kColumns] = {};
    for (int64_t k = 0; k < args.k; ++k)
      for (int64_t j = 0; j < columns; ++j)
        sums[j] += double{a[k]} * double{transposed ? b[(n0 + j) * ldb + k] : b[k * ldb + n0 + j]};
    float* c = static_cast<float*>(args.c) + batch * args.c_batch_stride + m * args.ldc + n0;
    for (int64_t j = 0; j < columns; ++j)
      c[j] = static_cast<float>(apply(desc_.epilogue, args.operands, desc_.alpha * sums[j], batch, m, n0 + j));
  }

  MatmulDesc desc_;
};

}  // namespace

std::string supports(const MatmulDesc& desc) { return check_f32(desc); }
// About 1 Gop/s.
double cost(const MatmulDesc& desc, const CpuInfo&) { return flops(desc) / 1e3; }
std::unique_ptr<MatmulKernel> make(const MatmulDesc& desc) { return std::make_unique<ReferenceMatmul>(desc); }

}  // namespace neural_engine::reference
