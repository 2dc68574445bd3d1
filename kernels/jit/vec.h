// Vector code with the width as a value: the body of a kernel is written once, its ISA is an argument.
#pragma once

#include <bit>
#include <cstdint>
#include <map>

#include "kernels/isa.h"
#include "kernels/jit/generator.h"

namespace neural_engine::jit {

using Vec = Xbyak::Xmm;  // Ymm and Zmm derive from it and keep their width in a copy

// What another width needs: lanes(), registers() and v() by Isa, and the tail methods with opmasks.
class VecGenerator : public Generator {
 public:
  explicit VecGenerator(Isa isa) { require(isa == Isa::kAvx2, Code::kInternal, "no vector code for ", to_string(isa)); }

  static constexpr int lanes_of(Isa) { return 8; }
  int lanes() const { return 8; }
  int vec_bytes() const { return lanes() * 4; }
  int registers() const { return 16; }
  Vec v(int index) const { return Xbyak::Ymm(index); }

  // A vector of equal floats, in memory beside the code.
  Xbyak::Address constant(float value) { return constant_bits(std::bit_cast<uint32_t>(value)); }
  Xbyak::Address constant_bits(uint32_t bits) { return ptr[rip + pool_[bits]]; }
  void load_constant(const Vec& dst, float value) { vmovups(dst, constant(value)); }
  void zero(const Vec& dst) { vxorps(dst, dst, dst); }
  // acc += the sums of four products of u8 (a) and s8 (b) in each lane.
  void dot_u8s8(const Vec& acc, const Vec& a, const Vec& b) { vpdpbusd(acc, a, b); }
  // The low bytes of two vectors of 32-bit numbers that fit, one after the other.
  void store_low_bytes(const Xbyak::Address& dst, const Vec& first, const Vec& second, const Vec& scratch,
                       bool is_unsigned) {
    const Xbyak::Ymm a(first.getIdx());
    const Xbyak::Xmm low(first.getIdx()), high(scratch.getIdx());
    vpackssdw(a, a, Xbyak::Ymm(second.getIdx()));
    vpermq(a, a, 0xd8);  // packing interleaves the 128-bit halves
    vextracti128(high, a, 1);
    is_unsigned ? vpackuswb(low, low, high) : vpacksswb(low, low, high);
    vmovups(dst, low);
  }
  void zero_nan(const Vec& x, const Vec& scratch) {
    vcmpps(scratch, x, x, 7);  // ordered
    vandps(x, x, scratch);
  }

  // Masked access to the last, partial vectors of a row: `cols` (1 .. kTailVecs * lanes()) elements in all, `index`
  // counts the vectors. begin_tail() makes `mask` point to the masks of the first vector; it clobbers `cols`.
  static constexpr int kTailVecs = 4;
  void begin_tail(const Xbyak::Reg64& mask, const Xbyak::Reg64& cols) {
    lea(mask, ptr[rip + mask_table_]);
    shl(cols, 2);
    sub(mask, cols);
  }
  void load_tail(const Vec& dst, const Xbyak::Address& src, const Xbyak::Reg64& mask, int index) {
    vmovups(dst, ptr[mask + index * vec_bytes()]);
    vmaskmovps(dst, dst, src);
  }
  void store_tail(const Xbyak::Address& dst, const Vec& src, const Vec& scratch, const Xbyak::Reg64& mask, int index) {
    vmovups(scratch, ptr[mask + index * vec_bytes()]);
    vmaskmovps(dst, scratch, src);
  }
  // Keeps the lanes of a single partial vector that exist, gives the others the value at `other`.
  void keep_tail(const Vec& x, const Xbyak::Address& other, const Vec& scratch, const Vec& scratch2,
                 const Xbyak::Reg64& mask) {
    vmovups(scratch2, ptr[mask]);
    vmovups(scratch, other);
    vblendvps(x, scratch, x, scratch2);
  }

  // Walks a row: body(vecs, tail) handles `vecs` vectors (kWalkVecs, then single ones, then a partial one whose masks
  // are at `mask`) at byte offset `column`. `left` holds the number of elements and is clobbered.
  static constexpr int kWalkVecs = 4;
  template <class Body>
  void walk_row(const Xbyak::Reg64& column, const Xbyak::Reg64& left, const Xbyak::Reg64& mask, Body body) {
    Xbyak::Label wide, single, tail, done;
    xor_(column, column);
    L(wide);
    cmp(left, kWalkVecs * lanes());
    jl(single, T_NEAR);
    body(kWalkVecs, false);
    add(column, kWalkVecs * vec_bytes());
    sub(left, kWalkVecs * lanes());
    jmp(wide, T_NEAR);
    L(single);
    cmp(left, lanes());
    jl(tail, T_NEAR);
    body(1, false);
    add(column, vec_bytes());
    sub(left, lanes());
    jmp(single, T_NEAR);
    L(tail);
    test(left, left);
    jz(done, T_NEAR);
    begin_tail(mask, left);
    body(1, true);
    L(done);
  }
  void load(const Vec& dst, const Xbyak::Address& src, const Xbyak::Reg64& mask, bool tail) {
    tail ? load_tail(dst, src, mask, 0) : vmovups(dst, src);
  }
  void store(const Xbyak::Address& dst, const Vec& src, const Vec& scratch, const Xbyak::Reg64& mask, bool tail) {
    tail ? store_tail(dst, src, scratch, mask, 0) : vmovups(dst, src);
  }

  // One value in all lanes from the lanes of x: `op` is called as op(dst, a, b).
  template <class Op>
  void reduce(const Vec& x, const Vec& scratch, Op op) {
    const Xbyak::Ymm y(x.getIdx()), t(scratch.getIdx());
    vperm2f128(t, y, y, 0x01);
    op(x, x, scratch);
    vshufps(t, y, y, 0x4e);
    op(x, x, scratch);
    vshufps(t, y, y, 0xb1);
    op(x, x, scratch);
  }

 protected:
  // Emits the constants and the masks, then seals.
  void finish(const std::string& name) {
    align(64);
    for (auto& [bits, label] : pool_) {
      L(label);
      for (int lane = 0; lane < lanes(); ++lane) dd(bits);
    }
    // All ones, then zeros: the masks of a row of c elements begin c elements before the border.
    for (int i = 0; i < kTailVecs * lanes(); ++i) dd(0xffffffffu);
    L(mask_table_);
    for (int i = 0; i < kTailVecs * lanes(); ++i) dd(0);
    seal(name);
  }

 private:
  std::map<uint32_t, Xbyak::Label> pool_;
  Xbyak::Label mask_table_;
};

}  // namespace neural_engine::jit
