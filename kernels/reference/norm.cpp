#include <algorithm>
#include <cmath>

#include "kernels/reference/reference.h"
#include "kernels/requests.h"

namespace neural_engine::reference {
namespace {

class ReferenceNorm final : public NormKernel {
 public:
  explicit ReferenceNorm(const NormDesc& desc) : desc_(desc) {}

 private:
  void execute(const NormArgs& args, Parallel& parallel) const override {
    parallel.ranges(args.rows, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) normalise(args, row);
    });
  }

  static float at(const void* data, int64_t index) { return static_cast<const float*>(data)[index]; }

  void normalise(const NormArgs& args, int64_t row) const {
    // The sum is an f32 value, as it is when it is an output: it may overwrite x or the residual.
    const auto value = [&](int64_t i) -> float {
      const float x = at(args.x, row * args.ldx + i);
      return desc_.has_residual ? x + at(args.residual, row * args.ld_residual + i) : x;
    };
    double mean = 0, square = 0;
    if (desc_.kind == NormDesc::Kind::kLayer) {
      for (int64_t i = 0; i < desc_.n; ++i) mean += value(i);
      mean /= static_cast<double>(desc_.n);
    }
    for (int64_t i = 0; i < desc_.n; ++i) square += (value(i) - mean) * (value(i) - mean);
    const double factor = 1.0 / std::sqrt(square / static_cast<double>(desc_.n) + desc_.epsilon);
    for (int64_t i = 0; i < desc_.n; ++i) {
      const float s = value(i);
      double normal = (s - mean) * factor;
      if (desc_.has_gamma) normal *= at(args.gamma, i);
      if (desc_.has_beta) normal += at(args.beta, i);
      if (desc_.writes_sum) static_cast<float*>(args.sum)[row * args.ld_sum + i] = s;
      static_cast<float*>(args.out)[row * args.ld_out + i] = static_cast<float>(normal);
    }
  }

  NormDesc desc_;
};

class ReferenceSoftmax final : public SoftmaxKernel {
 private:
  void execute(const SoftmaxArgs& args, Parallel& parallel) const override {
    parallel.ranges(args.rows, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float* x = static_cast<const float*>(args.x) + row * args.ldx;
        float* out = static_cast<float*>(args.out) + row * args.ld_out;
        double max = -HUGE_VAL, sum = 0;
        for (int64_t i = 0; i < args.n; ++i) max = std::max(max, double{x[i]});
        for (int64_t i = 0; i < args.n; ++i) sum += std::exp(x[i] - max);
        for (int64_t i = 0; i < args.n; ++i) out[i] = static_cast<float>(std::exp(x[i] - max) / sum);
      }
    });
  }
};

}  // namespace

std::string supports(const NormDesc& desc) { return check_f32(desc); }
double cost(const NormDesc& desc, const CpuInfo&) { return elements(desc) * 4e-3; }
std::unique_ptr<NormKernel> make(const NormDesc& desc) { return std::make_unique<ReferenceNorm>(desc); }

std::string supports(const SoftmaxDesc& desc) { return check_f32(desc); }
double cost(const SoftmaxDesc& desc, const CpuInfo&) { return elements(desc) * 20e-3; }
std::unique_ptr<SoftmaxKernel> make(const SoftmaxDesc&) { return std::make_unique<ReferenceSoftmax>(); }

}  // namespace neural_engine::reference
