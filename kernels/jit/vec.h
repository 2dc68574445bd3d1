// Vector code with the width as a value: the body of a kernel is written once, its ISA is an argument.
#pragma once

#include <bit>
#include <cstdint>
#include <map>

#include "kernels/isa.h"
#include "kernels/jit/generator.h"

namespace neural_engine::jit {

using Vec = Xbyak::Xmm;  // Ymm and Zmm derive from it and keep their width in a copy

// 256-bit registers with masks in vectors, or 512-bit ones with opmasks (k1 is the only one that is used).
class VecGenerator : public Generator {
 public:
  explicit VecGenerator(Isa isa) : isa_(isa), wide_(is_wide(isa)) {
    require(isa >= Isa::kAvx2 && isa <= Isa::kAvx512Bf16, Code::kInternal, "no vector code for ", to_string(isa));
  }

  static constexpr bool is_wide(Isa isa) { return isa >= Isa::kAvx512; }
  static constexpr int lanes_of(Isa isa) { return is_wide(isa) ? 16 : 8; }
  int lanes() const { return lanes_of(isa_); }
  int vec_bytes() const { return lanes() * 4; }
  int registers() const { return wide_ ? 32 : 16; }
  Vec v(int index) const { return wide_ ? Vec(Xbyak::Zmm(index)) : Vec(Xbyak::Ymm(index)); }

  // A vector of equal floats, in memory beside the code.
  Xbyak::Address constant(float value) { return constant_bits(std::bit_cast<uint32_t>(value)); }
  Xbyak::Address constant_bits(uint32_t bits) { return ptr[rip + pool_[bits]]; }
  void load_constant(const Vec& dst, float value) { vmovups(dst, constant(value)); }
  void zero(const Vec& dst) { vxorps(dst, dst, dst); }
  // acc += the sums of four products of u8 (a) and s8 (b) in each lane.
  void dot_u8s8(const Vec& acc, const Vec& a, const Vec& b) {
    vpdpbusd(acc, a, b, wide_ ? Xbyak::EvexEncoding : Xbyak::VexEncoding);
  }
  // The low bytes of two vectors of 32-bit numbers that fit, one after the other; the vectors are clobbered.
  void store_low_bytes(const Xbyak::RegExp& dst, const Vec& first, const Vec& second, const Vec& scratch,
                       bool is_unsigned) {
    if (wide_) {
      vpmovdb(ptr[dst], Xbyak::Zmm(first.getIdx()));
      return vpmovdb(ptr[dst + 16], Xbyak::Zmm(second.getIdx()));
    }
    const Xbyak::Ymm a(first.getIdx());
    const Xbyak::Xmm low(first.getIdx()), high(scratch.getIdx());
    vpackssdw(a, a, Xbyak::Ymm(second.getIdx()));
    vpermq(a, a, 0xd8);  // packing interleaves the 128-bit halves
    vextracti128(high, a, 1);
    is_unsigned ? vpackuswb(low, low, high) : vpacksswb(low, low, high);
    vmovups(ptr[dst], low);
  }
  // The same with the low 16 bits.
  void store_low_words(const Xbyak::RegExp& dst, const Vec& first, const Vec& second) {
    if (wide_) {
      vpmovdw(ptr[dst], Xbyak::Zmm(first.getIdx()));
      return vpmovdw(ptr[dst + 32], Xbyak::Zmm(second.getIdx()));
    }
    const Xbyak::Ymm a(first.getIdx());
    vpackssdw(a, a, Xbyak::Ymm(second.getIdx()));
    vpermq(a, a, 0xd8);
    vmovups(ptr[dst], a);
  }
  // x is 0 where it is NaN.
  void zero_nan(const Vec& x, const Vec& scratch) {
    constexpr int kOrdered = 7;
    if (wide_) {
      vcmpps(k1, x, x, kOrdered);
      return vmovaps(x | k1 | T_z, x);
    }
    vcmpps(scratch, x, x, kOrdered);
    vandps(x, x, scratch);
  }
  // dst = src, or 0 where src is the float at `other`.
  void zero_where(const Vec& dst, const Vec& src, const Xbyak::Address& other, const Vec& scratch) {
    constexpr int kNotEqual = 4;
    if (wide_) {
      vcmpps(k1, src, other, kNotEqual);
      return vmovaps(dst | k1 | T_z, src);
    }
    vcmpps(scratch, src, other, kNotEqual);
    vandps(dst, src, scratch);
  }
  // x = test where that is NaN, else value.
  void keep_nan(const Vec& x, const Vec& value, const Vec& test, const Vec& scratch) {
    constexpr int kUnordered = 3;
    if (wide_) {
      vcmpps(k1, test, test, kUnordered);
      vmovaps(value | k1, test);
      return vmovaps(x, value);
    }
    vcmpps(scratch, test, test, kUnordered);
    vblendvps(x, value, test, scratch);
  }
  // x = value where x has its sign bit set.
  void replace_negative(const Vec& x, const Vec& value) {
    if (!wide_) return vblendvps(x, x, value, x);
    vpmovd2m(k1, x);
    vmovaps(x | k1, value);
  }

  // Masked access to the last, partial vectors of a row: `cols` (1 .. kTailVecs * lanes()) elements in all, `index`
  // counts the vectors. begin_tail() makes `mask` point to the masks of the first vector; it clobbers `cols`.
  static constexpr int kTailVecs = 4;
  void begin_tail(const Xbyak::Reg64& mask, const Xbyak::Reg64& cols) {
    if (wide_) {  // a bit for each element
      mov(mask, -1);
      return bzhi(mask, mask, cols);
    }
    lea(mask, ptr[rip + mask_table_]);
    shl(cols, 2);
    sub(mask, cols);
  }
  void load_tail(const Vec& dst, const Xbyak::Address& src, const Xbyak::Reg64& mask, int index) {
    if (wide_) {
      opmask(mask, index);
      return vmovups(dst | k1 | T_z, src);
    }
    vmovups(dst, ptr[mask + index * vec_bytes()]);
    vmaskmovps(dst, dst, src);
  }
  void store_tail(const Xbyak::Address& dst, const Vec& src, const Vec& scratch, const Xbyak::Reg64& mask, int index) {
    if (wide_) {
      opmask(mask, index);
      return vmovups(dst | k1, src);
    }
    vmovups(scratch, ptr[mask + index * vec_bytes()]);
    vmaskmovps(dst, scratch, src);
  }
  // Keeps the lanes of a single partial vector that exist, gives the others the value at `other`.
  void keep_tail(const Vec& x, const Xbyak::Address& other, const Vec& scratch, const Vec& scratch2,
                 const Xbyak::Reg64& mask) {
    vmovups(scratch, other);
    if (wide_) {
      opmask(mask, 0);
      return vblendmps(x | k1, scratch, x);
    }
    vmovups(scratch2, ptr[mask]);
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
    if (wide_) {
      const Xbyak::Zmm z(x.getIdx()), t(scratch.getIdx());
      for (const uint8_t blocks : {0x4e, 0xb1}) {
        vshuff32x4(t, z, z, blocks);
        op(x, x, scratch);
      }
    } else {
      vperm2f128(Xbyak::Ymm(scratch.getIdx()), Xbyak::Ymm(x.getIdx()), Xbyak::Ymm(x.getIdx()), 0x01);
      op(x, x, scratch);
    }
    for (const uint8_t lanes_of_block : {0x4e, 0xb1}) {
      vshufps(scratch, x, x, lanes_of_block);
      op(x, x, scratch);
    }
  }

 protected:
  // Emits the constants and the masks, then seals.
  void finish(const std::string& name) {
    align(64);
    for (auto& [bits, label] : pool_) {
      L(label);
      for (int lane = 0; lane < lanes(); ++lane) dd(bits);
    }
    if (wide_) return seal(name);
    // All ones, then zeros: the masks of a row of c elements begin c elements before the border.
    for (int i = 0; i < kTailVecs * lanes(); ++i) dd(0xffffffffu);
    L(mask_table_);
    for (int i = 0; i < kTailVecs * lanes(); ++i) dd(0);
    seal(name);
  }

 private:
  // k1 is the mask of vector `index`.
  void opmask(const Xbyak::Reg64& mask, int index) {
    kmovq(k1, mask);
    if (index > 0) kshiftrq(k1, k1, static_cast<uint8_t>(index * lanes()));
  }

  const Isa isa_;
  const bool wide_;
  std::map<uint32_t, Xbyak::Label> pool_;
  Xbyak::Label mask_table_;
};

}  // namespace neural_engine::jit
