// QuantizedMatMul: exact sums, every role of its operands, refusals.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "op_tester.h"
#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::random_tensor;
using testing::run_op;
using testing::values;

using Names = std::vector<std::string>;

template <class T>
Tensor bytes(Shape shape, int seed) {
  Tensor result(std::is_signed_v<T> ? DType::kS8 : DType::kU8, std::move(shape));
  for (int64_t i = 0; i < result.elems(); ++i) result.data<T>()[i] = static_cast<T>((i * 37 + seed) * 101 % 256);
  return result;
}

Tensor f32(std::vector<float> elements) {
  return Tensor::of<float>({static_cast<int64_t>(elements.size())}, std::move(elements));
}

TEST(QuantizedMatMul, IsExact) {
  const Tensor a = Tensor::of<uint8_t>({2, 3}, {255, 0, 1, 10, 20, 30});
  const Tensor b = Tensor::of<int8_t>({3, 2}, {-128, 1, 5, 6, 127, -2});
  const Tensor zero = Tensor::of<uint8_t>({}, {10});
  const std::vector<float> found = values<float>(run_op("QuantizedMatMul", {a, f32({0.5f}), b, f32({2, 4}), zero})[0]);
  // (245, -10, -9) and (0, 10, 20) times the columns; scales 0.5 * 2 and 0.5 * 4.
  EXPECT_EQ(found, (std::vector<float>{-31360 - 50 - 1143, 2 * (245 - 60 + 18), 50 + 2540, 2 * (60 - 40)}));
}

// Against DequantizeLinear of both and a product in f32.
template <class A, class B>
void check(bool transposed, bool by_column) {
  const Tensor a = bytes<A>({2, 5, 24}, 1), b = bytes<B>(transposed ? Shape{18, 24} : Shape{24, 18}, 2);
  const Tensor zero_a = bytes<A>({}, 7);
  const Tensor zero_b = bytes<B>({by_column ? 18 : 1}, 9);
  Tensor scale_b = random_tensor({by_column ? 18 : 1}, 4);
  const Tensor scale_a = f32({0.25f});
  const Tensor real_a = run_op("DequantizeLinear", {a, scale_a, zero_a})[0];
  const Tensor real_b = run_op("DequantizeLinear", {b, scale_b, zero_b}, {{"axis", int64_t{transposed ? 0 : 1}}})[0];
  const Tensor bias = random_tensor({18}, 5), rest = random_tensor({2, 5, 18}, 6);
  Attrs attrs = {
      {"trans_b", int64_t{transposed}}, {"alpha", 0.5f}, {"post_ops", std::vector<std::string>{"gelu_tanh", "add"}}};
  const Tensor found = run_op("QuantizedMatMul", {a, scale_a, b, scale_b, zero_a, zero_b, bias, rest}, attrs)[0];
  const Tensor expected = run_op("FusedMatMul", {real_a, real_b, bias, rest}, attrs)[0];
  ASSERT_EQ(found.shape(), expected.shape());
  for (int64_t i = 0; i < found.elems(); ++i) {
    const float want = expected.data<float>()[i];
    EXPECT_NEAR(found.data<float>()[i], want, 1e-4f * (1000 + std::fabs(want))) << i;
  }
}

TEST(QuantizedMatMul, IsTheProductOfTheNumbers) {
  for (const bool transposed : {false, true})
    for (const bool by_column : {false, true}) {
      check<uint8_t, int8_t>(transposed, by_column);
      check<int8_t, int8_t>(transposed, by_column);
      check<uint8_t, uint8_t>(transposed, by_column);
      check<int8_t, uint8_t>(transposed, by_column);
    }
}

// The post ops of 8 bits are QuantizeLinear and DequantizeLinear, to the bit.
TEST(QuantizedMatMul, GridsAreTheOperatorsOfThatName) {
  const Tensor a = bytes<uint8_t>({7, 24}, 1), b = bytes<int8_t>({24, 18}, 2), rest = bytes<int8_t>({7, 18}, 3);
  const Tensor one = f32({0.01f}), scale = f32({0.7f});
  const Tensor zero = Tensor::of<int8_t>({}, {-3}), zero_u8 = Tensor::of<uint8_t>({}, {130});
  const Tensor plain = run_op("QuantizedMatMul", {a, one, b, one})[0];
  const auto with = [&](Names names, std::vector<Tensor> operands) {
    std::vector<Tensor> inputs = {a, one, b, one, {}, {}, {}};
    inputs.insert(inputs.end(), operands.begin(), operands.end());
    return run_op("QuantizedMatMul", inputs, {{"post_ops", std::move(names)}})[0];
  };
  const Tensor levels = run_op("QuantizeLinear", {plain, scale, zero_u8})[0];
  EXPECT_TRUE(equal_bytes(with({"quantize"}, {scale, zero_u8}), levels));
  const Tensor rounded = run_op("DequantizeLinear", {levels, scale, zero_u8})[0];
  EXPECT_TRUE(equal_bytes(with({"round"}, {scale, zero_u8}), rounded));
  const Tensor real = run_op("DequantizeLinear", {rest, scale, zero})[0];
  EXPECT_TRUE(equal_bytes(with({"add_quantized"}, {rest, scale, zero}), run_op("Add", {plain, real})[0]));
  EXPECT_TRUE(equal_bytes(with({"mul_quantized"}, {rest, scale, zero}), run_op("Mul", {plain, real})[0]));
}

TEST(QuantizedMatMul, RefusesWhatDoesNotFit) {
  const Tensor a = bytes<uint8_t>({4, 8}, 1), b = bytes<int8_t>({8, 6}, 2), one = f32({1});
  const Tensor zero = Tensor::of<uint8_t>({}, {1});
  EXPECT_NO_THROW(run_op("QuantizedMatMul", {a, one, b, one, zero}));
  EXPECT_THROW(run_op("QuantizedMatMul", {a, one, b, one, Tensor::of<int8_t>({}, {1})}), Error);
  EXPECT_THROW(run_op("QuantizedMatMul", {a, f32({1, 2}), b, one, zero}), Error);
  EXPECT_THROW(run_op("QuantizedMatMul", {a, one, b, f32({1, 2}), zero}), Error);
  EXPECT_THROW(run_op("QuantizedMatMul", {a, one, bytes<int8_t>({7, 6}, 2), one, zero}), Error);
  EXPECT_THROW(run_op("QuantizedMatMul", {a, f32({std::nanf("")}), b, one, zero}), Error);
  const auto post_ops = [](Names names) { return Attrs{{"post_ops", std::move(names)}}; };
  EXPECT_THROW(run_op("QuantizedMatMul", {a, one, b, one, zero, {}, {}, one}, post_ops({"quantize"})), Error);
  EXPECT_THROW(run_op("QuantizedMatMul", {a, one, b, one, zero, {}, {}, f32({0}), zero}, post_ops({"quantize"})),
               Error);
  EXPECT_THROW(run_op("QuantizedMatMul", {a, one, b, one, zero, {}, {}, one, zero}, post_ops({"quantize", "relu"})),
               Error);
  EXPECT_THROW(run_op("FusedMatMul", {random_tensor({4, 8}, 1), random_tensor({8, 6}, 2), {}, one, zero},
                      post_ops({"quantize"})),
               Error);
}

}  // namespace
}  // namespace neural_engine
