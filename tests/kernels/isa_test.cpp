#include "kernels/isa.h"

#include <gtest/gtest.h>

namespace neural_engine {
namespace {

TEST(Isa, NamesParseBack) {
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    ASSERT_TRUE(parse_isa(to_string(isa)).has_value());
    EXPECT_EQ(*parse_isa(to_string(isa)), isa);
  }
  EXPECT_FALSE(parse_isa("avx1024").has_value());
  EXPECT_FALSE(parse_isa("").has_value());
}

TEST(Isa, DetectionFindsTheBaselineAndPlausibleCaches) {
  const CpuInfo info = detect_cpu();
  EXPECT_TRUE(info.has(Isa::kSse2));
  EXPECT_GE(info.l1d_bytes, 8 << 10);
  EXPECT_GE(info.l2_bytes, info.l1d_bytes);
  EXPECT_EQ(detect_cpu().isa_bits, info.isa_bits);
}

TEST(Isa, AgreesWithTheCompilersView) {
  const CpuInfo info = detect_cpu();
  EXPECT_EQ(info.has(Isa::kAvx2), __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
  EXPECT_EQ(info.has(Isa::kAvx512), bool(__builtin_cpu_supports("avx512bw")));
}

TEST(Isa, LimitCutsWhatIsAbove) {
  CpuInfo all;
  all.isa_bits = (1u << kIsaCount) - 1;
  const CpuInfo cut = limited(all, Isa::kAvx512);
  EXPECT_TRUE(cut.has(Isa::kSse2));
  EXPECT_TRUE(cut.has(Isa::kAvx2));
  EXPECT_TRUE(cut.has(Isa::kAvx512));
  EXPECT_FALSE(cut.has(Isa::kAvx512Vnni));
  EXPECT_FALSE(cut.has(Isa::kAmxBf16));
  EXPECT_EQ(limited(all, Isa::kSse2).isa_bits, 1u);
  EXPECT_EQ(limited(all, Isa::kAmxBf16).isa_bits, all.isa_bits);
}

}  // namespace
}  // namespace neural_engine
