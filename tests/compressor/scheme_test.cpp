// Scales and zero points: the frameworks' formulas, by hand.
#include "compressor/scheme.h"

#include <gtest/gtest.h>

#include <cmath>

#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::error_of;

QuantParams params(Scheme scheme, DType dtype, bool symmetric, Range range, bool reduce_range = false) {
  return quant_params({.scheme = scheme, .dtype = dtype, .symmetric = symmetric, .reduce_range = reduce_range}, range);
}

TEST(Scheme, SymmetricS8OfFourFrameworksLeavesOutTheLeastNumber) {
  for (Scheme scheme : {Scheme::kTensorFlow, Scheme::kIpex, Scheme::kMxnet, Scheme::kOnnxRuntime}) {
    const QuantParams found = params(scheme, DType::kS8, true, {-3, 2});
    EXPECT_FLOAT_EQ(found.scale, 2.0f * 3 / 254);
    EXPECT_EQ(found.zero_point, 0);
    EXPECT_EQ(found.dtype, DType::kS8);
  }
}

TEST(Scheme, SymmetricS8OfPyTorchUsesTheWholeWidth) {
  EXPECT_FLOAT_EQ(params(Scheme::kPyTorch, DType::kS8, true, {-3, 2}).scale, 3 / 127.5f);
}

TEST(Scheme, SymmetricU8) {
  for (Scheme scheme : {Scheme::kTensorFlow, Scheme::kIpex, Scheme::kMxnet}) {
    const QuantParams found = params(scheme, DType::kU8, true, {0, 2});
    EXPECT_FLOAT_EQ(found.scale, 2.0f / 255);
    EXPECT_EQ(found.zero_point, 0);
  }
  const QuantParams torch = params(Scheme::kPyTorch, DType::kU8, true, {-1, 2});
  EXPECT_FLOAT_EQ(torch.scale, 2 / 127.5f);
  EXPECT_EQ(torch.zero_point, 128);
}

TEST(Scheme, NegativeNumbersUnderAU8FromZeroBecomeS8) {
  const QuantParams found = params(Scheme::kTensorFlow, DType::kU8, true, {-1, 2});
  EXPECT_EQ(found.dtype, DType::kS8);
  EXPECT_FLOAT_EQ(found.scale, 4.0f / 254);
}

TEST(Scheme, Asymmetric) {
  for (Scheme scheme : {Scheme::kPyTorch, Scheme::kOnnxRuntime}) {
    const QuantParams found = params(scheme, DType::kU8, false, {-1, 4});
    EXPECT_FLOAT_EQ(found.scale, 5.0f / 255);
    EXPECT_EQ(found.zero_point, 51);
    const QuantParams narrow = params(scheme, DType::kU8, false, {-1, 4}, /*reduce_range=*/true);
    EXPECT_FLOAT_EQ(narrow.scale, 5.0f / 127);
    EXPECT_EQ(narrow.zero_point, 25);
    EXPECT_EQ(params(scheme, DType::kS8, false, {-1, 4}).zero_point, -77);
  }
  EXPECT_NE(error_of([] {
              params(Scheme::kMxnet, DType::kU8, false, {-1, 4});
            }).find("no asymmetric form"),
            std::string::npos);
}

TEST(Scheme, TheRangeHoldsZeroAndZeroStaysZero) {
  const QuantParams found = params(Scheme::kOnnxRuntime, DType::kU8, false, {2, 4});
  EXPECT_FLOAT_EQ(found.scale, 4.0f / 255);
  EXPECT_EQ(found.zero_point, 0);
  for (float min : {-0.3f, -7.1f, 0.0f}) {
    const QuantParams each = params(Scheme::kOnnxRuntime, DType::kU8, false, {min, 1});
    EXPECT_EQ(fake_quantize(0, each, limits_of(DType::kU8, false)), 0.0f);
  }
}

TEST(Scheme, RangesOfNothingAndTooSmallOnesDivideBySomething) {
  EXPECT_EQ(params(Scheme::kOnnxRuntime, DType::kU8, false, {0, 0}).scale, 1);
  EXPECT_EQ(params(Scheme::kOnnxRuntime, DType::kS8, true, {0, 0}).scale, 1);
  EXPECT_EQ(params(Scheme::kOnnxRuntime, DType::kS8, true, {-1e-42f, 0}).scale, 1);
  EXPECT_NE(error_of([] {
              params(Scheme::kOnnxRuntime, DType::kU8, false, {0, INFINITY});
            }).find("finite"),
            std::string::npos);
}

TEST(Scheme, RoundsAndSaturates) {
  const QuantParams each = {.dtype = DType::kS8, .scale = 0.5f, .zero_point = 0};
  EXPECT_EQ(fake_quantize(0.74f, each, limits_of(DType::kS8, false)), 0.5f);
  EXPECT_EQ(fake_quantize(0.76f, each, limits_of(DType::kS8, false)), 1.0f);
  EXPECT_EQ(fake_quantize(1000, each, limits_of(DType::kS8, false)), 63.5f);
  EXPECT_EQ(fake_quantize(-1000, each, limits_of(DType::kS8, true)), -32.0f);
}

}  // namespace
}  // namespace neural_engine
