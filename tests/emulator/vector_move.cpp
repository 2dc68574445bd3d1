// Moves, broadcasts, inserts, extracts and shuffles.
#include <algorithm>

#include "emulator/vector_rule.h"

namespace neural_engine::emulator {
namespace {

void copy(Lanes& l) { l.dst = l.src[0]; }
// Two sources: the scalar moves between registers take the second one's lowest lane. One: a load or a store.
void copy_scalar(Lanes& l) { l.dst = l.src[l.sources == 2 ? 1 : 0]; }

// The lowest kBytes of the source, everywhere.
template <int kBytes>
void broadcast(Lanes& l) {
  for (int at = 0; at < l.bytes; at += kBytes) std::copy_n(l.src[0].bytes.begin(), kBytes, l.dst.bytes.begin() + at);
}

template <class T>
void blend(Lanes& l) {
  l.dst = l.src[1];
}
// By the signs of the third source.
void blend_by_sign(Lanes& l) {
  for (int i = 0; i < l.bytes / 4; ++i)
    l.dst.set<uint32_t>(i, l.src[l.src[2].get<int32_t>(i) < 0 ? 1 : 0].get<uint32_t>(i));
}
void blend_bytes_by_sign(Lanes& l) {
  for (int i = 0; i < l.bytes; ++i) l.dst.set<uint8_t>(i, l.src[l.src[2].get<int8_t>(i) < 0 ? 1 : 0].get<uint8_t>(i));
}
void blend_by_immediate(Lanes& l) {
  for (int i = 0; i < l.bytes / 4; ++i) l.dst.set<uint32_t>(i, l.src[(l.immediate >> i % 8) & 1].get<uint32_t>(i));
}

// Within 128 bits: two lanes of the first source, two of the second, chosen by pairs of bits.
void shufps(Lanes& l) {
  for (int i = 0; i < l.bytes / 4; ++i) {
    const int from = i / 4 * 4 + ((l.immediate >> (2 * (i % 4))) & 3);
    l.dst.set<uint32_t>(i, l.src[i % 4 < 2 ? 0 : 1].get<uint32_t>(from));
  }
}
void permute_in_128(Lanes& l) {
  if (l.sources == 2) throw Refused("vpermilps with indices in a register is not emulated");
  for (int i = 0; i < l.bytes / 4; ++i)
    l.dst.set<uint32_t>(i, l.src[0].get<uint32_t>(i / 4 * 4 + ((l.immediate >> (2 * (i % 4))) & 3)));
}
void shuffle_bytes(Lanes& l) {
  for (int i = 0; i < l.bytes; ++i) {
    const uint8_t index = l.src[1].get<uint8_t>(i);
    l.dst.set<uint8_t>(i, index & 0x80 ? uint8_t{0} : l.src[0].get<uint8_t>(i / 16 * 16 + index % 16));
  }
}
// Halves interleaved within 128 bits: kHigh of 0 or 1 chooses which.
template <class T, int kHigh>
void unpack(Lanes& l) {
  constexpr int kCount = 16 / sizeof(T);
  for (int block = 0; block < l.bytes / 16; ++block)
    for (int i = 0; i < kCount; ++i)
      l.dst.set<T>(block * kCount + i,
                   l.src[static_cast<size_t>(i % 2)].get<T>(block * kCount + kHigh * kCount / 2 + i / 2));
}
void align_bytes(Lanes& l) {
  for (int i = 0; i < l.bytes; ++i) {
    const int from = i % 16 + l.immediate, base = i / 16 * 16;
    l.dst.set<uint8_t>(i, from < 16   ? l.src[1].get<uint8_t>(base + from)
                          : from < 32 ? l.src[0].get<uint8_t>(base + from - 16)
                                      : uint8_t{0});
  }
}

// 128-bit blocks chosen by the immediate: the lower half of the result from the first source, the upper from the
// second.
void shuffle_blocks(Lanes& l) {
  const int blocks = l.bytes / 16, bits = blocks == 4 ? 2 : 1;
  for (int i = 0; i < blocks; ++i) {
    const int from = (l.immediate >> (bits * i)) & (blocks - 1) & (blocks == 4 ? 3 : 1);
    const Vector& src = l.src[i < blocks / 2 ? 0 : 1];
    std::copy_n(src.bytes.begin() + 16 * from, 16, l.dst.bytes.begin() + 16 * i);
  }
}
// vperm2f128: each half from any of four, or zero.
void permute_blocks(Lanes& l) {
  for (int i = 0; i < 2; ++i) {
    const int control = l.immediate >> (4 * i);
    const Vector& src = l.src[control & 2 ? 1 : 0];
    if (control & 8)
      std::fill_n(l.dst.bytes.begin() + 16 * i, 16, uint8_t{0});
    else
      std::copy_n(src.bytes.begin() + 16 * (control & 1), 16, l.dst.bytes.begin() + 16 * i);
  }
}
void permute_quads(Lanes& l) {
  if (l.sources == 2) throw Refused("vpermq with indices in a register is not emulated");
  for (int i = 0; i < l.bytes / 8; ++i)
    l.dst.set<uint64_t>(i, l.src[0].get<uint64_t>(i / 4 * 4 + ((l.immediate >> (2 * (i % 4))) & 3)));
}
// The first source holds the indices.
template <class T>
void permute(Lanes& l) {
  const int count = l.bytes / static_cast<int>(sizeof(T));
  for (int i = 0; i < count; ++i) l.dst.set<T>(i, l.src[1].get<T>(static_cast<int>(l.src[0].get<T>(i)) & (count - 1)));
}
// Indices into two tables. vpermi2 overwrites the indices, vpermt2 the first table.
template <class T, bool kIndicesInDst>
void permute_two(Lanes& l) {
  const int count = l.bytes / static_cast<int>(sizeof(T));
  const Vector indices = kIndicesInDst ? l.dst : l.src[0], first = kIndicesInDst ? l.src[0] : l.dst;
  for (int i = 0; i < count; ++i) {
    const int index = static_cast<int>(indices.get<T>(i)) & (2 * count - 1);
    l.dst.set<T>(i, (index < count ? first : l.src[1]).get<T>(index & (count - 1)));
  }
}

// Pieces of kBytes: the one that the immediate names is replaced, or taken out.
template <int kBytes>
void insert(Lanes& l) {
  const int pieces = l.bytes / kBytes;
  l.dst = l.src[0];
  std::copy_n(l.src[1].bytes.begin(), kBytes, l.dst.bytes.begin() + kBytes * (l.immediate & (pieces - 1)));
}
template <int kBytes>
void extract(Lanes& l) {
  const int pieces = l.bytes / kBytes;
  const Vector src = l.src[0];
  std::copy_n(src.bytes.begin() + kBytes * (l.immediate & (pieces - 1)), kBytes, l.dst.bytes.begin());
}

// Signs of lanes as bits, and back.
template <class T>
void signs_to_mask(Lanes& l) {
  for (int i = 0; i < l.bytes / static_cast<int>(sizeof(T)); ++i) l.bits |= uint64_t{l.src[0].get<T>(i) < 0} << i;
}
template <class T>
void mask_to_lanes(Lanes& l) {
  const uint64_t mask = l.src[0].get<uint64_t>(0);
  for (int i = 0; i < l.bytes / static_cast<int>(sizeof(T)); ++i) l.dst.set<T>(i, (mask >> i) & 1 ? T{-1} : T{0});
}

using Kind = VectorRule::Kind;

const VectorRule kRules[] = {
    {ZYDIS_MNEMONIC_VMOVUPS, 4, 4, copy},
    {ZYDIS_MNEMONIC_VMOVAPS, 4, 4, copy},
    {ZYDIS_MNEMONIC_VMOVNTPS, 4, 4, copy},
    {ZYDIS_MNEMONIC_VMOVDQU, 4, 4, copy},
    {ZYDIS_MNEMONIC_VMOVDQA, 4, 4, copy},
    {ZYDIS_MNEMONIC_VMOVDQU8, 1, 1, copy},
    {ZYDIS_MNEMONIC_VMOVDQU16, 2, 2, copy},
    {ZYDIS_MNEMONIC_VMOVDQU32, 4, 4, copy},
    {ZYDIS_MNEMONIC_VMOVDQU64, 8, 8, copy},
    {ZYDIS_MNEMONIC_VMOVDQA32, 4, 4, copy},
    {ZYDIS_MNEMONIC_VMOVDQA64, 8, 8, copy},
    {ZYDIS_MNEMONIC_VMOVSS, 4, 4, copy_scalar, Kind::kScalar},
    {ZYDIS_MNEMONIC_VMOVD, 4, 4, copy_scalar, Kind::kScalar},
    {ZYDIS_MNEMONIC_VMOVQ, 8, 8, copy_scalar, Kind::kScalar},

    {ZYDIS_MNEMONIC_VBROADCASTSS, 4, 4, broadcast<4>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VBROADCASTF128, 16, 16, broadcast<16>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VBROADCASTI128, 16, 16, broadcast<16>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VBROADCASTF32X4, 4, 4, broadcast<16>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VBROADCASTI32X4, 4, 4, broadcast<16>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VBROADCASTF64X4, 8, 8, broadcast<32>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VBROADCASTI64X4, 8, 8, broadcast<32>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPBROADCASTB, 1, 1, broadcast<1>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPBROADCASTW, 2, 2, broadcast<2>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPBROADCASTD, 4, 4, broadcast<4>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPBROADCASTQ, 8, 8, broadcast<8>, Kind::kAcross},

    {ZYDIS_MNEMONIC_VBLENDMPS, 4, 4, blend<float>, Kind::kSelect},
    {ZYDIS_MNEMONIC_VPBLENDMD, 4, 4, blend<int32_t>, Kind::kSelect},
    {ZYDIS_MNEMONIC_VPBLENDMB, 1, 1, blend<int8_t>, Kind::kSelect},
    {ZYDIS_MNEMONIC_VBLENDVPS, 4, 4, blend_by_sign},
    {ZYDIS_MNEMONIC_VPBLENDVB, 1, 1, blend_bytes_by_sign},
    {ZYDIS_MNEMONIC_VBLENDPS, 4, 4, blend_by_immediate},
    {ZYDIS_MNEMONIC_VPBLENDD, 4, 4, blend_by_immediate},

    {ZYDIS_MNEMONIC_VSHUFPS, 4, 4, shufps, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMILPS, 4, 4, permute_in_128, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPSHUFD, 4, 4, permute_in_128, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPSHUFB, 1, 1, shuffle_bytes, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPALIGNR, 1, 1, align_bytes, Kind::kAcross},
    {ZYDIS_MNEMONIC_VUNPCKLPS, 4, 4, unpack<uint32_t, 0>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VUNPCKHPS, 4, 4, unpack<uint32_t, 1>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPUNPCKLBW, 1, 1, unpack<uint8_t, 0>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPUNPCKHBW, 1, 1, unpack<uint8_t, 1>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPUNPCKLWD, 2, 2, unpack<uint16_t, 0>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPUNPCKHWD, 2, 2, unpack<uint16_t, 1>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPUNPCKLDQ, 4, 4, unpack<uint32_t, 0>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPUNPCKHDQ, 4, 4, unpack<uint32_t, 1>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPUNPCKLQDQ, 8, 8, unpack<uint64_t, 0>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPUNPCKHQDQ, 8, 8, unpack<uint64_t, 1>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VSHUFF32X4, 4, 4, shuffle_blocks, Kind::kAcross},
    {ZYDIS_MNEMONIC_VSHUFI32X4, 4, 4, shuffle_blocks, Kind::kAcross},
    {ZYDIS_MNEMONIC_VSHUFF64X2, 8, 8, shuffle_blocks, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERM2F128, 16, 16, permute_blocks, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERM2I128, 16, 16, permute_blocks, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMQ, 8, 8, permute_quads, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMB, 1, 1, permute<uint8_t>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMW, 2, 2, permute<uint16_t>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMD, 4, 4, permute<uint32_t>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMPS, 4, 4, permute<uint32_t>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMI2B, 1, 1, permute_two<uint8_t, true>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMT2B, 1, 1, permute_two<uint8_t, false>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMI2W, 2, 2, permute_two<uint16_t, true>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMT2W, 2, 2, permute_two<uint16_t, false>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMI2PS, 4, 4, permute_two<uint32_t, true>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMT2PS, 4, 4, permute_two<uint32_t, false>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMI2D, 4, 4, permute_two<uint32_t, true>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VPERMT2D, 4, 4, permute_two<uint32_t, false>, Kind::kAcross},

    {ZYDIS_MNEMONIC_VINSERTF128, 16, 16, insert<16>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VINSERTI128, 16, 16, insert<16>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VINSERTF32X4, 4, 4, insert<16>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VINSERTI32X4, 4, 4, insert<16>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VINSERTF64X4, 8, 8, insert<32>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VINSERTI64X4, 8, 8, insert<32>, Kind::kAcross},
    {ZYDIS_MNEMONIC_VEXTRACTF128, 16, 16, extract<16>, Kind::kWhole},
    {ZYDIS_MNEMONIC_VEXTRACTI128, 16, 16, extract<16>, Kind::kWhole},
    {ZYDIS_MNEMONIC_VEXTRACTF32X4, 4, 4, extract<16>, Kind::kWhole},
    {ZYDIS_MNEMONIC_VEXTRACTI32X4, 4, 4, extract<16>, Kind::kWhole},
    {ZYDIS_MNEMONIC_VEXTRACTF32X8, 4, 4, extract<32>, Kind::kWhole},
    {ZYDIS_MNEMONIC_VEXTRACTI32X8, 4, 4, extract<32>, Kind::kWhole},
    {ZYDIS_MNEMONIC_VEXTRACTF64X4, 8, 8, extract<32>, Kind::kWhole},
    {ZYDIS_MNEMONIC_VEXTRACTI64X4, 8, 8, extract<32>, Kind::kWhole},

    {ZYDIS_MNEMONIC_VPMOVB2M, 1, 1, signs_to_mask<int8_t>},
    {ZYDIS_MNEMONIC_VPMOVD2M, 4, 4, signs_to_mask<int32_t>},
    {ZYDIS_MNEMONIC_VPMOVM2B, 1, 1, mask_to_lanes<int8_t>},
    {ZYDIS_MNEMONIC_VPMOVM2D, 4, 4, mask_to_lanes<int32_t>},
};

}  // namespace

std::span<const VectorRule> move_rules() { return kRules; }

}  // namespace neural_engine::emulator
