// Arithmetic of integers: wrapping, saturating, shifts, comparisons, conversions between sizes.
#include <algorithm>
#include <limits>

#include "emulator/vector_rule.h"

namespace neural_engine::emulator {
namespace {

template <class T>
T add(T a, T b) {
  return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
template <class T>
T sub(T a, T b) {
  return static_cast<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
template <class T>
T mul_low(T a, T b) {
  return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}
template <class T>
T min(T a, T b) {
  return std::min(a, b);
}
template <class T>
T max(T a, T b) {
  return std::max(a, b);
}
template <class T>
T saturate(int64_t value) {
  return static_cast<T>(std::clamp<int64_t>(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}
template <class T>
T add_saturated(T a, T b) {
  return saturate<T>(int64_t{a} + int64_t{b});
}
template <class T>
T sub_saturated(T a, T b) {
  return saturate<T>(int64_t{a} - int64_t{b});
}
int16_t mul_high(int16_t a, int16_t b) { return static_cast<int16_t>((int32_t{a} * int32_t{b}) >> 16); }
template <class T>
T absolute(T a) {
  return a < 0 ? sub<T>(0, a) : a;
}

template <class T>
T bit_and(T a, T b) {
  return a & b;
}
template <class T>
T bit_andn(T a, T b) {
  return static_cast<T>(~a & b);
}
template <class T>
T bit_or(T a, T b) {
  return a | b;
}
template <class T>
T bit_xor(T a, T b) {
  return a ^ b;
}

// Shift counts: an immediate, or the low 64 bits of the second source for all lanes.
uint64_t shift_count(const Lanes& l) { return std::max<uint64_t>(l.immediate, l.src[1].get<uint64_t>(0)); }

template <class T>
T shifted_left(T a, uint64_t count) {
  return count >= 8 * sizeof(T) ? T{0} : static_cast<T>(static_cast<uint64_t>(a) << count);
}
// Of a signed T arithmetic, of an unsigned one logical.
template <class T>
T shifted_right(T a, uint64_t count) {
  if (count >= 8 * sizeof(T)) return a < 0 ? static_cast<T>(-1) : T{0};
  return static_cast<T>(a >> count);
}
template <class T, T (*kOp)(T, uint64_t)>
void shift_all(Lanes& l) {
  const uint64_t count = shift_count(l);
  for (int i = 0; i < l.bytes / static_cast<int>(sizeof(T)); ++i) l.dst.set<T>(i, kOp(l.src[0].get<T>(i), count));
}
template <class T, T (*kOp)(T, uint64_t)>
void shift_each(Lanes& l) {
  using Unsigned = std::make_unsigned_t<T>;
  for (int i = 0; i < l.bytes / static_cast<int>(sizeof(T)); ++i)
    l.dst.set<T>(i, kOp(l.src[0].get<T>(i), l.src[1].get<Unsigned>(i)));
}

template <class T>
bool cmp(T a, T b, int predicate) {
  switch (predicate & 7) {
    case 0: return a == b;
    case 1: return a < b;
    case 2: return a <= b;
    case 3: return false;
    case 4: return a != b;
    case 5: return a >= b;
    case 6: return a > b;
    default: return true;
  }
}
template <class T>
bool equal(T a, T b, int) {
  return a == b;
}
template <class T>
bool greater(T a, T b, int) {
  return a > b;
}
template <class T>
bool any_common_bit(T a, T b, int) {
  return (a & b) != 0;
}
template <class T>
bool no_common_bit(T a, T b, int) {
  return (a & b) == 0;
}

// Any function of three bits, from its table.
template <class T>
void ternary_logic(Lanes& l) {
  for (int i = 0; i < l.bytes; ++i) {
    const int a = l.dst.get<uint8_t>(i), b = l.src[0].get<uint8_t>(i), c = l.src[1].get<uint8_t>(i);
    int result = 0;
    for (int bit = 0; bit < 8; ++bit) {
      const int index = ((a >> bit) & 1) << 2 | ((b >> bit) & 1) << 1 | ((c >> bit) & 1);
      result |= ((l.immediate >> index) & 1) << bit;
    }
    l.dst.set<uint8_t>(i, static_cast<uint8_t>(result));
  }
}

// Pairs of bytes, u8 times s8, saturated to s16.
void mul_add_bytes(Lanes& l) {
  for (int i = 0; i < l.bytes / 2; ++i) {
    int64_t sum = 0;
    for (int j = 2 * i; j < 2 * i + 2; ++j) sum += int64_t{l.src[0].get<uint8_t>(j)} * l.src[1].get<int8_t>(j);
    l.dst.set<int16_t>(i, saturate<int16_t>(sum));
  }
}
void mul_add_words(Lanes& l) {
  for (int i = 0; i < l.bytes / 4; ++i) {
    int64_t sum = 0;
    for (int j = 2 * i; j < 2 * i + 2; ++j) sum += int64_t{l.src[0].get<int16_t>(j)} * l.src[1].get<int16_t>(j);
    l.dst.set<int32_t>(i, static_cast<int32_t>(static_cast<uint32_t>(sum)));
  }
}

template <class From, class To>
To convert(From a) {
  return static_cast<To>(a);
}
template <class From, class To>
To convert_saturated(From a) {
  return saturate<To>(int64_t{a});
}
// An unsigned source saturates from above only.
template <class From, class To>
To convert_unsigned(From a) {
  return static_cast<To>(
      std::min<uint64_t>(static_cast<std::make_unsigned_t<From>>(a), std::numeric_limits<To>::max()));
}

// Within each 128 bits the first source's lanes, then the second's, halved in size.
template <class From, class To>
void pack(Lanes& l) {
  constexpr int kFrom = 16 / sizeof(From);
  for (int block = 0; block < l.bytes / 16; ++block)
    for (int i = 0; i < 2 * kFrom; ++i) {
      const Vector& src = l.src[i < kFrom ? 0 : 1];
      l.dst.set<To>(block * 2 * kFrom + i, saturate<To>(src.get<From>(block * kFrom + i % kFrom)));
    }
}

using Kind = VectorRule::Kind;

#define NE_ALL_SIZES(name, function)                                        \
  {ZYDIS_MNEMONIC_##name##B, 1, 1, map2<int8_t, function<int8_t>>},         \
      {ZYDIS_MNEMONIC_##name##W, 2, 2, map2<int16_t, function<int16_t>>}, { \
    ZYDIS_MNEMONIC_##name##D, 4, 4, map2<int32_t, function<int32_t>>        \
  }

const VectorRule kRules[] = {
    NE_ALL_SIZES(VPADD, add),
    NE_ALL_SIZES(VPSUB, sub),
    NE_ALL_SIZES(VPMINS, min),
    NE_ALL_SIZES(VPMAXS, max),
    {ZYDIS_MNEMONIC_VPADDQ, 8, 8, map2<int64_t, add<int64_t>>},
    {ZYDIS_MNEMONIC_VPSUBQ, 8, 8, map2<int64_t, sub<int64_t>>},
    {ZYDIS_MNEMONIC_VPMINUB, 1, 1, map2<uint8_t, min<uint8_t>>},
    {ZYDIS_MNEMONIC_VPMAXUB, 1, 1, map2<uint8_t, max<uint8_t>>},
    {ZYDIS_MNEMONIC_VPMINUW, 2, 2, map2<uint16_t, min<uint16_t>>},
    {ZYDIS_MNEMONIC_VPMAXUW, 2, 2, map2<uint16_t, max<uint16_t>>},
    {ZYDIS_MNEMONIC_VPMINUD, 4, 4, map2<uint32_t, min<uint32_t>>},
    {ZYDIS_MNEMONIC_VPMAXUD, 4, 4, map2<uint32_t, max<uint32_t>>},
    {ZYDIS_MNEMONIC_VPADDSB, 1, 1, map2<int8_t, add_saturated<int8_t>>},
    {ZYDIS_MNEMONIC_VPADDSW, 2, 2, map2<int16_t, add_saturated<int16_t>>},
    {ZYDIS_MNEMONIC_VPSUBSB, 1, 1, map2<int8_t, sub_saturated<int8_t>>},
    {ZYDIS_MNEMONIC_VPSUBSW, 2, 2, map2<int16_t, sub_saturated<int16_t>>},
    {ZYDIS_MNEMONIC_VPADDUSB, 1, 1, map2<uint8_t, add_saturated<uint8_t>>},
    {ZYDIS_MNEMONIC_VPSUBUSB, 1, 1, map2<uint8_t, sub_saturated<uint8_t>>},
    {ZYDIS_MNEMONIC_VPMULLW, 2, 2, map2<int16_t, mul_low<int16_t>>},
    {ZYDIS_MNEMONIC_VPMULLD, 4, 4, map2<int32_t, mul_low<int32_t>>},
    {ZYDIS_MNEMONIC_VPMULHW, 2, 2, map2<int16_t, mul_high>},
    {ZYDIS_MNEMONIC_VPMADDUBSW, 2, 2, mul_add_bytes},
    {ZYDIS_MNEMONIC_VPMADDWD, 4, 4, mul_add_words},
    {ZYDIS_MNEMONIC_VPABSB, 1, 1, map1<int8_t, int8_t, absolute<int8_t>>},
    {ZYDIS_MNEMONIC_VPABSW, 2, 2, map1<int16_t, int16_t, absolute<int16_t>>},
    {ZYDIS_MNEMONIC_VPABSD, 4, 4, map1<int32_t, int32_t, absolute<int32_t>>},

    {ZYDIS_MNEMONIC_VPAND, 4, 4, map2<uint32_t, bit_and<uint32_t>>},
    {ZYDIS_MNEMONIC_VPANDD, 4, 4, map2<uint32_t, bit_and<uint32_t>>},
    {ZYDIS_MNEMONIC_VPANDQ, 8, 8, map2<uint64_t, bit_and<uint64_t>>},
    {ZYDIS_MNEMONIC_VPANDN, 4, 4, map2<uint32_t, bit_andn<uint32_t>>},
    {ZYDIS_MNEMONIC_VPANDND, 4, 4, map2<uint32_t, bit_andn<uint32_t>>},
    {ZYDIS_MNEMONIC_VPOR, 4, 4, map2<uint32_t, bit_or<uint32_t>>},
    {ZYDIS_MNEMONIC_VPORD, 4, 4, map2<uint32_t, bit_or<uint32_t>>},
    {ZYDIS_MNEMONIC_VPORQ, 8, 8, map2<uint64_t, bit_or<uint64_t>>},
    {ZYDIS_MNEMONIC_VPXOR, 4, 4, map2<uint32_t, bit_xor<uint32_t>>},
    {ZYDIS_MNEMONIC_VPXORD, 4, 4, map2<uint32_t, bit_xor<uint32_t>>},
    {ZYDIS_MNEMONIC_VPXORQ, 8, 8, map2<uint64_t, bit_xor<uint64_t>>},
    {ZYDIS_MNEMONIC_VPTERNLOGD, 4, 4, ternary_logic<uint32_t>},
    {ZYDIS_MNEMONIC_VPTERNLOGQ, 8, 8, ternary_logic<uint64_t>},

    {ZYDIS_MNEMONIC_VPSLLW, 2, 2, shift_all<uint16_t, shifted_left>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPSLLD, 4, 4, shift_all<uint32_t, shifted_left>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPSLLQ, 8, 8, shift_all<uint64_t, shifted_left>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPSRLW, 2, 2, shift_all<uint16_t, shifted_right>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPSRLD, 4, 4, shift_all<uint32_t, shifted_right>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPSRLQ, 8, 8, shift_all<uint64_t, shifted_right>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPSRAW, 2, 2, shift_all<int16_t, shifted_right>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPSRAD, 4, 4, shift_all<int32_t, shifted_right>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPSLLVD, 4, 4, shift_each<uint32_t, shifted_left>},
    {ZYDIS_MNEMONIC_VPSRLVD, 4, 4, shift_each<uint32_t, shifted_right>},
    {ZYDIS_MNEMONIC_VPSRAVD, 4, 4, shift_each<int32_t, shifted_right>},

    {ZYDIS_MNEMONIC_VPCMPB, 1, 1, compare<int8_t, cmp<int8_t>>},
    {ZYDIS_MNEMONIC_VPCMPUB, 1, 1, compare<uint8_t, cmp<uint8_t>>},
    {ZYDIS_MNEMONIC_VPCMPW, 2, 2, compare<int16_t, cmp<int16_t>>},
    {ZYDIS_MNEMONIC_VPCMPD, 4, 4, compare<int32_t, cmp<int32_t>>},
    {ZYDIS_MNEMONIC_VPCMPUD, 4, 4, compare<uint32_t, cmp<uint32_t>>},
    {ZYDIS_MNEMONIC_VPCMPEQB, 1, 1, compare<int8_t, equal<int8_t>>},
    {ZYDIS_MNEMONIC_VPCMPEQW, 2, 2, compare<int16_t, equal<int16_t>>},
    {ZYDIS_MNEMONIC_VPCMPEQD, 4, 4, compare<int32_t, equal<int32_t>>},
    {ZYDIS_MNEMONIC_VPCMPGTB, 1, 1, compare<int8_t, greater<int8_t>>},
    {ZYDIS_MNEMONIC_VPCMPGTW, 2, 2, compare<int16_t, greater<int16_t>>},
    {ZYDIS_MNEMONIC_VPCMPGTD, 4, 4, compare<int32_t, greater<int32_t>>},
    {ZYDIS_MNEMONIC_VPTESTMB, 1, 1, compare<uint8_t, any_common_bit<uint8_t>>},
    {ZYDIS_MNEMONIC_VPTESTMD, 4, 4, compare<uint32_t, any_common_bit<uint32_t>>},
    {ZYDIS_MNEMONIC_VPTESTNMB, 1, 1, compare<uint8_t, no_common_bit<uint8_t>>},
    {ZYDIS_MNEMONIC_VPTESTNMD, 4, 4, compare<uint32_t, no_common_bit<uint32_t>>},

    {ZYDIS_MNEMONIC_VPMOVSXBW, 2, 1, map1<int8_t, int16_t, convert>},
    {ZYDIS_MNEMONIC_VPMOVSXBD, 4, 1, map1<int8_t, int32_t, convert>},
    {ZYDIS_MNEMONIC_VPMOVSXWD, 4, 2, map1<int16_t, int32_t, convert>},
    {ZYDIS_MNEMONIC_VPMOVZXBW, 2, 1, map1<uint8_t, uint16_t, convert>},
    {ZYDIS_MNEMONIC_VPMOVZXBD, 4, 1, map1<uint8_t, uint32_t, convert>},
    {ZYDIS_MNEMONIC_VPMOVZXWD, 4, 2, map1<uint16_t, uint32_t, convert>},
    {ZYDIS_MNEMONIC_VPMOVDB, 1, 4, map1<int32_t, int8_t, convert>},
    {ZYDIS_MNEMONIC_VPMOVDW, 2, 4, map1<int32_t, int16_t, convert>},
    {ZYDIS_MNEMONIC_VPMOVWB, 1, 2, map1<int16_t, int8_t, convert>},
    {ZYDIS_MNEMONIC_VPMOVSDB, 1, 4, map1<int32_t, int8_t, convert_saturated>},
    {ZYDIS_MNEMONIC_VPMOVSDW, 2, 4, map1<int32_t, int16_t, convert_saturated>},
    {ZYDIS_MNEMONIC_VPMOVSWB, 1, 2, map1<int16_t, int8_t, convert_saturated>},
    {ZYDIS_MNEMONIC_VPMOVUSDB, 1, 4, map1<int32_t, uint8_t, convert_unsigned>},
    {ZYDIS_MNEMONIC_VPMOVUSDW, 2, 4, map1<int32_t, uint16_t, convert_unsigned>},
    {ZYDIS_MNEMONIC_VPMOVUSWB, 1, 2, map1<int16_t, uint8_t, convert_unsigned>},
    {ZYDIS_MNEMONIC_VPACKSSDW, 2, 2, pack<int32_t, int16_t>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPACKUSDW, 2, 2, pack<int32_t, uint16_t>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPACKSSWB, 1, 1, pack<int16_t, int8_t>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPACKUSWB, 1, 1, pack<int16_t, uint8_t>, Kind::kAcross},
};
#undef NE_ALL_SIZES

}  // namespace

std::span<const VectorRule> integer_rules() { return kRules; }

}  // namespace neural_engine::emulator
