#include "kernels/jit/softmax_vec.h"

#include <cmath>
#include <cstddef>

#include "kernels/jit/math_emitter.h"
#include "kernels/jit/vec.h"

namespace neural_engine::jit {
namespace {

// void(SoftmaxCall*)
class SoftmaxGenerator final : public VecGenerator, public SoftmaxVec {
 public:
  SoftmaxGenerator(Isa isa, const SoftmaxVariant& variant)
      : VecGenerator(isa), variant_(variant), math_(*this, kFirstTemp) {
    preamble();
    mov(src_, field(offsetof(SoftmaxCall, src)));
    mov(dst_, field(offsetof(SoftmaxCall, dst)));
    if (variant_.masked) mov(mask_row_, field(offsetof(SoftmaxCall, mask)));
    Xbyak::Label row;
    L(row);
    scale_and_max();
    reduce_maximum();
    if (variant_.running) join_maximum();
    avoid_infinity();
    if (variant_.running) correct();
    exponentials();
    reduce(sum_, temp(0), [&](const Vec& d, const Vec& a, const Vec& b) { vaddps(d, a, b); });
    variant_.running ? store_state() : divide();
    next_row();
    dec(qword[call_ + static_cast<int>(offsetof(SoftmaxCall, rows))]);
    jnz(row, T_NEAR);
    postamble();
    finish("softmax");
  }

  void run(SoftmaxCall& call) const override { entry<void(SoftmaxCall*)>()(&call); }

 private:
  static constexpr int kFirstTemp = 8;  // 8..11; data in 0..3, the maximum's accumulators in 4..7

  Vec acc(int i) const { return v(4 + i); }
  Vec temp(int i) const { return v(kFirstTemp + i); }
  Xbyak::Address field(size_t offset) { return ptr[call_ + static_cast<int>(offset)]; }

  template <class Body>
  void pass(Body body) {
    mov(left_, field(offsetof(SoftmaxCall, n)));
    walk_row(column_, left_, mask_, body);
  }

  // The four accumulators and their lanes to one value in acc(0).
  void reduce_maximum() {
    const auto max = [&](const Vec& d, const Vec& a, const Vec& b) { vmaxps(d, a, b); };
    max(acc(0), acc(0), acc(1));
    max(acc(2), acc(2), acc(3));
    max(acc(0), acc(0), acc(2));
    reduce(acc(0), temp(0), max);
  }

  void scale_and_max() {
    for (int i = 0; i < kWalkVecs; ++i) load_constant(acc(i), -HUGE_VALF);
    if (variant_.scaled) vbroadcastss(kept_, dword[call_ + static_cast<int>(offsetof(SoftmaxCall, scale))]);
    pass([&](int vecs, bool tail) {
      for (int i = 0; i < vecs; ++i) {
        const int at = i * vec_bytes();
        load(v(i), ptr[src_ + column_ + at], mask_, tail);
        if (variant_.scaled && !variant_.masked) vmulps(v(i), v(i), kept_);
        if (variant_.masked) {
          load(temp(0), ptr[mask_row_ + column_ + at], mask_, tail);
          vfmadd213ps(v(i), kept_, temp(0));
        }
        if (variant_.scaled) store(ptr[dst_ + column_ + at], v(i), temp(1), mask_, tail);
        if (tail) keep_tail(v(i), constant(-HUGE_VALF), temp(0), temp(1), mask_);
        vmaxps(acc(i), acc(i), v(i));
      }
    });
  }

  // acc(0) = max(acc(0), state); kept_ = state.
  void join_maximum() {
    mov(state_, field(offsetof(SoftmaxCall, max)));
    vbroadcastss(kept_, dword[state_]);
    vmaxps(acc(0), acc(0), kept_);
    vmovss(dword[state_], Xbyak::Xmm(acc(0).getIdx()));
  }

  // max_ = acc(0), or 0 where that is -inf.
  void avoid_infinity() { zero_where(max_, acc(0), constant(-HUGE_VALF), temp(0)); }

  // correction = exp(maximum before - maximum now); kept_ is the sum of earlier blocks, corrected.
  void correct() {
    vsubps(kept_, kept_, max_);
    math_.exp(kept_);
    mov(state_, field(offsetof(SoftmaxCall, correction)));
    vmovss(dword[state_], Xbyak::Xmm(kept_.getIdx()));
    mov(state_, field(offsetof(SoftmaxCall, sum)));
    vbroadcastss(temp(0), dword[state_]);
    vmulps(kept_, kept_, temp(0));
  }

  // One accumulator is enough: four dependent additions take less time than four exponentials.
  void exponentials() {
    zero(sum_);
    const Xbyak::Reg64& from = variant_.scaled ? dst_ : src_;
    const Vec x[] = {v(0), v(1), v(2), v(3)}, n[] = {v(4), v(5), v(6), v(7)}, scale[] = {v(8), v(9), v(10), v(11)};
    pass([&](int vecs, bool tail) {
      const size_t count = static_cast<size_t>(vecs);
      for (int i = 0; i < vecs; ++i) {
        load(v(i), ptr[from + column_ + i * vec_bytes()], mask_, tail);
        vsubps(v(i), v(i), max_);
      }
      math_.exp({x, count}, {n, count}, {scale, count}, loaded_);
      for (int i = 0; i < vecs; ++i) {
        store(ptr[dst_ + column_ + i * vec_bytes()], v(i), temp(0), mask_, tail);
        if (tail) keep_tail(v(i), constant(0.0f), temp(0), temp(1), mask_);
        vaddps(sum_, sum_, v(i));
      }
    });
  }

  void store_state() {
    vaddps(sum_, sum_, kept_);
    mov(state_, field(offsetof(SoftmaxCall, sum)));
    vmovss(dword[state_], Xbyak::Xmm(sum_.getIdx()));
    for (const size_t array :
         {offsetof(SoftmaxCall, max), offsetof(SoftmaxCall, sum), offsetof(SoftmaxCall, correction)})
      add(qword[call_ + static_cast<int>(array)], 4);
  }

  void divide() {
    load_constant(temp(0), 1.0f);
    vdivps(max_, temp(0), sum_);
    pass([&](int vecs, bool tail) {
      for (int i = 0; i < vecs; ++i) {
        load(v(i), ptr[dst_ + column_ + i * vec_bytes()], mask_, tail);
        vmulps(v(i), v(i), max_);
        store(ptr[dst_ + column_ + i * vec_bytes()], v(i), temp(0), mask_, tail);
      }
    });
  }

  void next_row() {
    add(src_, field(offsetof(SoftmaxCall, src_bytes)));
    add(dst_, field(offsetof(SoftmaxCall, dst_bytes)));
    if (variant_.masked) add(mask_row_, field(offsetof(SoftmaxCall, mask_bytes)));
  }

  const SoftmaxVariant variant_;
  MathEmitter math_;
  const Vec max_ = v(12), kept_ = v(13), loaded_ = v(14), sum_ = v(15);
  const Xbyak::Reg64 call_ = rdi, src_ = rsi, dst_ = rdx, left_ = rcx, column_ = rax, mask_row_ = r8, mask_ = r9,
                     state_ = r10;
};

}  // namespace

std::shared_ptr<const SoftmaxVec> SoftmaxVec::make(Isa isa, const SoftmaxVariant& variant) {
  return generate("softmax", [&] { return std::make_shared<SoftmaxGenerator>(isa, variant); });
}

}  // namespace neural_engine::jit
