// DynamicQuantizedMatMul: near the product in f32, with what follows it, and refusals.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "op_tester.h"
#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::random_tensor;
using testing::run_op;
using testing::values;

Tensor weight(Shape shape) {
  Tensor result(DType::kS8, std::move(shape));
  for (int64_t i = 0; i < result.elems(); ++i) result.data<int8_t>()[i] = static_cast<int8_t>(i * 37 % 255 - 127);
  return result;
}

Tensor ones(int64_t n) { return Tensor::of<float>({n}, std::vector<float>(static_cast<size_t>(n), 1.0f / 127)); }

// The same in f32.
Tensor dequantized(const Tensor& s8) {
  Tensor result(DType::kF32, s8.shape());
  for (int64_t i = 0; i < s8.elems(); ++i) result.data<float>()[i] = static_cast<float>(s8.data<int8_t>()[i]) / 127;
  return result;
}

void expect_near(const Tensor& found, const Tensor& expected, float tolerance) {
  ASSERT_EQ(found.shape(), expected.shape());
  for (int64_t i = 0; i < found.elems(); ++i)
    EXPECT_NEAR(found.data<float>()[i], expected.data<float>()[i], tolerance) << i;
}

TEST(DynamicQuantizedMatMul, IsNearTheProductInF32) {
  const Tensor a = random_tensor({2, 9, 40}, 1), b = weight({40, 35}), t = weight({35, 40});
  const Tensor bias = random_tensor({35}, 2), rest = random_tensor({2, 9, 35}, 3);
  // Rounding loses level / sqrt(12) of each element of a (its deviation), times |b| of 0.58 in the mean square, 40
  // times: errors add up like a random walk. Five deviations of it.
  const auto [low, high] = std::minmax_element(a.data<float>(), a.data<float>() + a.elems());
  const float level = (*high - *low) / 255, tolerance = 5 * level * 0.58f * std::sqrt(40.0f / 12);
  expect_near(run_op("DynamicQuantizedMatMul", {a, b, ones(35)})[0], run_op("FusedMatMul", {a, dequantized(b)})[0],
              tolerance);
  expect_near(run_op("DynamicQuantizedMatMul", {a, t, ones(35)}, {{"trans_b", int64_t{1}}})[0],
              run_op("FusedMatMul", {a, dequantized(t)}, {{"trans_b", int64_t{1}}})[0], tolerance);
  const Attrs attrs = {{"alpha", 0.5f}, {"post_ops", std::vector<std::string>{"gelu_erf", "add"}}};
  expect_near(run_op("DynamicQuantizedMatMul", {a, b, ones(35), bias, rest}, attrs)[0],
              run_op("FusedMatMul", {a, dequantized(b), bias, rest}, attrs)[0], tolerance);
}

TEST(DynamicQuantizedMatMul, IsExactWhereNothingIsLost) {
  const Tensor a = Tensor::of<float>({2, 3}, {255, 0, 1, 0, 0, 0});
  const Tensor b = Tensor::of<int8_t>({3, 2}, {-128, 1, 5, 6, 127, -2});
  const Tensor scale = Tensor::of<float>({2}, {1, 2});
  EXPECT_EQ(values<float>(run_op("DynamicQuantizedMatMul", {a, b, scale})[0]),
            (std::vector<float>{-128.0f * 255 + 127, 2 * (255 - 2), 0, 0}));
}

TEST(DynamicQuantizedMatMul, RefusesWhatDoesNotFit) {
  const Tensor a = random_tensor({4, 8}, 1), b = weight({8, 6});
  EXPECT_THROW(run_op("DynamicQuantizedMatMul", {a, b, ones(5)}), Error);
  EXPECT_THROW(run_op("DynamicQuantizedMatMul", {a, a, ones(8)}), Error);
  EXPECT_THROW(run_op("DynamicQuantizedMatMul", {random_tensor({4, 7}, 1), b, ones(6)}), Error);
  EXPECT_THROW(run_op("DynamicQuantizedMatMul", {random_tensor({8}, 1), b, ones(6)}), Error);
  EXPECT_THROW(run_op("DynamicQuantizedMatMul", {a, b, ones(6), ones(5)}), Error);
  EXPECT_THROW(run_op("DynamicQuantizedMatMul", {a, b, ones(6)}, {{"post_ops", std::vector<std::string>{"softmax"}}}),
               Error);
}

}  // namespace
}  // namespace neural_engine
