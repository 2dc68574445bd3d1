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

Tensor f32(Shape shape, const std::vector<float>& elements) { return Tensor::of<float>(std::move(shape), elements); }
std::vector<float> floats(const Tensor& x) {
  return values<float>(run_op("Cast", {x}, {{"to", onnx_code(DType::kF32)}})[0]);
}

TEST(QuantizeLinear, RoundsHalvesToEvenAndSaturates) {
  const Tensor x = f32({8}, {0, 1, 3, 5, -1, 1000, -1000, NAN});
  const Tensor y = run_op("QuantizeLinear", {x, Tensor::scalar(2.0f), Tensor::scalar<uint8_t>(128)})[0];
  EXPECT_EQ(values<uint8_t>(y), (std::vector<uint8_t>{128, 128, 130, 130, 128, 255, 0, 128}));
  EXPECT_EQ(run_op("QuantizeLinear", {x, Tensor::scalar(2.0f)})[0].dtype(), DType::kU8);
}

struct Limits {
  DType dtype;
  float low, high;
};

TEST(QuantizeLinear, AllIntegerTypes) {
  const Limits table[] = {{DType::kS4, -8, 7},  {DType::kU4, 0, 15},          {DType::kS8, -128, 127},
                          {DType::kU8, 0, 255}, {DType::kS16, -32768, 32767}, {DType::kU16, 0, 65535}};
  for (const Limits& row : table) {
    const Tensor y = run_op("QuantizeLinear", {f32({3}, {-1e9f, 1e9f, 3}), Tensor::scalar(1.0f)},
                            {{"output_dtype", onnx_code(row.dtype)}})[0];
    EXPECT_EQ(y.dtype(), row.dtype);
    EXPECT_EQ(floats(y), (std::vector<float>{row.low, row.high, 3}));
  }
}

TEST(QuantizeLinear, PerAxisOnEitherSide) {
  const Tensor x = f32({2, 3}, {2, 4, 6, 8, 10, 12});
  const Tensor rows =
      run_op("QuantizeLinear", {x, f32({2}, {2, 4}), Tensor::of<int8_t>({2}, {0, 1})}, {{"axis", int64_t{0}}})[0];
  EXPECT_EQ(values<int8_t>(rows), (std::vector<int8_t>{1, 2, 3, 3, 3, 4}));
  const Tensor columns = run_op("QuantizeLinear", {x, f32({3}, {1, 2, 3}), Tensor::of<int8_t>({3}, {0, 1, 2})},
                                {{"axis", int64_t{-1}}})[0];
  EXPECT_EQ(values<int8_t>(columns), (std::vector<int8_t>{2, 3, 4, 8, 6, 6}));
}

TEST(QuantizeLinear, BlocksMayEndEarly) {
  const Tensor x = f32({3, 2}, {2, 4, 6, 8, 10, 12});
  const Tensor y = run_op("QuantizeLinear", {x, f32({2, 2}, {1, 2, 5, 6}), Tensor::of<uint8_t>({2, 2}, {0, 0, 1, 1})},
                          {{"axis", int64_t{0}}, {"block_size", int64_t{2}}})[0];
  EXPECT_EQ(values<uint8_t>(y), (std::vector<uint8_t>{2, 2, 6, 4, 3, 3}));
  const Tensor back =
      run_op("DequantizeLinear", {y, f32({2, 2}, {1, 2, 5, 6}), Tensor::of<uint8_t>({2, 2}, {0, 0, 1, 1})},
             {{"axis", int64_t{0}}, {"block_size", int64_t{2}}})[0];
  EXPECT_EQ(values<float>(back), (std::vector<float>{2, 4, 6, 8, 10, 12}));
  const Tensor last = run_op("QuantizeLinear", {f32({1, 5}, {1, 2, 3, 4, 5}), f32({1, 3}, {1, 2, 5})},
                             {{"axis", int64_t{1}}, {"block_size", int64_t{2}}})[0];
  EXPECT_EQ(values<uint8_t>(last), (std::vector<uint8_t>{1, 2, 2, 2, 1}));
}

TEST(QuantizeLinear, ToFloat8) {
  const Tensor zero = run_op("Cast", {Tensor::scalar(0.0f)}, {{"to", onnx_code(DType::kF8E4M3FN)}})[0];
  const Tensor y = run_op("QuantizeLinear", {f32({3}, {1, 1000, -3}), Tensor::scalar(2.0f), zero})[0];
  EXPECT_EQ(y.dtype(), DType::kF8E4M3FN);
  EXPECT_EQ(floats(y), (std::vector<float>{0.5f, 448, -1.5f}));
  EXPECT_EQ(values<float>(run_op("DequantizeLinear", {y, Tensor::scalar(2.0f), zero})[0]),
            (std::vector<float>{1, 896, -3}));
  const Tensor one = run_op("Cast", {Tensor::scalar(1.0f)}, {{"to", onnx_code(DType::kF8E4M3FN)}})[0];
  EXPECT_THROW(run_op("QuantizeLinear", {f32({1}, {1}), Tensor::scalar(2.0f), one}), Error);
}

TEST(QuantizeLinear, DividesInTheScalesPrecision) {
  // 1001 / 2 in half is 500.5; 2.5 / 0.1 in half lands on 25 exactly or beside it.
  const Tensor x = Tensor::of<Half>({1}, {Half(1001.0f)}), scale = Tensor::of<Half>({}, {Half(0.9995f)});
  const float half_quotient = static_cast<float>(Half(1001.0f / static_cast<float>(Half(0.9995f))));
  const Tensor y = run_op("QuantizeLinear", {x, scale}, {{"output_dtype", onnx_code(DType::kU16)}})[0];
  EXPECT_EQ(values<uint16_t>(y)[0], static_cast<uint16_t>(std::nearbyint(half_quotient)));
  EXPECT_THROW(run_op("QuantizeLinear", {x, scale}, {{"precision", int64_t{7}}}), Error);
}

TEST(QuantizeLinear, RefusesBadScalesAndShapes) {
  const Tensor x = f32({2, 3}, {1, 2, 3, 4, 5, 6});
  for (float scale : {0.0f, NAN, INFINITY}) EXPECT_THROW(run_op("QuantizeLinear", {x, Tensor::scalar(scale)}), Error);
  EXPECT_THROW(run_op("QuantizeLinear", {x, f32({2}, {1, 1})}), Error);  // axis 1 has 3
  EXPECT_THROW(run_op("QuantizeLinear", {x, f32({2, 3}, {1, 1, 1, 1, 1, 1})}), Error);
  EXPECT_THROW(run_op("QuantizeLinear", {x, f32({3}, {1, 1, 1}), Tensor::scalar<uint8_t>(0)}), Error);
  EXPECT_THROW(run_op("QuantizeLinear", {x, f32({2, 1}, {1, 1})}, {{"block_size", int64_t{2}}}), Error);
  EXPECT_THROW(run_op("QuantizeLinear", {x, Tensor::scalar(1.0f), Tensor::scalar<uint8_t>(0)},
                      {{"output_dtype", onnx_code(DType::kS8)}}),
               Error);
  EXPECT_THROW(run_op("QuantizeLinear", {x, Tensor::scalar(1.0f)}, {{"output_dtype", onnx_code(DType::kF32)}}), Error);
}

TEST(DequantizeLinear, AllTypes) {
  const Tensor x = Tensor::of<uint8_t>({3}, {0, 128, 255});
  EXPECT_EQ(values<float>(run_op("DequantizeLinear", {x, Tensor::scalar(2.0f), Tensor::scalar<uint8_t>(128)})[0]),
            (std::vector<float>{-256, 0, 254}));
  const Tensor wide = Tensor::of<int32_t>({2}, {INT32_MIN, 100});
  EXPECT_EQ(values<float>(run_op("DequantizeLinear", {wide, Tensor::scalar(1.0f), Tensor::scalar<int32_t>(1)})[0]),
            (std::vector<float>{-2147483648.0f, 99}));
  const Tensor half = run_op("DequantizeLinear", {x, Tensor::of<Half>({}, {Half(0.5f)})})[0];
  EXPECT_EQ(half.dtype(), DType::kF16);
  EXPECT_EQ(floats(half), (std::vector<float>{0, 64, 127.5f}));
  EXPECT_EQ(
      run_op("DequantizeLinear", {x, Tensor::scalar(2.0f)}, {{"output_dtype", onnx_code(DType::kBF16)}})[0].dtype(),
      DType::kBF16);
  EXPECT_EQ(values<float>(run_op("DequantizeLinear", {x, Tensor::scalar(0.0f)})[0]), (std::vector<float>{0, 0, 0}));
}

TEST(DynamicQuantizeLinear, CoversZeroAndTheExtremes) {
  std::vector<Tensor> y = run_op("DynamicQuantizeLinear", {f32({6}, {0, 2, -3, -2.5f, 1.34f, 0.5f})}, {}, 3);
  EXPECT_EQ(values<uint8_t>(y[0]), (std::vector<uint8_t>{153, 255, 0, 26, 221, 179}));
  EXPECT_FLOAT_EQ(y[1].data<float>()[0], 5.0f / 255);
  EXPECT_EQ(y[2].data<uint8_t>()[0], 153);
  y = run_op("DynamicQuantizeLinear", {f32({2}, {1, 2})}, {}, 3);
  EXPECT_FLOAT_EQ(y[1].data<float>()[0], 2.0f / 255);
  EXPECT_EQ(y[2].data<uint8_t>()[0], 0);
}

TEST(DynamicQuantizeLinear, DegenerateInputs) {
  const std::vector<Tensor> zeros = run_op("DynamicQuantizeLinear", {f32({2}, {0, 0})}, {}, 3);
  EXPECT_EQ(values<uint8_t>(zeros[0]), (std::vector<uint8_t>{0, 0}));
  EXPECT_GT(zeros[1].data<float>()[0], 0);
  EXPECT_EQ(run_op("DynamicQuantizeLinear", {Tensor(DType::kF32, {0})}, {}, 3)[0].elems(), 0);
  for (float bad : {NAN, INFINITY}) EXPECT_THROW(run_op("DynamicQuantizeLinear", {f32({2}, {1, bad})}, {}, 3), Error);
  EXPECT_THROW(run_op("DynamicQuantizeLinear", {f32({2}, {-3e38f, 3e38f})}, {}, 3), Error);
}

}  // namespace
}  // namespace neural_engine
