// Softmax over the last dimension, from SoftmaxVec.
#include "kernels/jit/rows.h"
#include "kernels/jit/softmax_vec.h"
#include "kernels/requests.h"

namespace neural_engine::jit {
namespace {

constexpr int64_t kFloat = sizeof(float);

class JitSoftmax final : public SoftmaxKernel {
 public:
  explicit JitSoftmax(Isa isa) : code_(SoftmaxVec::make(isa, {})) {}

 private:
  void execute(const SoftmaxArgs& args, Parallel& parallel) const override {
    if (args.n == 0) return;
    // Four thousand exponentials are a few microseconds.
    parallel.ranges(args.rows, div_up(4096, args.n), [&](int64_t begin, int64_t end) {
      SoftmaxCall call = {};
      call.src = static_cast<const float*>(args.x) + begin * args.ldx;
      call.dst = static_cast<float*>(args.out) + begin * args.ld_out;
      call.src_bytes = args.ldx * kFloat;
      call.dst_bytes = args.ld_out * kFloat;
      call.n = args.n;
      call.rows = end - begin;
      code_->run(call);
    });
  }

  const std::shared_ptr<const SoftmaxVec> code_;
};

}  // namespace

std::string supports(const SoftmaxDesc& desc) { return check_f32(desc); }
double cost(const SoftmaxDesc& desc, Isa) { return elements(desc) * 0.6e-3; }
std::unique_ptr<SoftmaxKernel> make(const SoftmaxDesc&, Isa isa) { return std::make_unique<JitSoftmax>(isa); }

}  // namespace neural_engine::jit
