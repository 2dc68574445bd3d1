// Vector instructions: against the host where it has them, wide ones against their halves, masked ones against
// unmasked.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "emulator/emulation.h"
#include "emulator/snippet.h"

namespace neural_engine::emulator {
namespace {

using namespace testing;
using Xbyak::Operand;
using Xbyak::Xmm;

using Emit = void (*)(Snippet& c, const Xmm& d, const Xmm& a, const Operand& b);

struct Case {
  const char* name;
  Emit emit;
  Data data = Data::kBits;
  Isa needs = Isa::kAvx2;  // of the unmasked form with 256 bits; wider and masked ones need kAvx512 at least
  int lane = 4;            // bytes that a mask bit stands for
  bool crosses = false;    // lanes of 256 bits mix: a wide vector is not two halves
};

// The source of a widening instruction is a part of a vector.
template <class Body>
void widen(const Operand& b, int factor, Body body) {
  if (b.isMEM()) return body(static_cast<const Xbyak::Address&>(b));
  b.getBit() / factor > 128 ? body(Xbyak::Ymm(b.getIdx())) : body(Xmm(b.getIdx()));
}

#define NE_OP(name) #name, [](Snippet & c, const Xmm& d, const Xmm& a, const Operand& b) { c.name(d, a, b); }
// Those that Xbyak wants as Ymm, which is a name for the same bits.
#define NE_OP_YMM(name)                              \
#name, [](Snippet & c, const Xmm& d, const Xmm& a, \
            const Operand& b) { c.name(static_cast<const Xbyak::Ymm&>(d), static_cast<const Xbyak::Ymm&>(a), b); }
#define NE_OP1(name) #name, [](Snippet & c, const Xmm& d, const Xmm&, const Operand& b) { c.name(d, b); }
#define NE_WIDEN(name, factor)                     \
#name, [](Snippet & c, const Xmm& d, const Xmm&, \
            const Operand& b) { widen(b, factor, [&](const auto& x) { c.name(d, x); }); }
#define NE_OPI(name, i) #name, [](Snippet & c, const Xmm& d, const Xmm& a, const Operand& b) { c.name(d, a, b, i); }
#define NE_OP1I(name, i) #name, [](Snippet & c, const Xmm& d, const Xmm&, const Operand& b) { c.name(d, b, i); }
#define NE_SHIFT(name, i) #name, [](Snippet & c, const Xmm& d, const Xmm& a, const Operand&) { c.name(d, a, i); }

const Case kCases[] = {
    {NE_OP(vaddps), Data::kFloats},
    {NE_OP(vsubps), Data::kFloats},
    {NE_OP(vmulps), Data::kFloats},
    {NE_OP(vdivps), Data::kFloats},
    {NE_OP(vminps), Data::kFloats},
    {NE_OP(vmaxps), Data::kFloats},
    {NE_OP1(vsqrtps), Data::kFloats},
    {NE_OP(vfmadd132ps), Data::kFloats},
    {NE_OP(vfmadd213ps), Data::kFloats},
    {NE_OP(vfmadd231ps), Data::kFloats},
    {NE_OP(vfmsub132ps), Data::kFloats},
    {NE_OP(vfmsub213ps), Data::kFloats},
    {NE_OP(vfmsub231ps), Data::kFloats},
    {NE_OP(vfnmadd132ps), Data::kFloats},
    {NE_OP(vfnmadd213ps), Data::kFloats},
    {NE_OP(vfnmadd231ps), Data::kFloats},
    {NE_OP(vandps)},
    {NE_OP(vandnps)},
    {NE_OP(vorps)},
    {NE_OP(vxorps)},
    {NE_OP1(vcvtps2dq), Data::kFloats},
    {NE_OP1(vcvttps2dq), Data::kFloats},
    {NE_OP1(vcvtdq2ps)},
    {NE_OP(vpaddb), Data::kBits, Isa::kAvx2, 1},
    {NE_OP(vpaddw), Data::kBits, Isa::kAvx2, 2},
    {NE_OP(vpaddd)},
    {NE_OP(vpsubb), Data::kBits, Isa::kAvx2, 1},
    {NE_OP(vpsubd)},
    {NE_OP(vpaddsb), Data::kBits, Isa::kAvx2, 1},
    {NE_OP(vpaddsw), Data::kBits, Isa::kAvx2, 2},
    {NE_OP(vpaddusb), Data::kBits, Isa::kAvx2, 1},
    {NE_OP(vpsubsw), Data::kBits, Isa::kAvx2, 2},
    {NE_OP(vpmulld)},
    {NE_OP(vpmullw), Data::kBits, Isa::kAvx2, 2},
    {NE_OP(vpmulhw), Data::kBits, Isa::kAvx2, 2},
    {NE_OP(vpmaddwd)},
    {NE_OP(vpmaddubsw), Data::kBits, Isa::kAvx2, 2},
    {NE_OP(vpminsd)},
    {NE_OP(vpmaxsd)},
    {NE_OP(vpminub), Data::kBits, Isa::kAvx2, 1},
    {NE_OP(vpmaxsb), Data::kBits, Isa::kAvx2, 1},
    {NE_OP1(vpabsb), Data::kBits, Isa::kAvx2, 1},
    {NE_OP1(vpabsd)},
    {NE_SHIFT(vpslld, 23)},
    {NE_SHIFT(vpsrld, 7)},
    {NE_SHIFT(vpsrad, 31)},
    {NE_SHIFT(vpsllw, 8), Data::kBits, Isa::kAvx2, 2},
    {NE_SHIFT(vpsraw, 5), Data::kBits, Isa::kAvx2, 2},
    {NE_SHIFT(vpsrlw, 16), Data::kBits, Isa::kAvx2, 2},
    {NE_OP(vpsrlvd)},
    {NE_OP(vpsllvd)},
    {NE_OP(vpackssdw), Data::kBits, Isa::kAvx2, 2},
    {NE_OP(vpackusdw), Data::kBits, Isa::kAvx2, 2},
    {NE_OP(vpacksswb), Data::kBits, Isa::kAvx2, 1},
    {NE_OP(vpackuswb), Data::kBits, Isa::kAvx2, 1},
    {NE_OP(vpshufb), Data::kBits, Isa::kAvx2, 1},
    {NE_OP(vpunpcklbw), Data::kBits, Isa::kAvx2, 1},
    {NE_OP(vpunpckhwd), Data::kBits, Isa::kAvx2, 2},
    {NE_OP(vpunpckldq)},
    {NE_OP(vunpckhps)},
    {NE_OPI(vshufps, 0x4e)},
    {NE_OPI(vshufps, 0x9b)},
    {NE_OP1I(vpermilps, 0xb1)},
    {NE_OP1I(vpshufd, 0x27)},
    {NE_OPI(vpalignr, 5), Data::kBits, Isa::kAvx2, 1},
    {NE_WIDEN(vpmovsxbd, 4), Data::kBits, Isa::kAvx2, 4, true},
    {NE_WIDEN(vpmovzxbd, 4), Data::kBits, Isa::kAvx2, 4, true},
    {NE_WIDEN(vpmovzxwd, 2), Data::kBits, Isa::kAvx2, 4, true},
    {NE_WIDEN(vpmovsxbw, 2), Data::kBits, Isa::kAvx2, 2, true},
    {NE_WIDEN(vcvtph2ps, 2), Data::kBf16, Isa::kAvx2, 4, true},
    {NE_WIDEN(vbroadcastss, 16), Data::kBits, Isa::kAvx2, 4, true},
    {NE_WIDEN(vpbroadcastb, 16), Data::kBits, Isa::kAvx2, 1, true},
    {NE_OP(vpandd), Data::kBits, Isa::kAvx512},
    {NE_OP(vpxord), Data::kBits, Isa::kAvx512},
    {NE_OPI(vpternlogd, 0xca), Data::kBits, Isa::kAvx512},
    {NE_OPI(vpternlogd, 0x1e), Data::kBits, Isa::kAvx512},
    {NE_OP1I(vrndscaleps, 0), Data::kFloats, Isa::kAvx512},
    {NE_OP1I(vrndscaleps, 9), Data::kFloats, Isa::kAvx512},
    {NE_OP(vscalefps), Data::kFloats, Isa::kAvx512},
    {"vshuff32x4",
     [](Snippet& c, const Xmm& d, const Xmm& a, const Operand& b) {
       c.vshuff32x4(static_cast<const Xbyak::Ymm&>(d), static_cast<const Xbyak::Ymm&>(a), b, 0x1b);
     },
     Data::kBits, Isa::kAvx512, 4, true},
    {NE_OP_YMM(vpermw), Data::kBits, Isa::kAvx512, 2, true},
    {NE_OP(vpermi2ps), Data::kBits, Isa::kAvx512, 4, true},
    {NE_OP(vpermt2w), Data::kBits, Isa::kAvx512, 2, true},
    {NE_OP(vpdpbusd), Data::kBits, Isa::kAvx512Vnni},
    {NE_OP(vpdpbusds), Data::kBits, Isa::kAvx512Vnni},
    {NE_OP(vpdpwssd), Data::kBits, Isa::kAvx512Vnni},
    {NE_OP(vpdpwssds), Data::kBits, Isa::kAvx512Vnni},
    {NE_OP(vdpbf16ps), Data::kBf16, Isa::kAvx512Bf16},
    {NE_OP(vcvtne2ps2bf16), Data::kFloats, Isa::kAvx512Bf16, 2, true},
};

// vdpbf16ps adds to floats.
bool floats(const Case& c) { return c.data != Data::kBits; }

void expect_same(const Case& c, const State& got, const State& want, int bytes) {
  for (int reg = 0; reg < kVectors; ++reg)
    for (int i = 0; i < bytes / 4; ++i) {
      const uint32_t g = got.v[static_cast<size_t>(reg)].get<uint32_t>(i),
                     w = want.v[static_cast<size_t>(reg)].get<uint32_t>(i);
      ASSERT_TRUE(g == w || (floats(c) && same_number(g, w)))
          << c.name << ", " << bytes << " bytes, register " << reg << ", lane " << i << std::hex << ": got " << g
          << ", want " << w;
    }
}

bool host_runs(const Case& c, bool evex) { return is_native(c.needs) && (!evex || is_native(Isa::kAvx512)); }

void compare_with_host(const Case& c, int bytes, int mask, bool memory) {
  const Snippet code(bytes, [&](Snippet& s) {
    Xmm d = s.v(0);
    if (mask > 0) d = mask == 1 ? d | s.k1 : d | s.k1 | Xbyak::util::T_z;
    const Xbyak::Address address = s.memory();
    const Xmm reg = s.v(2);
    c.emit(s, d, s.v(1), memory ? static_cast<const Operand&>(address) : static_cast<const Operand&>(reg));
  });
  RandomState random(17);
  for (int round = 0; round < 40; ++round) {
    State native = random.next(c.data), emulated = native;
    code.run_natively(&native);
    code.run_emulated(&emulated);
    expect_same(c, emulated, native, bytes);
    EXPECT_EQ(emulated.k, native.k);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(EmulatedVectors, VexFormsGiveTheHostsBits) {
  if (!is_native(Isa::kAvx2)) GTEST_SKIP() << "this CPU has no AVX2";
  int compared = 0;
  for (const Case& c : kCases) {
    if (c.needs != Isa::kAvx2) continue;
    for (const int bytes : {16, 32})
      for (const bool memory : {false, true}) compare_with_host(c, bytes, 0, memory);
    ++compared;
    if (HasFailure()) return;
  }
  EXPECT_GT(compared, 50);
}

TEST(EmulatedVectors, EvexFormsGiveTheHostsBits) {
  if (!is_native(Isa::kAvx512)) GTEST_SKIP() << "this CPU has no AVX-512";
  for (const Case& c : kCases) {
    if (!host_runs(c, true)) continue;
    for (const int mask : {0, 1, 2})
      for (const bool memory : {false, true}) compare_with_host(c, 64, mask, memory);
    if (HasFailure()) return;
  }
}

TEST(EmulatedVectors, WideOnesAreTwoHalves) {
  for (const Case& c : kCases) {
    if (c.crosses) continue;
    const auto emit = [&](Snippet& s) { c.emit(s, s.v(0), s.v(1), s.v(2)); };
    const Snippet wide(64, emit), half(32, emit);
    RandomState random(23);
    for (int round = 0; round < 10; ++round) {
      State whole = random.next(c.data), low = whole, high = whole;
      for (Vector& v : high.v) std::memcpy(v.bytes.data(), v.bytes.data() + 32, 32);
      wide.run_emulated(&whole);
      half.run_emulated(&low);
      half.run_emulated(&high);
      std::memcpy(low.v[0].bytes.data() + 32, high.v[0].bytes.data(), 32);
      EXPECT_EQ(whole.v[0], low.v[0]) << c.name;
    }
  }
}

TEST(EmulatedVectors, MasksMergeOrZero) {
  for (const Case& c : kCases)
    for (const bool zeroing : {false, true}) {
      const Snippet plain(64, [&](Snippet& s) { c.emit(s, s.v(0), s.v(1), s.v(2)); });
      const Snippet masked(64, [&](Snippet& s) {
        const Xmm d = s.v(0);
        c.emit(s, zeroing ? d | s.k1 | Xbyak::util::T_z : d | s.k1, s.v(1), s.v(2));
      });
      RandomState random(29);
      State all = random.next(c.data), some = all;
      const Vector before = all.v[0];
      const uint64_t mask = all.k[0];
      plain.run_emulated(&all);
      masked.run_emulated(&some);
      for (int byte = 0; byte < 64; ++byte) {
        const bool selected = (mask >> (byte / c.lane)) & 1;
        const uint8_t kept = zeroing ? uint8_t{0} : before.get<uint8_t>(byte);
        ASSERT_EQ(some.v[0].get<uint8_t>(byte), selected ? all.v[0].get<uint8_t>(byte) : kept)
            << c.name << ", byte " << byte;
      }
    }
}

// What an unmapped page behind a row shows: lanes that the mask leaves out are not touched.
TEST(EmulatedVectors, MaskedLanesOfMemoryAreNotTouched) {
  constexpr size_t kPage = 4096;
  auto* pages =
      static_cast<uint8_t*>(mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mprotect(pages + kPage, kPage, PROT_NONE), 0);
  for (int i = 0; i < 5; ++i) reinterpret_cast<float*>(pages + kPage)[i - 5] = static_cast<float>(i + 1);

  const Snippet code(64, [](Snippet& s) {
    s.vmovups(Xbyak::Zmm(0) | s.k1 | Xbyak::util::T_z, s.ptr[s.rax]);
    s.vaddps(Xbyak::Zmm(1) | s.k1, Xbyak::Zmm(0), s.ptr[s.rax]);
    s.vmovups(s.ptr[s.rax] | s.k1, Xbyak::Zmm(1));
    s.vbroadcastss(Xbyak::Zmm(2), s.dword[s.rax + 16]);
    s.vmulps(Xbyak::Zmm(3), Xbyak::Zmm(2), s.ptr_b[s.rax + 16]);
  });
  State state = {};
  state.k[0] = 0x1f;
  state.general[0] = reinterpret_cast<uint64_t>(pages + kPage) - 20;
  code.run_emulated(&state);
  EXPECT_EQ(state.v[0].get<float>(4), 5.0f);
  EXPECT_EQ(state.v[0].get<float>(5), 0.0f);
  EXPECT_EQ(state.v[3].get<float>(15), 100.0f);
  EXPECT_EQ(reinterpret_cast<float*>(pages + kPage)[-1], 10.0f);
  munmap(pages, 2 * kPage);
}

// Forms that the table above has no place for, with answers worked out by hand.
TEST(EmulatedVectors, ComparisonsSelectionsAndNarrowing) {
  const Snippet code(64, [](Snippet& s) {
    using Xbyak::Ymm, Xbyak::Zmm;
    s.vcmpps(s.k1, Zmm(0), Zmm(1), 1);           // less than
    s.vcmpps(s.k2 | s.k1, Zmm(0), Zmm(2), 5);    // not less than, where the first holds
    s.vblendmps(Zmm(3) | s.k1, Zmm(0), Zmm(1));  // the larger
    s.vcvtps2dq(Zmm(4), Zmm(3));
    s.vpmovusdb(Xmm(4), Zmm(4));
    s.kmovw(s.eax, s.k1);
    s.kmovw(s.edx, s.k2);
    s.vextractf32x8(Ymm(0), Zmm(0), 1);
  });
  State state = {};
  for (int i = 0; i < 16; ++i) {
    state.v[0].set<float>(i, static_cast<float>(i));
    state.v[1].set<float>(i, i % 2 == 0 ? 300.0f : -5.0f);
    state.v[2].set<float>(i, 8.0f);
  }
  code.run_emulated(&state);
  EXPECT_EQ(state.general[0], 0x5555u);
  EXPECT_EQ(state.general[1], 0x5500u);
  EXPECT_EQ(state.k[1], 0x5500u);
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(state.v[3].get<float>(i), i % 2 == 0 ? 300.0f : static_cast<float>(i));
    EXPECT_EQ(state.v[4].get<uint8_t>(i), i % 2 == 0 ? 255 : i);
    EXPECT_EQ(state.v[0].get<float>(i), i < 8 ? static_cast<float>(i + 8) : 0.0f);
  }
  for (int byte = 16; byte < 64; ++byte) EXPECT_EQ(state.v[4].get<uint8_t>(byte), 0);
}

TEST(EmulatedVectors, VexFormsClearTheUpperHalves) {
  const Snippet code(64, [](Snippet& s) {
    s.vaddps(Xbyak::Ymm(0), Xbyak::Ymm(0), Xbyak::Ymm(1));
    s.vmovss(Xmm(1), s.dword[s.rdi]);
    s.vmovss(Xmm(2), Xmm(2), Xmm(3));
  });
  State state = RandomState(3).next(Data::kBits);
  const State before = state;
  code.run_emulated(&state);
  for (int i = 8; i < 16; ++i) EXPECT_EQ(state.v[0].get<uint32_t>(i), 0u);
  EXPECT_EQ(state.v[1].get<uint32_t>(0), before.v[0].get<uint32_t>(0));
  for (int i = 1; i < 16; ++i) EXPECT_EQ(state.v[1].get<uint32_t>(i), 0u);
  EXPECT_EQ(state.v[2].get<uint32_t>(0), before.v[3].get<uint32_t>(0));
  for (int i = 1; i < 4; ++i) EXPECT_EQ(state.v[2].get<uint32_t>(i), before.v[2].get<uint32_t>(i));
  for (int i = 4; i < 16; ++i) EXPECT_EQ(state.v[2].get<uint32_t>(i), 0u);
}

TEST(EmulatedVectors, WhatIsNotEmulatedIsRefusedByName) {
  const auto refusal = [](auto emit) -> std::string {
    const Snippet code(64, emit);
    State state = {};
    try {
      code.run_emulated(&state);
    } catch (const Refused& refused) {
      return refused.what();
    }
    return "accepted";
  };
  EXPECT_NE(refusal([](Snippet& s) { s.vaesenc(Xbyak::Zmm(0), Xbyak::Zmm(0), Xbyak::Zmm(1)); }).find("vaesenc (62"),
            std::string::npos);
  EXPECT_NE(refusal([](Snippet& s) {
              s.vaddps(Xbyak::Zmm(0) | s.T_rz_sae, Xbyak::Zmm(0), Xbyak::Zmm(1));
            }).find("embedded rounding"),
            std::string::npos);
}

}  // namespace
}  // namespace neural_engine::emulator
