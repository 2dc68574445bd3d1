#include "kernels/reference/reference.h"
#include "kernels/requests.h"

namespace neural_engine::reference {
namespace {

class ReferenceEltwise final : public EltwiseKernel {
 public:
  explicit ReferenceEltwise(const EltwiseDesc& desc) : ops_(desc.ops) {}

 private:
  void execute(const EltwiseArgs& args, Parallel& parallel) const override {
    parallel.ranges(args.m * args.n, 4096, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t m = i / args.n, n = i % args.n;
        const double x = static_cast<const float*>(args.src)[m * args.ld_src + n];
        static_cast<float*>(args.dst)[m * args.ld_dst + n] = static_cast<float>(apply(ops_, args.operands, x, 0, m, n));
      }
    });
  }

  Epilogue ops_;
};

}  // namespace

std::string supports(const EltwiseDesc& desc) { return check_f32(desc); }
double cost(const EltwiseDesc& desc, const CpuInfo&) {
  return elements(desc) * 20e-3 * static_cast<double>(1 + desc.ops.size());
}
std::unique_ptr<EltwiseKernel> make(const EltwiseDesc& desc) { return std::make_unique<ReferenceEltwise>(desc); }

}  // namespace neural_engine::reference
