#include <gtest/gtest.h>

#include "op_tester.h"
#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::doubles;
using testing::error_of;
using testing::expect_near;
using testing::random_tensor;
using testing::run_op;
using testing::tensor_of;
using testing::values;

const DType kDtypes[] = {DType::kF32, DType::kF64, DType::kF16, DType::kBF16};

double tolerance(DType dtype) {
  return dtype == DType::kBF16 ? 0.01 : dtype == DType::kF16 ? 1e-3 : dtype == DType::kF32 ? 1e-5 : 1e-12;
}

// softmax of each row of n elements that lie `step` apart.
std::vector<double> softmax(const std::vector<double>& x, size_t outer, size_t n, size_t inner) {
  std::vector<double> out(x.size());
  for (size_t row = 0; row < outer * inner; ++row) {
    const size_t at = row / inner * n * inner + row % inner;
    double sum = 0;
    for (size_t i = 0; i < n; ++i) sum += std::exp(x[at + i * inner]);
    for (size_t i = 0; i < n; ++i) out[at + i * inner] = std::exp(x[at + i * inner]) / sum;
  }
  return out;
}

TEST(Softmax, NormalisesAlongAnyAxis) {
  for (const DType dtype : kDtypes) {
    const Tensor x = random_tensor({3, 5, 7}, 1, dtype);
    expect_near(run_op("Softmax", {x})[0], softmax(doubles(x), 15, 7, 1), tolerance(dtype), tolerance(dtype));
    expect_near(run_op("Softmax", {x}, {{"axis", int64_t{-2}}})[0], softmax(doubles(x), 3, 5, 7), tolerance(dtype),
                tolerance(dtype));
    std::vector<double> logs = softmax(doubles(x), 1, 3, 35);
    for (double& value : logs) value = std::log(value);
    expect_near(run_op("LogSoftmax", {x}, {{"axis", int64_t{0}}})[0], logs, tolerance(dtype), tolerance(dtype));
  }
}

TEST(Softmax, SurvivesLargeValuesAndScalars) {
  const Tensor x = Tensor::of<float>({2, 2}, {1e30f, 1e30f, -3e38f, 3e38f});
  EXPECT_EQ(values<float>(run_op("Softmax", {x})[0]), (std::vector<float>{0.5f, 0.5f, 0.0f, 1.0f}));
  EXPECT_EQ(values<float>(run_op("Softmax", {Tensor::scalar(3.0f)})[0]), std::vector<float>{1.0f});
  EXPECT_EQ(run_op("Softmax", {Tensor(DType::kF32, {2, 0})})[0].shape(), (Shape{2, 0}));
}

TEST(Softmax, RefusesBadAxesAndIntegers) {
  EXPECT_NE(error_of([] {
              run_op("Softmax", {random_tensor({2}, 1)}, {{"axis", int64_t{1}}});
            }).find("axis 1 found"),
            std::string::npos);
  EXPECT_NE(error_of([] { run_op("Softmax", {Tensor::of<int32_t>({1}, {1})}); }).find("dtype s32"), std::string::npos);
}

struct RowNorm {
  std::vector<double> out, mean, factor;
};

RowNorm layer_norm(const std::vector<double>& x, size_t n, double epsilon, bool rms) {
  RowNorm result;
  for (size_t row = 0; row < x.size() / n; ++row) {
    double mean = 0, square = 0;
    for (size_t i = 0; i < n && !rms; ++i) mean += x[row * n + i] / static_cast<double>(n);
    for (size_t i = 0; i < n; ++i) square += (x[row * n + i] - mean) * (x[row * n + i] - mean);
    result.mean.push_back(mean);
    result.factor.push_back(1 / std::sqrt(square / static_cast<double>(n) + epsilon));
    for (size_t i = 0; i < n; ++i) result.out.push_back((x[row * n + i] - mean) * result.factor.back());
  }
  return result;
}

TEST(LayerNormalization, NormalisesScalesAndShifts) {
  for (const DType dtype : kDtypes) {
    const Tensor x = random_tensor({4, 3, 10}, 1, dtype), scale = random_tensor({10}, 2, dtype);
    const Tensor bias = random_tensor({10}, 3, dtype);
    std::vector<double> expected = layer_norm(doubles(x), 10, 0x1p-10, false).out;
    for (size_t i = 0; i < expected.size(); ++i) expected[i] *= doubles(scale)[i % 10];
    expect_near(run_op("LayerNormalization", {x, scale}, {{"epsilon", 0x1p-10f}})[0], expected, tolerance(dtype),
                tolerance(dtype));
    for (size_t i = 0; i < expected.size(); ++i) expected[i] += doubles(bias)[i % 10];
    expect_near(run_op("LayerNormalization", {x, scale, bias}, {{"epsilon", 0x1p-10f}})[0], expected, tolerance(dtype),
                tolerance(dtype));
  }
}

TEST(LayerNormalization, GivesTheMomentsOfSeveralAxes) {
  const Tensor x = random_tensor({2, 3, 4}, 1), scale = random_tensor({3, 4}, 2);
  const std::vector<Tensor> found = run_op("LayerNormalization", {x, scale}, {{"axis", int64_t{1}}}, 3);
  const RowNorm expected = layer_norm(doubles(x), 12, 1e-5, false);
  EXPECT_EQ(found[1].shape(), (Shape{2, 1, 1}));
  expect_near(found[1], expected.mean);
  expect_near(found[2], expected.factor);
  // The scale may spread over the normalised dimensions, and over those before them.
  for (const Shape& shape : {Shape{1}, Shape{3, 1}, Shape{2, 1, 4}}) {
    const Tensor wide = random_tensor(shape, 2);
    const Tensor y = run_op("LayerNormalization", {x, wide}, {{"axis", int64_t{1}}})[0];
    std::vector<double> out = expected.out;
    for (size_t i = 0; i < out.size(); ++i) {
      const size_t at = shape.size() == 1 ? 0 : shape.size() == 2 ? i / 4 % 3 : i / 12 * 4 + i % 4;
      out[i] *= doubles(wide)[at];
    }
    expect_near(y, out);
  }
}

TEST(LayerNormalization, RefusesWhatItDoesNotHonour) {
  const Tensor x = random_tensor({2, 3}, 1);
  EXPECT_NE(error_of([&] {
              run_op("LayerNormalization", {x, random_tensor({4}, 1)});
            }).find("does not spread"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              run_op("LayerNormalization", {x, random_tensor({3}, 1)}, {{"stash_type", int64_t{16}}});
            }).find("stash_type 16"),
            std::string::npos);
}

TEST(RMSNormalization, LeavesTheMeanOut) {
  for (const DType dtype : kDtypes) {
    const Tensor x = random_tensor({4, 9}, 1, dtype), scale = random_tensor({9}, 2, dtype);
    std::vector<double> expected = layer_norm(doubles(x), 9, 1e-5, true).out;
    for (size_t i = 0; i < expected.size(); ++i) expected[i] *= doubles(scale)[i % 9];
    expect_near(run_op("RMSNormalization", {x, scale})[0], expected, tolerance(dtype), tolerance(dtype));
  }
  // The result has the dtype of the scale.
  const Tensor mixed = run_op("RMSNormalization", {random_tensor({2, 3}, 1, DType::kF16), random_tensor({3}, 2)})[0];
  EXPECT_EQ(mixed.dtype(), DType::kF32);
}

// Moments of channel c of x [batch, channels, inner].
struct Moments {
  double mean = 0, variance = 0;
};
Moments channel_moments(const std::vector<double>& x, size_t batch, size_t channels, size_t inner, size_t c) {
  Moments result;
  const double count = static_cast<double>(batch * inner);
  const auto each = [&](auto body) {
    for (size_t b = 0; b < batch; ++b) {
      for (size_t i = 0; i < inner; ++i) body(x[(b * channels + c) * inner + i]);
    }
  };
  each([&](double value) { result.mean += value / count; });
  each([&](double value) { result.variance += (value - result.mean) * (value - result.mean) / count; });
  return result;
}

TEST(BatchNormalization, UsesTheGivenMomentsOrThoseOfTheBatch) {
  const Tensor x = random_tensor({2, 3, 5}, 1), scale = random_tensor({3}, 2), bias = random_tensor({3}, 3);
  const Tensor mean = random_tensor({3}, 4), variance = Tensor::of<float>({3}, {0.5f, 1.0f, 2.0f});
  const std::vector<Tensor> trained =
      run_op("BatchNormalization", {x, scale, bias, mean, variance}, {{"training_mode", int64_t{1}}}, 3);
  const Tensor found = run_op("BatchNormalization", {x, scale, bias, mean, variance})[0];
  std::vector<double> expected(30), in_training(30), running_mean, running_variance;
  for (size_t c = 0; c < 3; ++c) {
    const Moments moments = channel_moments(doubles(x), 2, 3, 5, c);
    running_mean.push_back(0.9 * doubles(mean)[c] + 0.1 * moments.mean);
    running_variance.push_back(0.9 * doubles(variance)[c] + 0.1 * moments.variance);
    for (size_t i = 0; i < 30; ++i) {
      if (i / 5 % 3 != c) continue;
      const auto normal = [&](double m, double v) {
        return (doubles(x)[i] - m) / std::sqrt(v + 1e-5) * doubles(scale)[c] + doubles(bias)[c];
      };
      expected[i] = normal(doubles(mean)[c], doubles(variance)[c]);
      in_training[i] = normal(moments.mean, moments.variance);
    }
  }
  expect_near(found, expected);
  expect_near(trained[0], in_training);
  expect_near(trained[1], running_mean);
  expect_near(trained[2], running_variance);
  EXPECT_NE(error_of([&] {
              run_op("BatchNormalization", {x, scale, bias, mean, variance}, {}, 3);
            }).find("expected 1 when training_mode is 0"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              run_op("BatchNormalization", {x, random_tensor({4}, 1), bias, mean, variance});
            }).find("input 1 has shape [4], expected [3]"),
            std::string::npos);
}

TEST(GroupNormalization, TakesAScaleForEachChannelOrGroup) {
  const Tensor x = random_tensor({2, 6, 4}, 1);
  for (const int64_t count : {6, 2}) {
    const Tensor scale = random_tensor({count}, 2), bias = random_tensor({count}, 3);
    const Tensor found = run_op("GroupNormalization", {x, scale, bias}, {{"num_groups", int64_t{2}}})[0];
    std::vector<double> expected = layer_norm(doubles(x), 12, 1e-5, false).out;
    for (size_t i = 0; i < expected.size(); ++i) {
      const size_t channel = i / 4 % 6, at = count == 6 ? channel : channel / 3;
      expected[i] = expected[i] * doubles(scale)[at] + doubles(bias)[at];
    }
    expect_near(found, expected);
  }
  EXPECT_NE(
      error_of([&] {
        run_op("GroupNormalization", {x, random_tensor({6}, 1), random_tensor({6}, 1)}, {{"num_groups", int64_t{4}}});
      }).find("does not divide 6 channels"),
      std::string::npos);
}

TEST(InstanceNormalization, NormalisesEachPlane) {
  const Tensor x = random_tensor({2, 3, 2, 4}, 1), scale = random_tensor({3}, 2), bias = random_tensor({3}, 3);
  std::vector<double> expected = layer_norm(doubles(x), 8, 1e-5, false).out;
  for (size_t i = 0; i < expected.size(); ++i) {
    expected[i] = expected[i] * doubles(scale)[i / 8 % 3] + doubles(bias)[i / 8 % 3];
  }
  expect_near(run_op("InstanceNormalization", {x, scale, bias})[0], expected);
}

TEST(LRN, SumsSquaresOverAWindowOfChannels) {
  const Tensor x = Tensor::of<float>({1, 4, 1, 1}, {1, 2, 3, 4});
  const Tensor found = run_op("LRN", {x}, {{"size", int64_t{4}}, {"alpha", 0.4f}, {"beta", 1.0f}})[0];
  // Channels c-1 .. c+2, clipped.
  const double sums[] = {1 + 4 + 9, 1 + 4 + 9 + 16, 4 + 9 + 16, 9 + 16};
  std::vector<double> expected;
  for (int c = 0; c < 4; ++c) expected.push_back((c + 1) / (1 + 0.1 * sums[c]));
  expect_near(found, expected);
}

TEST(LpNormalization, DividesByTheNormAndKeepsZeros) {
  const Tensor x = Tensor::of<float>({2, 2}, {3, -4, 0, 0});
  expect_near(run_op("LpNormalization", {x})[0], {0.6, -0.8, 0, 0});
  expect_near(run_op("LpNormalization", {x}, {{"p", int64_t{1}}})[0], {3 / 7.0, -4 / 7.0, 0, 0});
  expect_near(run_op("LpNormalization", {x}, {{"axis", int64_t{0}}})[0], {1, -1, 0, 0});
}

TEST(MeanVarianceNormalization, NormalisesOverTheAxes) {
  const Tensor x = random_tensor({2, 3, 2, 4}, 1);
  std::vector<double> expected(48);
  for (size_t c = 0; c < 3; ++c) {
    const Moments moments = channel_moments(doubles(x), 2, 3, 8, c);
    for (size_t i = 0; i < 48; ++i) {
      if (i / 8 % 3 == c) expected[i] = (doubles(x)[i] - moments.mean) / std::sqrt(moments.variance);
    }
  }
  expect_near(run_op("MeanVarianceNormalization", {x})[0], expected);
}

}  // namespace
}  // namespace neural_engine
