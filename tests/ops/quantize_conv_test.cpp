#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::run_op;
using testing::values;

template <class T>
Tensor random_bytes(Shape shape, uint32_t seed) {
  Tensor tensor(sizeof(T) == 1 && std::is_signed_v<T> ? DType::kS8 : DType::kU8, std::move(shape));
  std::mt19937 random(seed);
  for (int64_t i = 0; i < tensor.elems(); ++i) tensor.data<T>()[i] = static_cast<T>(random());
  return tensor;
}

// The convolution of [1,C,H,W] with [M,C/g,K,K] by its definition, zero points taken off.
std::vector<int32_t> oracle(const Tensor& x, const Tensor& w, int x_zero, const std::vector<int>& w_zero, int groups,
                            int stride, int pad, int dilation, Shape* shape) {
  const int64_t channels = w.dim(0), depth = w.dim(1), kernel = w.dim(2), in = x.dim(2);
  const int64_t out = (in + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
  *shape = {1, channels, out, out};
  std::vector<int32_t> result;
  for (int64_t m = 0; m < channels; ++m) {
    for (int64_t at = 0; at < out * out; ++at) {
      int32_t sum = 0;
      for (int64_t i = 0; i < depth * kernel * kernel; ++i) {
        const int64_t c = i / (kernel * kernel) + m / (channels / groups) * depth;
        const int64_t row = at / out * stride - pad + i / kernel % kernel * dilation;
        const int64_t column = at % out * stride - pad + i % kernel * dilation;
        if (row < 0 || row >= in || column < 0 || column >= in) continue;
        sum += (x.data<uint8_t>()[(c * in + row) * in + column] - x_zero) *
               (w.data<int8_t>()[m * depth * kernel * kernel + i] - w_zero[static_cast<size_t>(m)]);
      }
      result.push_back(sum);
    }
  }
  return result;
}

struct Case {
  int groups, stride, pad, dilation;
};

TEST(ConvInteger, AgreesWithTheDefinition) {
  for (const Case& each : {Case{1, 1, 0, 1}, Case{1, 1, 1, 1}, Case{2, 2, 1, 1}, Case{4, 1, 2, 2}, Case{1, 3, 2, 1}}) {
    const Tensor x = random_bytes<uint8_t>({1, 4, 7, 7}, 1), w = random_bytes<int8_t>({8, 4 / each.groups, 3, 3}, 2);
    const Tensor w_zero = random_bytes<int8_t>({8}, 3);
    const std::vector<int> zeros(w_zero.data<int8_t>(), w_zero.data<int8_t>() + 8);
    Shape shape;
    const std::vector<int32_t> expected =
        oracle(x, w, 100, zeros, each.groups, each.stride, each.pad, each.dilation, &shape);
    const std::vector<int64_t> both(2, each.stride), pads(4, each.pad), dilations(2, each.dilation);
    const Tensor y =
        run_op("ConvInteger", {x, w, Tensor::scalar<uint8_t>(100), w_zero},
               {{"group", int64_t{each.groups}}, {"strides", both}, {"pads", pads}, {"dilations", dilations}})[0];
    EXPECT_EQ(y.shape(), shape);
    EXPECT_EQ(values<int32_t>(y), expected) << each.groups << " " << each.stride << " " << each.pad;
  }
}

TEST(ConvInteger, OneAndThreeSpatialAxes) {
  const Tensor line = Tensor::of<uint8_t>({1, 1, 4}, {1, 2, 3, 4}), w = Tensor::of<uint8_t>({1, 1, 2}, {1, 10});
  EXPECT_EQ(values<int32_t>(run_op("ConvInteger", {line, w}, {{"auto_pad", std::string("SAME_LOWER")}})[0]),
            (std::vector<int32_t>{10, 21, 32, 43}));
  const Tensor cube = Tensor::of<uint8_t>({1, 1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  const Tensor ones = Tensor::of<uint8_t>({1, 1, 2, 1, 2}, {1, 1, 1, 1});
  EXPECT_EQ(values<int32_t>(run_op("ConvInteger", {cube, ones})[0]), (std::vector<int32_t>{14, 22}));
}

TEST(QLinearConv, RequantizesPerChannel) {
  const Tensor x = Tensor::of<uint8_t>({1, 1, 1, 3}, {10, 20, 30}), w = Tensor::of<int8_t>({2, 1, 1, 1}, {2, 2});
  const Tensor y =
      run_op("QLinearConv", {x, Tensor::scalar(0.5f), Tensor::scalar<uint8_t>(10), w, Tensor::of<float>({2}, {1, 10}),
                             Tensor::of<int8_t>({2}, {0, 1}), Tensor::scalar(2.0f), Tensor::scalar<uint8_t>(3),
                             Tensor::of<int32_t>({2}, {4, 0})})[0];
  // (sum + bias) * 0.5 * scale / 2 + 3, halves to even
  EXPECT_EQ(values<uint8_t>(y), (std::vector<uint8_t>{4, 9, 14, 3, 28, 53}));
}

TEST(QLinearConv, RefusesBadOperands) {
  const Tensor x = random_bytes<uint8_t>({1, 2, 3, 3}, 1), w = random_bytes<uint8_t>({2, 2, 2, 2}, 2);
  const Tensor one = Tensor::scalar(1.0f), zero = Tensor::scalar<uint8_t>(0);
  EXPECT_NO_THROW(run_op("QLinearConv", {x, one, zero, w, one, zero, one, zero}));
  EXPECT_THROW(run_op("QLinearConv", {x, Tensor::scalar(0.0f), zero, w, one, zero, one, zero}), Error);
  EXPECT_THROW(run_op("QLinearConv", {x, one, zero, w, Tensor::of<float>({3}, {1, 1, 1}), zero, one, zero}), Error);
  EXPECT_THROW(run_op("QLinearConv", {x, one, Tensor::scalar<int8_t>(0), w, one, zero, one, zero}), Error);
  EXPECT_THROW(run_op("ConvInteger", {x, random_bytes<uint8_t>({2, 3, 2, 2}, 2)}), Error);
  EXPECT_THROW(run_op("ConvInteger", {x, w}, {{"group", int64_t{3}}}), Error);
}

}  // namespace
}  // namespace neural_engine
