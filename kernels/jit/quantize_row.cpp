#include "kernels/jit/quantize_row.h"

#include <cmath>
#include <cstddef>
#include <mutex>

#include "kernels/jit/vec.h"

namespace neural_engine::jit {
namespace {

// void(QuantizeRowCall*), twice.
class QuantizeRowGenerator final : public VecGenerator, public QuantizeRow {
 public:
  QuantizeRowGenerator(Isa isa, bool bytes) : VecGenerator(isa), bytes_(bytes) {
    emit_bounds();
    align(64);
    convert_at_ = getSize();
    emit_convert();
    finish("quantize_row");
  }

  void bounds(QuantizeRowCall& call) const override { entry<void(QuantizeRowCall*)>()(&call); }
  void convert(QuantizeRowCall& call) const override { entry<void(QuantizeRowCall*)>(convert_at_)(&call); }

 private:
  Xbyak::Address field(size_t offset) { return ptr[call_ + static_cast<int>(offset)]; }
  Xbyak::Address field32(size_t offset) { return dword[call_ + static_cast<int>(offset)]; }
  Vec low(int i) const { return v(4 + i); }
  Vec high(int i) const { return v(8 + i); }

  // Lanes behind the row are loaded as zeros, which change no extreme. NaN loses against the running extreme, and is
  // told by its bits.
  void emit_bounds() {
    preamble();
    mov(src_, field(offsetof(QuantizeRowCall, src)));
    mov(left_, field(offsetof(QuantizeRowCall, n)));
    for (int i = 0; i < kWalkVecs; ++i) {
      zero(low(i));
      zero(high(i));
    }
    zero(absolute_);
    vmovups(sign_less_, constant_bits(0x7fffffffu));
    walk_row(column_, left_, mask_, [&](int vecs, bool tail) {
      for (int i = 0; i < vecs; ++i) {
        load(v(i), ptr[src_ + column_ + i * vec_bytes()], mask_, tail);
        vminps(low(i), v(i), low(i));
        vmaxps(high(i), v(i), high(i));
        vandps(v(i), v(i), sign_less_);
        vpmaxud(absolute_, absolute_, v(i));
      }
    });
    for (int i = 1; i < kWalkVecs; ++i) {
      vminps(low(0), low(0), low(i));
      vmaxps(high(0), high(0), high(i));
    }
    reduce(low(0), v(0), [&](const Vec& d, const Vec& a, const Vec& b) { vminps(d, a, b); });
    reduce(high(0), v(0), [&](const Vec& d, const Vec& a, const Vec& b) { vmaxps(d, a, b); });
    reduce(absolute_, v(0), [&](const Vec& d, const Vec& a, const Vec& b) { vpmaxud(d, a, b); });
    vmovss(field32(offsetof(QuantizeRowCall, low)), Xbyak::Xmm(low(0).getIdx()));
    vmovss(field32(offsetof(QuantizeRowCall, high)), Xbyak::Xmm(high(0).getIdx()));
    vmovss(field32(offsetof(QuantizeRowCall, absolute_bits)), Xbyak::Xmm(absolute_.getIdx()));
    postamble();
  }

  // Two vectors of floats make one of 16-bit integers, or half a one of bytes; a row may end in either.
  void emit_convert() {
    Xbyak::Label pair, tail, done;
    const Vec inverse = v(12), from = v(13), to = v(14);
    preamble();
    mov(src_, field(offsetof(QuantizeRowCall, src)));
    mov(dst_, field(offsetof(QuantizeRowCall, dst)));
    mov(left_, field(offsetof(QuantizeRowCall, n)));
    vbroadcastss(inverse, field32(offsetof(QuantizeRowCall, inverse)));
    vpbroadcastd(from, field32(offsetof(QuantizeRowCall, from)));
    vpbroadcastd(to, field32(offsetof(QuantizeRowCall, to)));
    const auto convert_pair = [&](bool partial) {
      for (int i = 0; i < 2; ++i) {
        const Xbyak::Address src = ptr[src_ + i * vec_bytes()];
        partial ? load_tail(v(i), src, mask_, i) : vmovups(v(i), src);
        vmulps(v(i), v(i), inverse);
        vcvtps2dq(v(i), v(i));
        vpmaxsd(v(i), v(i), from);
        vpminsd(v(i), v(i), to);
        if (bytes_) vpsubd(v(i), v(i), from);
      }
      if (bytes_) return store_low_bytes(Xbyak::RegExp(dst_), v(0), v(1), v(2), true);
      store_low_words(Xbyak::RegExp(dst_), v(0), v(1));
    };
    const int stored = bytes_ ? 2 * lanes() : 4 * lanes();
    L(pair);
    cmp(left_, 2 * lanes());
    jl(tail, T_NEAR);
    convert_pair(false);
    add(src_, 2 * vec_bytes());
    add(dst_, stored);
    sub(left_, 2 * lanes());
    jmp(pair, T_NEAR);
    L(tail);
    test(left_, left_);
    jz(done, T_NEAR);
    begin_tail(mask_, left_);
    convert_pair(true);
    L(done);
    postamble();
  }

  const bool bytes_;
  size_t convert_at_ = 0;
  const Vec absolute_ = v(12), sign_less_ = v(13);
  const Xbyak::Reg64 call_ = rdi, src_ = rsi, dst_ = rdx, left_ = rcx, column_ = rax, mask_ = r8;
};

}  // namespace

std::shared_ptr<const QuantizeRow> QuantizeRow::get(Isa isa, bool bytes) {
  static std::mutex mutex;
  static std::weak_ptr<const QuantizeRow> cache[kIsaCount][2];
  const std::lock_guard<std::mutex> lock(mutex);
  std::weak_ptr<const QuantizeRow>& slot = cache[static_cast<size_t>(isa)][bytes ? 1 : 0];
  std::shared_ptr<const QuantizeRow> code = slot.lock();
  if (!code) {
    code = generate("quantize_row", [&] { return std::make_shared<QuantizeRowGenerator>(isa, bytes); });
    slot = code;
  }
  return code;
}

}  // namespace neural_engine::jit
