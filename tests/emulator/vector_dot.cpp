// VNNI and BF16 on vectors.
#include <algorithm>
#include <limits>

#include "emulator/low_precision.h"
#include "emulator/vector_rule.h"

namespace neural_engine::emulator {
namespace {

uint32_t wrapped(uint32_t c, int64_t sum) { return c + static_cast<uint32_t>(sum); }
uint32_t saturated(uint32_t c, int64_t sum) {
  const int64_t exact = int64_t{static_cast<int32_t>(c)} + sum;
  return static_cast<uint32_t>(
      std::clamp<int64_t>(exact, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

template <uint32_t (*kAdd)(uint32_t, int64_t)>
uint32_t dpbusd(uint32_t c, uint32_t a, uint32_t b) {
  return kAdd(c, dot4<uint8_t, int8_t>(a, b));
}
template <uint32_t (*kAdd)(uint32_t, int64_t)>
uint32_t dpwssd(uint32_t c, uint32_t a, uint32_t b) {
  return kAdd(c, dot2<int16_t, int16_t>(a, b));
}

// The pair's upper elements first, each step rounded.
uint32_t dpbf16(uint32_t c, uint32_t a, uint32_t b) {
  const float upper = fused_step(float_of(a & 0xffff0000u), float_of(b & 0xffff0000u), float_of(c));
  return bits_of(fused_step(float_of(a << 16), float_of(b << 16), upper));
}

uint16_t narrow(float value) { return round_to_bf16(value); }

// The second source becomes the lower half, the first the upper.
void narrow_two(Lanes& l) {
  const int half = l.bytes / 4;
  for (int i = 0; i < half; ++i) {
    l.dst.set<uint16_t>(i, round_to_bf16(l.src[1].get<float>(i)));
    l.dst.set<uint16_t>(half + i, round_to_bf16(l.src[0].get<float>(i)));
  }
}

const VectorRule kRules[] = {
    {ZYDIS_MNEMONIC_VPDPBUSD, 4, 4, map3<uint32_t, uint32_t, dpbusd<wrapped>>},
    {ZYDIS_MNEMONIC_VPDPBUSDS, 4, 4, map3<uint32_t, uint32_t, dpbusd<saturated>>},
    {ZYDIS_MNEMONIC_VPDPWSSD, 4, 4, map3<uint32_t, uint32_t, dpwssd<wrapped>>},
    {ZYDIS_MNEMONIC_VPDPWSSDS, 4, 4, map3<uint32_t, uint32_t, dpwssd<saturated>>},
    {ZYDIS_MNEMONIC_VDPBF16PS, 4, 4, map3<uint32_t, uint32_t, dpbf16>},
    {ZYDIS_MNEMONIC_VCVTNEPS2BF16, 2, 4, map1<float, uint16_t, narrow>},
    {ZYDIS_MNEMONIC_VCVTNE2PS2BF16, 2, 2, narrow_two, VectorRule::Kind::kAcross},
};

}  // namespace

std::span<const VectorRule> dot_rules() { return kRules; }

}  // namespace neural_engine::emulator
