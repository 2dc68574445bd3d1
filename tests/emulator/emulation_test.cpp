// The way through the signal handler: native code that meets an instruction which this CPU lacks.
#include "emulator/emulation.h"

#include <gtest/gtest.h>
#include <xbyak/xbyak.h>

#include <thread>
#include <vector>

#include "emulator/machine.h"

namespace neural_engine::emulator {
namespace {

struct alignas(64) Buffers {
  float a[16], b[16], out[16];
  uint64_t kept[4];
};

// Native and missing instructions in turn, with callee-saved registers in use.
class Sum : public Xbyak::CodeGenerator {
 public:
  Sum() : Xbyak::CodeGenerator(4096, Xbyak::DontSetProtectRWE) {
    push(rbx);
    push(r12);
    mov(rbx, 0x1122334455667788);
    mov(r12d, 5);
    vmovups(xmm1, ptr[rdi]);  // natively, before the first trap
    vmovups(zmm0, ptr[rdi + offsetof(Buffers, b)]);
    vaddps(zmm0, zmm0, ptr[rdi]);
    vaddps(xmm2, xmm1, xmm1);
    vaddps(zmm0, zmm0, zmm2);
    vmovups(ptr[rdi + offsetof(Buffers, out)], zmm0);
    add(r12, rbx);
    mov(ptr[rdi + offsetof(Buffers, kept)], r12);
    mov(eax, 77);
    vzeroupper();
    pop(r12);
    pop(rbx);
    ret();
    setProtectModeRE();
  }
};

class Emulation : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!install()) GTEST_SKIP() << "the emulator needs a CPU with AVX2";
  }
};

void check_sum(const Sum& code) {
  Buffers x = {};
  for (int i = 0; i < 16; ++i) {
    x.a[i] = static_cast<float>(i);
    x.b[i] = 100.0f;
  }
  EXPECT_EQ(code.getCode<int (*)(Buffers*)>()(&x), 77);
  // The doubled lanes of a are an xmm: VEX-coded, so nothing but four lanes.
  for (int i = 0; i < 16; ++i) EXPECT_EQ(x.out[i], 100.0f + static_cast<float>(i) * (i < 4 ? 3.0f : 1.0f));
  EXPECT_EQ(x.kept[0], 0x1122334455667788u + 5);
}

TEST_F(Emulation, RunsAFunctionToItsEnd) {
  const uint64_t before = emulated_instructions();
  check_sum(Sum());
  EXPECT_EQ(emulated_instructions() > before, !is_native(Isa::kAvx512));
}

TEST_F(Emulation, WorksOnManyThreads) {
  const Sum code;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) check_sum(code);
    });
  for (std::thread& thread : threads) thread.join();
}

// Tiles belong to the thread and outlast the function that configured them.
TEST_F(Emulation, TilesOutlastAFunction) {
  if (is_native(Isa::kAmxInt8)) GTEST_SKIP() << "this CPU has AMX";
  struct Configure : Xbyak::CodeGenerator {
    Configure() {
      ldtilecfg(ptr[rdi]);
      ret();
    }
  } configure;
  struct Store : Xbyak::CodeGenerator {
    Store() {
      sttilecfg(ptr[rdi]);
      ret();
    }
  } store;
  alignas(64) uint8_t config[64] = {1}, stored[64] = {}, elsewhere[64] = {};
  config[16] = 64;
  config[48] = 16;
  configure.getCode<void (*)(uint8_t*)>()(config);
  store.getCode<void (*)(uint8_t*)>()(stored);
  std::thread([&] { store.getCode<void (*)(uint8_t*)>()(elsewhere); }).join();
  EXPECT_EQ(stored[48], 16);
  EXPECT_EQ(elsewhere[0], 0);
}

// What a kernel has not set must not pass for a zero.
TEST_F(Emulation, RegistersThatNobodySetHoldNaN) {
  if (is_native(Isa::kAvx512)) GTEST_SKIP() << "this CPU has AVX-512";
  struct Code : Xbyak::CodeGenerator {
    Code() {
      vmovups(ptr[rdi], zmm17);
      ret();
    }
  } code;
  alignas(64) float out[16] = {};
  code.getCode<void (*)(float*)>()(out);
  for (const float value : out) EXPECT_NE(value, value);
}

TEST_F(Emulation, DiesNamingWhatItDoesNotKnow) {
  if (is_native(Isa::kAvx512)) GTEST_SKIP() << "this CPU has AVX-512";
  struct Code : Xbyak::CodeGenerator {
    Code() {
      vpconflictd(zmm0, zmm1);
      ret();
    }
  } code;
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(code.getCode<void (*)()>()(), "emulator: vpconflictd .* is not emulated");
}

TEST_F(Emulation, OffersWhatTheHostLacks) {
  const CpuInfo& all = test_cpu();
  EXPECT_TRUE(all.has(Isa::kAvx2));
  if (std::getenv("NE_MAX_ISA") != nullptr) return;
  for (const Isa isa : {Isa::kAvxVnni, Isa::kAvx512, Isa::kAvx512Vnni, Isa::kAvx512Bf16, Isa::kAmxInt8, Isa::kAmxBf16})
    EXPECT_TRUE(all.has(isa)) << to_string(isa);
}

// Detection asks the CPU itself, with the emulator's handler in place too.
TEST_F(Emulation, IsNotTakenForTheCpu) {
  test_cpu();
  EXPECT_EQ(detect_cpu().isa_bits, cpu().isa_bits);
  EXPECT_EQ(detect_cpu().has(Isa::kAvx512), bool(__builtin_cpu_supports("avx512bw")));
}

}  // namespace
}  // namespace neural_engine::emulator
