// Where, Clip and the casts.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/half.h"
#include "base/onnx_dtype.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::run_op;
using testing::values;

Tensor cast(const Tensor& x, DType to, bool saturate = true) {
  return run_op("Cast", {x}, {{"to", onnx_code(to)}, {"saturate", int64_t{saturate}}})[0];
}

TEST(Where, BroadcastsAllThree) {
  const Tensor condition = Tensor::of<bool>({2, 1}, {true, false});
  const Tensor x = Tensor::of<int64_t>({3}, {1, 2, 3}), y = Tensor::scalar<int64_t>(9);
  EXPECT_EQ(values<int64_t>(run_op("Where", {condition, x, y})[0]), (std::vector<int64_t>{1, 2, 3, 9, 9, 9}));
  const Tensor h = Tensor::of<Half>({1}, {Half(1.5f)}), g = Tensor::of<Half>({1}, {Half(2.5f)});
  const Tensor chosen = run_op("Where", {condition, h, g})[0];
  EXPECT_EQ(chosen.shape(), (Shape{2, 1}));
  EXPECT_EQ(static_cast<float>(chosen.data<Half>()[1]), 2.5f);
  EXPECT_THROW(run_op("Where", {condition, x, h}), Error);
  EXPECT_THROW(run_op("Where", {x, x, x}), Error);
}

TEST(Clip, BoundsAreOptionalAndTheUpperOneWins) {
  const Tensor x = Tensor::of<float>({4}, {-2, 0.5f, 3, NAN});
  const std::vector<float> y = values<float>(run_op("Clip", {x, Tensor::scalar(-1.0f), Tensor::scalar(1.0f)})[0]);
  EXPECT_EQ((std::vector<float>{y[0], y[1], y[2]}), (std::vector<float>{-1, 0.5f, 1}));
  EXPECT_TRUE(std::isnan(y[3]));
  EXPECT_EQ(values<float>(run_op("Clip", {x, Tensor(), Tensor::scalar(1.0f)})[0])[0], -2);
  EXPECT_EQ(values<float>(run_op("Clip", {x, Tensor::scalar(-1.0f)})[0])[2], 3);
  EXPECT_EQ(values<float>(run_op("Clip", {x, Tensor::scalar(2.0f), Tensor::scalar(1.0f)})[0])[0], 1);
  EXPECT_EQ(values<float>(run_op("Clip", {Tensor::of<float>({2}, {INFINITY, -INFINITY})})[0])[0], INFINITY);
  EXPECT_EQ(values<int8_t>(run_op("Clip", {Tensor::of<int8_t>({2}, {-9, 9}), Tensor::scalar<int8_t>(-3)})[0]),
            (std::vector<int8_t>{-3, 9}));
  EXPECT_THROW(run_op("Clip", {x, Tensor::of<float>({2}, {1, 2})}), Error);
  EXPECT_THROW(run_op("Clip", {x, Tensor::scalar<int64_t>(1)}), Error);
}

TEST(Cast, IntegersKeepTheirLowBits) {
  EXPECT_EQ(values<int8_t>(cast(Tensor::of<int16_t>({2}, {200, -129}), DType::kS8)), (std::vector<int8_t>{-56, 127}));
  EXPECT_EQ(values<uint64_t>(cast(Tensor::of<int64_t>({1}, {-1}), DType::kU64)), (std::vector<uint64_t>{UINT64_MAX}));
  EXPECT_EQ(values<int64_t>(cast(Tensor::of<uint64_t>({1}, {UINT64_MAX}), DType::kS64)), (std::vector<int64_t>{-1}));
  EXPECT_EQ(values<bool>(cast(Tensor::of<int32_t>({3}, {0, 36, 256}), DType::kBool)),
            (std::vector<bool>{false, true, true}));
}

TEST(Cast, FloatsTruncateAndSaturate) {
  const Tensor x = Tensor::of<float>({6}, {1.9f, -1.9f, 3e10f, -3e10f, NAN, INFINITY});
  EXPECT_EQ(values<int32_t>(cast(x, DType::kS32)), (std::vector<int32_t>{1, -1, INT32_MAX, INT32_MIN, 0, INT32_MAX}));
  EXPECT_EQ(values<uint8_t>(cast(x, DType::kU8)), (std::vector<uint8_t>{1, 0, 255, 0, 0, 255}));
  EXPECT_EQ(values<bool>(cast(Tensor::of<float>({3}, {0.0f, -0.0f, 0.1f}), DType::kBool)),
            (std::vector<bool>{false, false, true}));
}

TEST(Cast, RoundsOnce) {
  const double value = 1.0 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40);
  EXPECT_EQ(cast(Tensor::scalar(value), DType::kF16).data<uint16_t>()[0], 0x3c01);
  const int64_t integer = (int64_t{1} << 24) + 1;
  EXPECT_EQ(cast(Tensor::scalar(integer), DType::kF32).data<float>()[0], 16777216.0f);
  // 2^62 + 2^54 is halfway between two bfloat16 values, one more is above.
  const int64_t half_way = (int64_t{1} << 62) + (int64_t{1} << 54);
  EXPECT_EQ(static_cast<float>(cast(Tensor::scalar(half_way), DType::kBF16).data<BFloat16>()[0]), 0x1p62f);
  EXPECT_GT(static_cast<float>(cast(Tensor::scalar(half_way + 1), DType::kBF16).data<BFloat16>()[0]), 0x1p62f);
  EXPECT_EQ(static_cast<float>(cast(Tensor::scalar(int64_t{70000}), DType::kF16).data<Half>()[0]), INFINITY);
}

TEST(Cast, PacksFourBitsLowNibbleFirst) {
  const Tensor x = Tensor::of<float>({3}, {1, -9, 7});
  const Tensor s4 = cast(x, DType::kS4);
  ASSERT_EQ(s4.bytes(), 2u);
  EXPECT_EQ(static_cast<const uint8_t*>(s4.raw())[0], 0x81);
  EXPECT_EQ(static_cast<const uint8_t*>(s4.raw())[1], 7);  // and nothing beside it
  EXPECT_EQ(values<float>(cast(s4, DType::kF32)), (std::vector<float>{1, -8, 7}));
  EXPECT_EQ(values<int32_t>(cast(cast(x, DType::kU4), DType::kS32)), (std::vector<int32_t>{1, 0, 7}));
  // Integers wrap instead.
  EXPECT_EQ(values<int8_t>(cast(cast(Tensor::of<int8_t>({2}, {17, -1}), DType::kU4), DType::kS8)),
            (std::vector<int8_t>{1, 15}));
}

TEST(Cast, EveryPairKeepsSmallIntegers) {
  const DType all[] = {DType::kF64,        DType::kF32,    DType::kF16,       DType::kBF16, DType::kS64,
                       DType::kS32,        DType::kS16,    DType::kS8,        DType::kS4,   DType::kU64,
                       DType::kU32,        DType::kU16,    DType::kU8,        DType::kU4,   DType::kF8E4M3FN,
                       DType::kF8E4M3FNUZ, DType::kF8E5M2, DType::kF8E5M2FNUZ};
  Tensor source(DType::kF32, {1027});
  for (int64_t i = 0; i < source.elems(); ++i) source.data<float>()[i] = static_cast<float>(i % 8);
  for (DType from : all) {
    const Tensor x = cast(source, from);
    for (DType to : all) {
      const Tensor y = cast(cast(x, to), DType::kF32);
      for (int64_t i = 0; i < y.elems(); ++i) {
        ASSERT_EQ(y.data<float>()[i], source.data<float>()[i]) << to_string(from) << " to " << to_string(to);
      }
    }
  }
}

TEST(Cast, LikeTakesTheSecondOperandsType) {
  const Tensor y = run_op("CastLike", {Tensor::of<float>({2}, {1.5f, 2.5f}), Tensor::of<int16_t>({}, {0})})[0];
  EXPECT_EQ(values<int16_t>(y), (std::vector<int16_t>{1, 2}));
}

TEST(Cast, RefusesStrings) {
  try {
    run_op("Cast", {Tensor::scalar(1.0f)}, {{"to", int64_t{8}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnsupported);
  }
}

}  // namespace
}  // namespace neural_engine
