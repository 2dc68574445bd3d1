#include "base/onnx_dtype.h"

#include <gtest/gtest.h>

namespace neural_engine {
namespace {

TEST(OnnxDType, MapsBothWays) {
  EXPECT_EQ(dtype_of_onnx(1), DType::kF32);
  EXPECT_EQ(dtype_of_onnx(7), DType::kS64);
  EXPECT_EQ(dtype_of_onnx(21), DType::kU4);
  for (int64_t code = 1; code <= 22; ++code) {
    if (dtype_of_onnx(code) != DType::kUndefined) {
      EXPECT_EQ(onnx_code(dtype_of_onnx(code)), code);
    }
  }
}

TEST(OnnxDType, HasNoTypeForStringsAndUnknownCodes) {
  for (int64_t code : {int64_t{0}, int64_t{8}, int64_t{14}, int64_t{15}, int64_t{23}, int64_t{-1}, INT64_MAX}) {
    EXPECT_EQ(dtype_of_onnx(code), DType::kUndefined) << code;
  }
  EXPECT_EQ(onnx_code(DType::kUndefined), 0);
}

}  // namespace
}  // namespace neural_engine
