#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/half.h"
#include "executor/ops/strides.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::run_op;
using testing::values;

using Oracle = std::function<double(const std::vector<double>&)>;

double sum(const std::vector<double>& x) {
  double result = 0;
  for (double each : x) result += each;
  return result;
}
double sum_of(const std::vector<double>& x, double (*map)(double)) {
  double result = 0;
  for (double each : x) result += map(each);
  return result;
}
double square(double x) { return x * x; }

const std::vector<std::pair<const char*, Oracle>>& oracles() {
  static const std::vector<std::pair<const char*, Oracle>> kOracles = {
      {"ReduceSum", sum},
      {"ReduceMean", [](const auto& x) { return sum(x) / static_cast<double>(x.size()); }},
      {"ReduceMax", [](const auto& x) { return *std::max_element(x.begin(), x.end()); }},
      {"ReduceMin", [](const auto& x) { return *std::min_element(x.begin(), x.end()); }},
      {"ReduceL1", [](const auto& x) { return sum_of(x, std::fabs); }},
      {"ReduceL2", [](const auto& x) { return std::sqrt(sum_of(x, square)); }},
      {"ReduceSumSquare", [](const auto& x) { return sum_of(x, square); }},
      {"ReduceLogSumExp", [](const auto& x) { return std::log(sum_of(x, std::exp)); }},
      {"ReduceProd",
       [](const auto& x) {
         double result = 1;
         for (double each : x) result *= each;
         return result;
       }},
  };
  return kOracles;
}

float element(int64_t i) { return 0.25f + static_cast<float>((i * 37) % 101) / 64.0f; }

Tensor sample(const Shape& shape) {
  Tensor tensor(DType::kF32, shape);
  for (int64_t i = 0; i < tensor.elems(); ++i) tensor.data<float>()[i] = element(i);
  return tensor;
}

// The elements of each result, in order, by index arithmetic.
std::vector<std::vector<double>> groups(const Shape& shape, const std::vector<bool>& reduced) {
  Shape kept;
  for (size_t i = 0; i < shape.size(); ++i) kept.push_back(reduced[i] ? 1 : shape[i]);
  const std::vector<int64_t> strides = broadcast_strides(kept, shape);
  int64_t outputs = 1, elems = 1;
  for (int64_t dim : kept) outputs *= dim;
  for (int64_t dim : shape) elems *= dim;
  std::vector<std::vector<double>> result(static_cast<size_t>(outputs));
  for (int64_t i = 0; i < elems; ++i)
    result[static_cast<size_t>(strided_offset(i, shape, strides))].push_back(element(i));
  return result;
}

TEST(Reduce, AllReductionsOverAllSetsOfAxes) {
  for (const Shape& shape : {Shape{70}, Shape{3, 67}, Shape{2, 3, 70}, Shape{2, 1, 3, 4}, Shape{1, 5, 1}}) {
    const Tensor x = sample(shape);
    for (unsigned mask = 1; mask < 1u << shape.size(); ++mask) {
      std::vector<bool> reduced;
      std::vector<int64_t> axes;
      for (size_t i = 0; i < shape.size(); ++i) {
        reduced.push_back(mask >> i & 1);
        if (reduced.back()) axes.push_back(i % 2 ? static_cast<int64_t>(i) : static_cast<int64_t>(i) - x.rank());
      }
      const auto expected = groups(shape, reduced);
      const Tensor axis_tensor = Tensor::of<int64_t>({static_cast<int64_t>(axes.size())}, axes);
      for (const auto& [op, oracle] : oracles()) {
        const Tensor y = run_op(op, {x, axis_tensor}, {{"keepdims", int64_t{mask % 2}}})[0];
        ASSERT_EQ(y.elems(), static_cast<int64_t>(expected.size()));
        for (size_t i = 0; i < expected.size(); ++i) {
          const double value = oracle(expected[i]);
          ASSERT_NEAR(y.data<float>()[i], value, 1e-6 * std::fabs(value))
              << op << " " << to_string(shape) << " " << mask;
        }
      }
    }
  }
}

TEST(Reduce, ShapesFollowKeepdims) {
  const Tensor x = sample({2, 3, 4}), axis = Tensor::of<int64_t>({1}, {1});
  EXPECT_EQ(run_op("ReduceSum", {x, axis})[0].shape(), (Shape{2, 1, 4}));
  EXPECT_EQ(run_op("ReduceSum", {x, axis}, {{"keepdims", int64_t{0}}})[0].shape(), (Shape{2, 4}));
  EXPECT_EQ(run_op("ReduceSum", {x})[0].shape(), (Shape{1, 1, 1}));
  EXPECT_EQ(run_op("ReduceSum", {x}, {{"keepdims", int64_t{0}}})[0].shape(), (Shape{}));
}

TEST(Reduce, EmptyAxesReduceAllOrNothing) {
  const Tensor x = Tensor::of<float>({2}, {3, 4}), none = Tensor::of<int64_t>({0}, {});
  EXPECT_EQ(values<float>(run_op("ReduceSumSquare", {x, none})[0]), (std::vector<float>{25}));
  EXPECT_EQ(values<float>(run_op("ReduceSumSquare", {x, none}, {{"noop_with_empty_axes", int64_t{1}}})[0]),
            (std::vector<float>{3, 4}));
}

TEST(Reduce, EmptySetsHaveTheNeutralElement) {
  const Tensor x(DType::kF32, {2, 0}), axis = Tensor::of<int64_t>({1}, {1});
  const std::pair<const char*, float> table[] = {
      {"ReduceSum", 0}, {"ReduceProd", 1},           {"ReduceMax", -INFINITY},      {"ReduceMin", INFINITY},
      {"ReduceL2", 0},  {"ReduceLogSum", -INFINITY}, {"ReduceLogSumExp", -INFINITY}};
  for (const auto& [op, expected] : table) {
    EXPECT_EQ(values<float>(run_op(op, {x, axis})[0]), (std::vector<float>{expected, expected})) << op;
  }
  EXPECT_TRUE(std::isnan(run_op("ReduceMean", {x, axis})[0].data<float>()[0]));
  const Tensor bytes(DType::kS8, {1, 0});
  EXPECT_EQ(values<int8_t>(run_op("ReduceMax", {bytes, axis})[0])[0], -128);
  EXPECT_THROW(run_op("ReduceMean", {Tensor(DType::kS32, {1, 0}), axis}), Error);
}

TEST(Reduce, IntegersAreExactAndWrap) {
  const int64_t large = (int64_t{1} << 53) + 1;
  const Tensor x = Tensor::of<int64_t>({2}, {large, 2});
  EXPECT_EQ(values<int64_t>(run_op("ReduceSum", {x})[0])[0], large + 2);
  EXPECT_EQ(values<int64_t>(run_op("ReduceProd", {x})[0])[0], large * 2);
  EXPECT_EQ(values<int64_t>(run_op("ReduceMean", {Tensor::of<int64_t>({2}, {-3, -4})})[0])[0], -3);
  const Tensor narrow = Tensor::of<int32_t>({2}, {INT32_MAX, 1});
  EXPECT_EQ(values<int32_t>(run_op("ReduceSum", {narrow})[0])[0], INT32_MIN);
  EXPECT_EQ(values<uint64_t>(run_op("ReduceMax", {Tensor::of<uint64_t>({2}, {UINT64_MAX, 1})})[0])[0], UINT64_MAX);
  EXPECT_EQ(values<bool>(run_op("ReduceMin", {Tensor::of<bool>({2}, {true, false})})[0])[0], false);
}

TEST(Reduce, LogSumExpDoesNotOverflowAndExtremesKeepNaN) {
  EXPECT_FLOAT_EQ(run_op("ReduceLogSumExp", {Tensor::of<float>({2}, {1000, 1000})})[0].data<float>()[0],
                  1000 + std::log(2.0f));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const char* op : {"ReduceMax", "ReduceMin", "ReduceLogSumExp"}) {
    EXPECT_TRUE(std::isnan(run_op(op, {Tensor::of<float>({3}, {1, nan, 2})})[0].data<float>()[0])) << op;
  }
  EXPECT_EQ(run_op("ReduceLogSumExp", {Tensor::of<float>({2}, {-INFINITY, 3})})[0].data<float>()[0], 3.0f);
  EXPECT_EQ(run_op("ReduceLogSumExp", {Tensor::of<float>({2}, {INFINITY, INFINITY})})[0].data<float>()[0], INFINITY);
}

TEST(Reduce, RefusesBadAxesAndTypes) {
  const Tensor x = sample({2, 3});
  EXPECT_THROW(run_op("ReduceSum", {x, Tensor::of<int64_t>({1}, {2})}), Error);
  EXPECT_THROW(run_op("ReduceSum", {x, Tensor::of<int64_t>({2}, {1, -1})}), Error);
  EXPECT_THROW(run_op("ReduceSum", {x, Tensor::of<int32_t>({1}, {1})}), Error);
  EXPECT_THROW(run_op("ReduceSum", {Tensor::of<bool>({1}, {true})}), Error);
}

TEST(ArgMax, FindsTheFirstOrLastExtreme) {
  const Tensor x = Tensor::of<float>({2, 3}, {2, 5, 5, 1, 0, 1});
  EXPECT_EQ(values<int64_t>(run_op("ArgMax", {x}, {{"axis", int64_t{1}}})[0]), (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(values<int64_t>(run_op("ArgMax", {x}, {{"axis", int64_t{-1}}, {"select_last_index", int64_t{1}}})[0]),
            (std::vector<int64_t>{2, 2}));
  const Tensor y = run_op("ArgMin", {x}, {{"keepdims", int64_t{0}}})[0];
  EXPECT_EQ(y.shape(), (Shape{3}));
  EXPECT_EQ(values<int64_t>(y), (std::vector<int64_t>{1, 1, 1}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(values<int64_t>(run_op("ArgMin", {Tensor::of<float>({4}, {1, nan, -5, nan})})[0])[0], 1);
  EXPECT_EQ(values<int64_t>(run_op("ArgMax", {Tensor::of<uint8_t>({3}, {1, 200, 7})})[0])[0], 1);
  EXPECT_THROW(run_op("ArgMax", {Tensor(DType::kF32, {0})}), Error);
}

}  // namespace
}  // namespace neural_engine
