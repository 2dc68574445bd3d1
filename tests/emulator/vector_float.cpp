// Arithmetic of floats. Rounding and denormals follow MXCSR, because it is the host that adds and multiplies.
#include <immintrin.h>

#include <cmath>

#include "emulator/low_precision.h"
#include "emulator/vector_rule.h"

namespace neural_engine::emulator {
namespace {

float add(float a, float b) { return a + b; }
float sub(float a, float b) { return a - b; }
float mul(float a, float b) { return a * b; }
float div(float a, float b) { return a / b; }
// The second source where they are equal, such as zeros, or one is NaN.
float min(float a, float b) { return a < b ? a : b; }
float max(float a, float b) { return a > b ? a : b; }
float square_root(float a) { return std::sqrt(a); }

// One rounding, by the host's own instruction: emulation needs AVX2 and FMA.
__attribute__((target("fma"))) float fma(float a, float b, float c) {
  return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
}
float negated(float a) { return float_of(bits_of(a) ^ 0x80000000u); }

// With the destination d and the sources a and b: 132 is d * b + a, 213 a * d + b, 231 a * b + d.
float fmadd132(float d, float a, float b) { return fma(d, b, a); }
float fmadd213(float d, float a, float b) { return fma(a, d, b); }
float fmadd231(float d, float a, float b) { return fma(a, b, d); }
float fmsub132(float d, float a, float b) { return fma(d, b, negated(a)); }
float fmsub213(float d, float a, float b) { return fma(a, d, negated(b)); }
float fmsub231(float d, float a, float b) { return fma(a, b, negated(d)); }
float fnmadd132(float d, float a, float b) { return fma(negated(d), b, a); }
float fnmadd213(float d, float a, float b) { return fma(negated(a), d, b); }
float fnmadd231(float d, float a, float b) { return fma(negated(a), b, d); }

uint32_t bit_and(uint32_t a, uint32_t b) { return a & b; }
uint32_t bit_andn(uint32_t a, uint32_t b) { return ~a & b; }
uint32_t bit_or(uint32_t a, uint32_t b) { return a | b; }
uint32_t bit_xor(uint32_t a, uint32_t b) { return a ^ b; }

// The 32 predicates are 16 and their signalling twins, which give the same results.
bool cmp(float a, float b, int predicate) {
  const bool unordered = std::isnan(a) || std::isnan(b);
  switch (predicate & 15) {
    case 0: return a == b;
    case 1: return a < b;
    case 2: return a <= b;
    case 3: return unordered;
    case 4: return unordered || a != b;
    case 5: return unordered || a >= b;
    case 6: return unordered || a > b;
    case 7: return !unordered;
    case 8: return unordered || a == b;
    case 9: return unordered || a < b;
    case 10: return unordered || a <= b;
    case 11: return false;
    case 12: return !unordered && a != b;
    case 13: return a >= b;
    case 14: return a > b;
    default: return true;
  }
}

// Of what does not fit, 0x80000000.
int32_t to_int(float a) { return _mm_cvtss_si32(_mm_set_ss(a)); }
int32_t to_int_truncated(float a) { return _mm_cvttss_si32(_mm_set_ss(a)); }
float from_int(int32_t a) { return static_cast<float>(a); }

__attribute__((target("f16c"))) float from_half(uint16_t a) { return _cvtsh_ss(a); }

// Rounds to integers as the immediate's low bits say, or as MXCSR does.
__attribute__((target("sse4.1"))) float rounded(float a, int how) {
  const __m128 x = _mm_set_ss(a);
  if (how & 4) return _mm_cvtss_f32(_mm_round_ss(x, x, 4));
  switch (how & 3) {
    case 0: return _mm_cvtss_f32(_mm_round_ss(x, x, 0));
    case 1: return _mm_cvtss_f32(_mm_round_ss(x, x, 1));
    case 2: return _mm_cvtss_f32(_mm_round_ss(x, x, 2));
    default: return _mm_cvtss_f32(_mm_round_ss(x, x, 3));
  }
}

void do_round(Lanes& l) {
  if ((l.immediate >> 4) != 0) throw Refused("vrndscaleps to binary places is not emulated");
  for (int i = 0; i < l.bytes / 4; ++i) l.dst.set<float>(i, rounded(l.src[0].get<float>(i), l.immediate));
}

void widen_half(Lanes& l) {
  const Vector a = l.src[0];
  for (int i = 0; i < l.bytes / 4; ++i) l.dst.set<float>(i, from_half(a.get<uint16_t>(i)));
}

// To nearest even, or as MXCSR says.
__attribute__((target("f16c"))) void narrow_to_half(Lanes& l) {
  const int how = l.immediate & 7;
  if (how != 0 && (how & 4) == 0) throw Refused("vcvtps2ph with directed rounding is not emulated");
  const Vector a = l.src[0];
  for (int i = 0; i < l.bytes / 4; ++i) {
    const float x = a.get<float>(i);
    l.dst.set<uint16_t>(i, static_cast<uint16_t>(how == 0 ? _cvtss_sh(x, 0) : _cvtss_sh(x, 4)));
  }
}

// a * 2^floor(b).
float scalef(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return a + b;
  if (std::isinf(b)) return b > 0 ? a * b : a * 0.0f;
  const float power = std::min(std::max(std::floor(b), -400.0f), 400.0f);
  return static_cast<float>(std::ldexp(a, static_cast<int>(power)));
}

// Scalar forms: the lowest lane of the last source.
template <float (*kOp)(float, float)>
void scalar2(Lanes& l) {
  l.dst.set<float>(0, kOp(l.src[0].get<float>(0), l.src[1].get<float>(0)));
}
template <float (*kOp)(float, float, float)>
void scalar3(Lanes& l) {
  // The other lanes stay the destination's own.
  const float result = kOp(l.dst.get<float>(0), l.src[0].get<float>(0), l.src[1].get<float>(0));
  l.src[0] = l.dst;
  l.dst.set<float>(0, result);
}
void scalar_sqrt(Lanes& l) { l.dst.set<float>(0, std::sqrt(l.src[1].get<float>(0))); }

using Kind = VectorRule::Kind;

const VectorRule kRules[] = {
    {ZYDIS_MNEMONIC_VADDPS, 4, 4, map2<float, add>},
    {ZYDIS_MNEMONIC_VSUBPS, 4, 4, map2<float, sub>},
    {ZYDIS_MNEMONIC_VMULPS, 4, 4, map2<float, mul>},
    {ZYDIS_MNEMONIC_VDIVPS, 4, 4, map2<float, div>},
    {ZYDIS_MNEMONIC_VMINPS, 4, 4, map2<float, min>},
    {ZYDIS_MNEMONIC_VMAXPS, 4, 4, map2<float, max>},
    {ZYDIS_MNEMONIC_VSCALEFPS, 4, 4, map2<float, scalef>},
    {ZYDIS_MNEMONIC_VSQRTPS, 4, 4, map1<float, float, square_root>},
    {ZYDIS_MNEMONIC_VFMADD132PS, 4, 4, map3<float, float, fmadd132>},
    {ZYDIS_MNEMONIC_VFMADD213PS, 4, 4, map3<float, float, fmadd213>},
    {ZYDIS_MNEMONIC_VFMADD231PS, 4, 4, map3<float, float, fmadd231>},
    {ZYDIS_MNEMONIC_VFMSUB132PS, 4, 4, map3<float, float, fmsub132>},
    {ZYDIS_MNEMONIC_VFMSUB213PS, 4, 4, map3<float, float, fmsub213>},
    {ZYDIS_MNEMONIC_VFMSUB231PS, 4, 4, map3<float, float, fmsub231>},
    {ZYDIS_MNEMONIC_VFNMADD132PS, 4, 4, map3<float, float, fnmadd132>},
    {ZYDIS_MNEMONIC_VFNMADD213PS, 4, 4, map3<float, float, fnmadd213>},
    {ZYDIS_MNEMONIC_VFNMADD231PS, 4, 4, map3<float, float, fnmadd231>},
    {ZYDIS_MNEMONIC_VANDPS, 4, 4, map2<uint32_t, bit_and>},
    {ZYDIS_MNEMONIC_VANDNPS, 4, 4, map2<uint32_t, bit_andn>},
    {ZYDIS_MNEMONIC_VORPS, 4, 4, map2<uint32_t, bit_or>},
    {ZYDIS_MNEMONIC_VXORPS, 4, 4, map2<uint32_t, bit_xor>},
    {ZYDIS_MNEMONIC_VCMPPS, 4, 4, compare<float, cmp>},
    {ZYDIS_MNEMONIC_VCVTPS2DQ, 4, 4, map1<float, int32_t, to_int>},
    {ZYDIS_MNEMONIC_VCVTTPS2DQ, 4, 4, map1<float, int32_t, to_int_truncated>},
    {ZYDIS_MNEMONIC_VCVTDQ2PS, 4, 4, map1<int32_t, float, from_int>},
    {ZYDIS_MNEMONIC_VCVTPH2PS, 4, 2, widen_half},
    {ZYDIS_MNEMONIC_VCVTPS2PH, 2, 4, narrow_to_half},
    {ZYDIS_MNEMONIC_VRNDSCALEPS, 4, 4, do_round},
    {ZYDIS_MNEMONIC_VROUNDPS, 4, 4, do_round},
    {ZYDIS_MNEMONIC_VADDSS, 4, 4, scalar2<add>, Kind::kScalar},
    {ZYDIS_MNEMONIC_VSUBSS, 4, 4, scalar2<sub>, Kind::kScalar},
    {ZYDIS_MNEMONIC_VMULSS, 4, 4, scalar2<mul>, Kind::kScalar},
    {ZYDIS_MNEMONIC_VDIVSS, 4, 4, scalar2<div>, Kind::kScalar},
    {ZYDIS_MNEMONIC_VMAXSS, 4, 4, scalar2<max>, Kind::kScalar},
    {ZYDIS_MNEMONIC_VMINSS, 4, 4, scalar2<min>, Kind::kScalar},
    {ZYDIS_MNEMONIC_VSQRTSS, 4, 4, scalar_sqrt, Kind::kScalar},
    {ZYDIS_MNEMONIC_VFMADD132SS, 4, 4, scalar3<fmadd132>, Kind::kScalar},
    {ZYDIS_MNEMONIC_VFMADD213SS, 4, 4, scalar3<fmadd213>, Kind::kScalar},
    {ZYDIS_MNEMONIC_VFMADD231SS, 4, 4, scalar3<fmadd231>, Kind::kScalar},
};

}  // namespace

std::span<const VectorRule> float_rules() { return kRules; }

}  // namespace neural_engine::emulator
