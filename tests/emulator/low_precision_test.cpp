// Rounding of bf16 and of its products, on numbers whose answers are known.
#include "emulator/low_precision.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace neural_engine::emulator {
namespace {

TEST(LowPrecision, RoundsToBf16ToNearestEven) {
  EXPECT_EQ(round_to_bf16(1.0f), 0x3f80);
  EXPECT_EQ(round_to_bf16(float_of(0x3f808000)), 0x3f80);  // a tie, to even
  EXPECT_EQ(round_to_bf16(float_of(0x3f818000)), 0x3f82);  // a tie, to even
  EXPECT_EQ(round_to_bf16(float_of(0x3f808001)), 0x3f81);
  EXPECT_EQ(round_to_bf16(float_of(0x7f7fffff)), 0x7f80);  // the largest float becomes infinity
  EXPECT_EQ(round_to_bf16(-INFINITY), 0xff80);
  EXPECT_EQ(round_to_bf16(float_of(0x807fffff)), 0x8000);  // denormals become zeros
  EXPECT_EQ(round_to_bf16(float_of(0x00800000)), 0x0080);
  EXPECT_EQ(round_to_bf16(float_of(0x7f800001)), 0x7fc0);  // NaN becomes quiet
}

TEST(LowPrecision, StepsAreFusedAndFlushDenormals) {
  // (1 + 2^-7)^2 = 1 + 2^-6 + 2^-14; less 1 + 2^-6 only a fused step has the rest.
  EXPECT_EQ(fused_step(1.0078125f, 1.0078125f, -1.015625f), 0x1p-14f);
  EXPECT_EQ(fused_step(0x1p-70f, 0x1p-70f, 0.0f), 0.0f);
  EXPECT_TRUE(std::signbit(fused_step(-0x1p-70f, 0x1p-70f, -0.0f)));
  EXPECT_EQ(fused_step(1e-40f, 1e30f, 1.0f), 1.0f);            // the operand counts as zero
  EXPECT_EQ(fused_step(0x1p-63f, 0x1p-63f, 0.0f), 0x1p-126f);  // the least normal number stays
  // Just below it, but rounded up to it.
  EXPECT_EQ(fused_step(1.0f, 0x1p-126f, -0x1p-126f), 0.0f);
  EXPECT_TRUE(std::isnan(fused_step(INFINITY, 0.0f, 1.0f)));
  EXPECT_EQ(fused_step(3e38f, 2.0f, 0.0f), INFINITY);
  EXPECT_EQ(flushed_sum(0x1.8p-126f, -0x1p-126f), 0.0f);
}

// With normal numbers all around, a step is the library's fma.
TEST(LowPrecision, StepsRoundOnce) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> number(-4, 4);
  for (int i = 0; i < 100000; ++i) {
    const float a = widen_bf16(round_to_bf16(number(random))), b = widen_bf16(round_to_bf16(number(random)));
    const float c = number(random) * (i % 3 == 0 ? 1e-6f : 1.0f);
    ASSERT_EQ(bits_of(fused_step(a, b, c)), bits_of(std::fma(a, b, c))) << a << " * " << b << " + " << c;
  }
}

TEST(LowPrecision, ByteAndWordProducts) {
  EXPECT_EQ((dot4<uint8_t, int8_t>(0xffffffffu, 0x80808080u)), 4 * 255 * -128);
  EXPECT_EQ((dot4<int8_t, int8_t>(0x80808080u, 0x80808080u)), 4 * 128 * 128);
  EXPECT_EQ((dot4<uint8_t, uint8_t>(0x01020304u, 0x05060708u)), 5 + 12 + 21 + 32);
  EXPECT_EQ((dot2<int16_t, int16_t>(0x80008000u, 0x80008000u)), int64_t{1} << 31);
}

}  // namespace
}  // namespace neural_engine::emulator
