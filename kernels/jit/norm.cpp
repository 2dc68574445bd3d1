// Layer and RMS normalisation of rows.
//
//   pass 1: s = x + residual, kept where it is needed again; acc += s (layer) or s^2 (RMS)
//   pass 2: acc += (s - mean)^2                              layer only: two passes, so that nothing cancels
//   pass 3: out = (s - mean) / sqrt(acc / n + epsilon) * gamma + beta
//
// Four accumulators hide the latency of the sums; rows of language models stay in L1 between passes.
#include <cstddef>

#include "kernels/jit/rows.h"
#include "kernels/jit/vec.h"
#include "kernels/requests.h"

namespace neural_engine::jit {
namespace {

constexpr int64_t kFloat = sizeof(float);

// Strides in bytes.
struct NormCall {
  const float* x;
  const float* residual;
  const float* gamma;
  const float* beta;
  float* out;
  float* sum;
  int64_t n, rows;
  int64_t x_bytes, residual_bytes, out_bytes, sum_bytes;
};

// void(NormCall*): all rows of the call.
class NormGenerator final : public VecGenerator {
 public:
  NormGenerator(Isa isa, const NormDesc& desc)
      : VecGenerator(isa), desc_(desc), keeps_s_(desc.has_residual || desc.writes_sum) {
    preamble();
    load_pointers();
    Xbyak::Label row;
    L(row);
    if (is_layer()) {
      accumulate_sum();
      total(mean_);
      vdivps(mean_, mean_, constant(static_cast<float>(desc_.n)));
      accumulate_square();
    } else {
      accumulate_sum();
    }
    total(factor_);
    vdivps(factor_, factor_, constant(static_cast<float>(desc_.n)));
    vaddps(factor_, factor_, constant(desc_.epsilon));
    vsqrtps(factor_, factor_);
    load_constant(v(0), 1.0f);
    vdivps(factor_, v(0), factor_);
    normalise();
    next_row();
    dec(qword[call_ + static_cast<int>(offsetof(NormCall, rows))]);
    jnz(row, T_NEAR);
    postamble();
    finish(is_layer() ? "layer_norm" : "rms_norm");
  }

 private:
  bool is_layer() const { return desc_.kind == NormDesc::Kind::kLayer; }
  Vec acc(int i) const { return v(8 + i); }
  Xbyak::Address field(size_t offset) { return ptr[call_ + static_cast<int>(offset)]; }

  void load_pointers() {
    mov(x_, field(offsetof(NormCall, x)));
    mov(out_, field(offsetof(NormCall, out)));
    if (desc_.has_residual) mov(residual_, field(offsetof(NormCall, residual)));
    if (desc_.has_gamma) mov(gamma_, field(offsetof(NormCall, gamma)));
    if (desc_.has_beta) mov(beta_, field(offsetof(NormCall, beta)));
    if (desc_.writes_sum) mov(sum_, field(offsetof(NormCall, sum)));
  }

  // Where pass 1 leaves s for the later passes.
  const Xbyak::Reg64& kept() const { return desc_.writes_sum ? sum_ : keeps_s_ ? out_ : x_; }

  template <class Body>
  void pass(Body body) {
    mov(left_, field(offsetof(NormCall, n)));
    walk_row(column_, left_, mask_, body);
  }

  void clear_accumulators() {
    for (int i = 0; i < kWalkVecs; ++i) zero(acc(i));
  }

  // The accumulators' lanes, added up in one fixed order.
  void total(const Vec& dst) {
    vaddps(acc(0), acc(0), acc(1));
    vaddps(acc(2), acc(2), acc(3));
    vaddps(dst, acc(0), acc(2));
    reduce(dst, v(0), [&](const Vec& d, const Vec& a, const Vec& b) { vaddps(d, a, b); });
  }

  void accumulate_sum() {
    clear_accumulators();
    pass([&](int vecs, bool tail) {
      for (int i = 0; i < vecs; ++i) {
        const int at = i * vec_bytes();
        load(v(i), ptr[x_ + column_ + at], mask_, tail);
        if (desc_.has_residual) {
          load(v(4), ptr[residual_ + column_ + at], mask_, tail);
          vaddps(v(i), v(i), v(4));
        }
        if (keeps_s_) store(ptr[kept() + column_ + at], v(i), v(5), mask_, tail);
        // Lanes past the end are zero: 0 + 0.
        is_layer() ? vaddps(acc(i), acc(i), v(i)) : vfmadd231ps(acc(i), v(i), v(i));
      }
    });
  }

  void accumulate_square() {
    clear_accumulators();
    pass([&](int vecs, bool tail) {
      for (int i = 0; i < vecs; ++i) {
        load(v(i), ptr[kept() + column_ + i * vec_bytes()], mask_, tail);
        vsubps(v(i), v(i), mean_);
        if (tail) keep_tail(v(i), constant(0.0f), v(4), v(5), mask_);
        vfmadd231ps(acc(i), v(i), v(i));
      }
    });
  }

  void normalise() {
    pass([&](int vecs, bool tail) {
      for (int i = 0; i < vecs; ++i) {
        const int at = i * vec_bytes();
        load(v(i), ptr[kept() + column_ + at], mask_, tail);
        if (is_layer()) vsubps(v(i), v(i), mean_);
        vmulps(v(i), v(i), factor_);
        if (desc_.has_gamma) load(v(4), ptr[gamma_ + column_ + at], mask_, tail);
        if (desc_.has_beta) load(v(5), ptr[beta_ + column_ + at], mask_, tail);
        if (desc_.has_gamma && desc_.has_beta) {
          vfmadd213ps(v(i), v(4), v(5));
        } else if (desc_.has_gamma) {
          vmulps(v(i), v(i), v(4));
        } else if (desc_.has_beta) {
          vaddps(v(i), v(i), v(5));
        }
        store(ptr[out_ + column_ + at], v(i), v(6), mask_, tail);
      }
    });
  }

  void next_row() {
    add(x_, field(offsetof(NormCall, x_bytes)));
    add(out_, field(offsetof(NormCall, out_bytes)));
    if (desc_.has_residual) add(residual_, field(offsetof(NormCall, residual_bytes)));
    if (desc_.writes_sum) add(sum_, field(offsetof(NormCall, sum_bytes)));
  }

  const NormDesc desc_;
  const bool keeps_s_;
  const Vec mean_ = v(12), factor_ = v(13);
  const Xbyak::Reg64 call_ = rdi, x_ = rsi, out_ = rdx, left_ = rcx, column_ = rax, residual_ = r8, gamma_ = r9,
                     beta_ = r10, sum_ = r11, mask_ = r12;
};

class JitNorm final : public NormKernel {
 public:
  JitNorm(const NormDesc& desc, Isa isa)
      : desc_(desc), code_(generate("norm", [&] { return std::make_unique<NormGenerator>(isa, desc); })) {}

 private:
  void execute(const NormArgs& args, Parallel& parallel) const override {
    // Eight thousand elements are a few microseconds.
    parallel.ranges(args.rows, div_up(8192, desc_.n), [&](int64_t begin, int64_t end) {
      const auto at = [begin](const void* data, int64_t ld) { return static_cast<const float*>(data) + begin * ld; };
      const auto to = [begin](void* data, int64_t ld) { return static_cast<float*>(data) + begin * ld; };
      NormCall call = {at(args.x, args.ldx),
                       desc_.has_residual ? at(args.residual, args.ld_residual) : nullptr,
                       static_cast<const float*>(args.gamma),
                       static_cast<const float*>(args.beta),
                       to(args.out, args.ld_out),
                       desc_.writes_sum ? to(args.sum, args.ld_sum) : nullptr,
                       desc_.n,
                       end - begin,
                       args.ldx * kFloat,
                       args.ld_residual * kFloat,
                       args.ld_out * kFloat,
                       args.ld_sum * kFloat};
      code_->entry<void(NormCall*)>()(&call);
    });
  }

  const NormDesc desc_;
  const std::unique_ptr<NormGenerator> code_;
};

}  // namespace

std::string supports(const NormDesc& desc) { return check_f32(desc); }
double cost(const NormDesc& desc, Isa) { return elements(desc) * 0.25e-3; }
std::unique_ptr<NormKernel> make(const NormDesc& desc, Isa isa) { return std::make_unique<JitNorm>(desc, isa); }

}  // namespace neural_engine::jit
