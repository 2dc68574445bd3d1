// Which versions of ONNX's operators map to an op as they are: those before have another form, which the loader adapts.
#include <gtest/gtest.h>

#include "ir/op_def.h"

namespace neural_engine {
namespace {

struct Since {
  const char* op;
  int64_t since;
};

TEST(OnnxVersions, MapFromTheFirstOfTheSameForm) {
  const Since table[] = {{"Add", 7},
                         {"Pow", 7},
                         {"Equal", 7},
                         {"PRelu", 7},
                         {"Max", 6},
                         {"Clip", 11},
                         {"Relu", 6},
                         {"Mod", 10},
                         {"Where", 9},
                         {"Cast", 6},
                         {"CastLike", 15},
                         {"Gelu", 20},
                         {"BitwiseAnd", 18},
                         {"IsInf", 10},
                         {"ReduceSum", 13},
                         {"ReduceMean", 18},
                         {"ReduceL2", 18},
                         {"ReduceMax", 18},
                         {"ArgMax", 1},
                         {"CumSum", 11},
                         {"TopK", 10},
                         {"Hardmax", 13},
                         {"Trilu", 14},
                         {"Det", 11},
                         {"QuantizeLinear", 10},
                         {"ConvInteger", 10},
                         {"QLinearConv", 10},
                         {"MatMulInteger", 10},
                         {"QLinearMatMul", 10},
                         {"DequantizeLinear", 10},
                         {"Dropout", 12},
                         {"EyeLike", 9},
                         {"Bernoulli", 15},
                         {"Multinomial", 7},
                         {"RandomNormal", 1},
                         {"DynamicQuantizeLinear", 11}};
  for (const Since& row : table) {
    EXPECT_EQ(find_onnx_op("", row.op, row.since - 1), nullptr) << row.op;
    for (int64_t opset : {row.since, int64_t{kMaxOnnxOpset}}) {
      ASSERT_NE(find_onnx_op("", row.op, opset), nullptr) << row.op << " " << opset;
      EXPECT_STREQ(find_onnx_op("", row.op, opset)->name, row.op);
    }
    EXPECT_EQ(find_onnx_op("", row.op, kMaxOnnxOpset + 1), nullptr) << row.op;
  }
}

}  // namespace
}  // namespace neural_engine
