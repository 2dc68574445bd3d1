#include "base/float8.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/half.h"

namespace neural_engine {
namespace {

constexpr DType kFormats[] = {DType::kF8E4M3FN, DType::kF8E4M3FNUZ, DType::kF8E5M2, DType::kF8E5M2FNUZ};
constexpr float kInf = std::numeric_limits<float>::infinity();

TEST(Float8, EveryPatternSurvivesARoundTrip) {
  for (DType format : kFormats) {
    for (int bits = 0; bits < 256; ++bits) {
      const float value = float8_to_float(static_cast<uint8_t>(bits), format);
      if (std::isnan(value)) continue;
      EXPECT_EQ(float_to_float8(value, format, false), bits) << to_string(format);
    }
  }
}

TEST(Float8, LargestAndSmallestValues) {
  EXPECT_EQ(float8_to_float(0x7e, DType::kF8E4M3FN), 448.0f);
  EXPECT_EQ(float8_to_float(0x7f, DType::kF8E4M3FNUZ), 240.0f);
  EXPECT_EQ(float8_to_float(0x7b, DType::kF8E5M2), 57344.0f);
  EXPECT_EQ(float8_to_float(0x7f, DType::kF8E5M2FNUZ), 57344.0f);
  EXPECT_EQ(float8_to_float(0x01, DType::kF8E4M3FN), std::ldexp(1.0f, -9));
  EXPECT_EQ(float8_to_float(0x01, DType::kF8E5M2FNUZ), std::ldexp(1.0f, -17));
}

// Nearest of all 256 values, ties to the even pattern, found by search.
TEST(Float8, RoundsToNearestEven) {
  for (DType format : kFormats) {
    for (float value = -3.0f; value < 3.0f; value += 0.00731f) {
      const float found = float8_to_float(float_to_float8(value, format, true), format);
      for (int bits = 0; bits < 256; ++bits) {
        const float other = float8_to_float(static_cast<uint8_t>(bits), format);
        if (std::isnan(other)) continue;
        EXPECT_LE(std::fabs(found - value), std::fabs(other - value)) << to_string(format) << " " << value;
      }
    }
  }
  EXPECT_EQ(float_to_float8(1.0625f, DType::kF8E4M3FN, true), 0x38);  // halfway between 1 and 1.125
  EXPECT_EQ(float_to_float8(1.1875f, DType::kF8E4M3FN, true), 0x3a);  // halfway between 1.125 and 1.25
}

struct Overflow {
  DType format;
  uint8_t saturated_large, saturated_inf, large, inf;
};

TEST(Float8, OverflowSaturatesOrIsMarked) {
  const Overflow table[] = {{DType::kF8E4M3FN, 0x7e, 0x7e, 0x7f, 0x7f},
                            {DType::kF8E4M3FNUZ, 0x7f, 0x7f, 0x80, 0x80},
                            {DType::kF8E5M2, 0x7b, 0x7b, 0x7c, 0x7c},
                            {DType::kF8E5M2FNUZ, 0x7f, 0x7f, 0x80, 0x80}};
  for (const Overflow& row : table) {
    EXPECT_EQ(float_to_float8(1e6f, row.format, true), row.saturated_large);
    EXPECT_EQ(float_to_float8(kInf, row.format, true), row.saturated_inf);
    EXPECT_EQ(float_to_float8(1e6f, row.format, false), row.large);
    EXPECT_EQ(float_to_float8(kInf, row.format, false), row.inf);
    EXPECT_TRUE(std::isnan(float8_to_float(float_to_float8(NAN, row.format, true), row.format)));
  }
}

TEST(Float8, NegativeZeroExistsOnlyWhereTheFormatHasIt) {
  EXPECT_EQ(float_to_float8(-0.0f, DType::kF8E4M3FN, true), 0x80);
  EXPECT_EQ(float_to_float8(-0.0f, DType::kF8E4M3FNUZ, true), 0x00);
  EXPECT_EQ(float_to_float8(-1e-9f, DType::kF8E5M2FNUZ, true), 0x00);
}

TEST(RoundToOdd, MakesTwoRoundingsOne) {
  // Just above the middle of two halves: by way of the nearest float it would become a tie.
  const double value = 1.0 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40);
  EXPECT_EQ(float_to_half(static_cast<float>(value)), 0x3c00);
  EXPECT_EQ(float_to_half(round_to_odd(value)), 0x3c01);
  EXPECT_EQ(round_to_odd(0.5), 0.5f);
  EXPECT_EQ(round_to_odd(1e300), std::numeric_limits<float>::max());
  EXPECT_EQ(round_to_odd(-kInf), -kInf);
  EXPECT_GT(round_to_odd(1e-300), 0.0f);
}

}  // namespace
}  // namespace neural_engine
