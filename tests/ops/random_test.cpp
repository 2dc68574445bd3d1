#include <gtest/gtest.h>

#include <cmath>

#include "base/onnx_dtype.h"
#include "executor/ops/random_stream.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::run_op;
using testing::values;

constexpr int64_t kCount = 20000;

struct Moments {
  double mean = 0, deviation = 0;
};
Moments moments(const std::vector<float>& x) {
  Moments result;
  for (float each : x) result.mean += each / static_cast<double>(x.size());
  for (float each : x) result.deviation += std::pow(each - result.mean, 2) / static_cast<double>(x.size());
  result.deviation = std::sqrt(result.deviation);
  return result;
}

// Means of this many numbers are within 5 of their standard errors, deviation / sqrt(20000).
TEST(Random, NormalHasItsMoments) {
  const Attrs attrs = {{"shape", std::vector<int64_t>{kCount}}, {"mean", 3.0f}, {"scale", 2.0f}, {"seed", 7.0f}};
  const std::vector<float> x = values<float>(run_op("RandomNormal", {}, attrs)[0]);
  EXPECT_NEAR(moments(x).mean, 3, 5 * 2 / std::sqrt(kCount));
  EXPECT_NEAR(moments(x).deviation, 2, 0.06);
  EXPECT_EQ(values<float>(run_op("RandomNormal", {}, attrs)[0]), x);
}

TEST(Random, UniformStaysInItsRange) {
  const std::vector<float> x =
      values<float>(run_op("RandomUniformLike", {Tensor(DType::kF32, {kCount})}, {{"low", -1.0f}, {"high", 3.0f}})[0]);
  for (float each : x) ASSERT_TRUE(each >= -1 && each <= 3);
  EXPECT_NEAR(moments(x).mean, 1, 5 * 4 / std::sqrt(12.0 * kCount));
}

TEST(Random, WithoutASeedRunsDiffer) {
  const Attrs attrs = {{"shape", std::vector<int64_t>{8}}};
  EXPECT_NE(values<float>(run_op("RandomUniform", {}, attrs)[0]), values<float>(run_op("RandomUniform", {}, attrs)[0]));
}

TEST(Random, TypesComeFromTheAttributeOrTheInput) {
  const Tensor x(DType::kF16, {3});
  EXPECT_EQ(run_op("RandomNormalLike", {x})[0].dtype(), DType::kF16);
  EXPECT_EQ(run_op("RandomNormalLike", {x}, {{"dtype", onnx_code(DType::kF64)}})[0].dtype(), DType::kF64);
  EXPECT_THROW(run_op("RandomNormalLike", {Tensor(DType::kS32, {3})}), Error);
  EXPECT_THROW(run_op("RandomNormal", {}, {{"shape", std::vector<int64_t>{-1}}}), Error);
  EXPECT_THROW(run_op("RandomNormal", {}), Error);
}

TEST(Random, MultinomialFollowsTheLogarithms) {
  // Probabilities 1/4, 3/4 and none.
  const Tensor x = Tensor::of<float>({1, 3}, {5, 5 + std::log(3.0f), -INFINITY});
  const Tensor y = run_op("Multinomial", {x}, {{"sample_size", kCount}, {"seed", 1.0f}, {"dtype", int64_t{7}}})[0];
  EXPECT_EQ(y.shape(), (Shape{1, kCount}));
  double ones = 0;
  for (int64_t each : values<int64_t>(y)) {
    ASSERT_TRUE(each == 0 || each == 1);
    ones += static_cast<double>(each);
  }
  EXPECT_NEAR(ones / kCount, 0.75, 5 * std::sqrt(0.75 * 0.25 / kCount));
  EXPECT_THROW(run_op("Multinomial", {Tensor::of<float>({1, 2}, {NAN, 1})}), Error);
  EXPECT_THROW(run_op("Multinomial", {Tensor::of<float>({1, 2}, {-INFINITY, -INFINITY})}), Error);
}

TEST(Random, BernoulliFollowsTheProbabilities) {
  Tensor p(DType::kF32, {kCount});
  std::fill_n(p.data<float>(), kCount, 0.3f);
  const Tensor y = run_op("Bernoulli", {p}, {{"dtype", onnx_code(DType::kBool)}, {"seed", 2.0f}})[0];
  double ones = 0;
  for (int64_t i = 0; i < kCount; ++i) ones += y.data<bool>()[i];
  EXPECT_NEAR(ones / kCount, 0.3, 5 * std::sqrt(0.21 / kCount));
  EXPECT_EQ(values<float>(run_op("Bernoulli", {Tensor::of<float>({2}, {0, 1})})[0]), (std::vector<float>{0, 1}));
}

TEST(Dropout, IsTheIdentityUnlessTraining) {
  const Tensor x = Tensor::of<float>({3}, {1, 2, 3});
  std::vector<Tensor> y = run_op("Dropout", {x}, {}, 2);
  EXPECT_EQ(values<float>(y[0]), values<float>(x));
  EXPECT_EQ(values<bool>(y[1]), std::vector<bool>(3, true));
  y = run_op("Dropout", {x, Tensor::scalar(0.0f), Tensor::scalar(true)}, {}, 2);
  EXPECT_EQ(values<float>(y[0]), values<float>(x));
}

TEST(Dropout, TrainingKeepsTheMean) {
  Tensor x(DType::kF32, {kCount});
  std::fill_n(x.data<float>(), kCount, 1.0f);
  const std::vector<Tensor> y =
      run_op("Dropout", {x, Tensor::scalar(0.75f), Tensor::scalar(true)}, {{"seed", int64_t{3}}}, 2);
  for (int64_t i = 0; i < kCount; ++i) ASSERT_EQ(y[0].data<float>()[i], y[1].data<bool>()[i] ? 4.0f : 0.0f);
  EXPECT_NEAR(moments(values<float>(y[0])).mean, 1, 5 * std::sqrt(3.0 / kCount));
  EXPECT_THROW(run_op("Dropout", {x, Tensor::scalar(1.0f), Tensor::scalar(true)}), Error);
}

TEST(EyeLike, OnAnyDiagonal) {
  const Tensor x(DType::kF32, {2, 3});
  EXPECT_EQ(values<float>(run_op("EyeLike", {x})[0]), (std::vector<float>{1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(values<int32_t>(run_op("EyeLike", {x}, {{"k", int64_t{-1}}, {"dtype", onnx_code(DType::kS32)}})[0]),
            (std::vector<int32_t>{0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(values<float>(run_op("EyeLike", {x}, {{"k", INT64_MIN}})[0]), std::vector<float>(6, 0));
  EXPECT_THROW(run_op("EyeLike", {Tensor(DType::kF32, {2})}), Error);
}

}  // namespace
}  // namespace neural_engine
