// Every operator of ai.onnx is honoured at every opset from 7 on, but for those that are refused on purpose.
#include <gtest/gtest.h>

#include "load/onnx_legacy.h"

namespace neural_engine {
namespace {

struct OnnxOperator {
  const char* op_type;
  int since;  // the first opset that has it, or 7
  int until;  // the last that has it
};

// From ONNX's own schemas. Constant is read by the loader itself.
constexpr OnnxOperator kSupported[] = {
    {"Abs", 7, 23},
    {"Acos", 7, 23},
    {"Acosh", 9, 23},
    {"Add", 7, 23},
    {"AffineGrid", 20, 23},
    {"And", 7, 23},
    {"ArgMax", 7, 23},
    {"ArgMin", 7, 23},
    {"Asin", 7, 23},
    {"Asinh", 9, 23},
    {"Atan", 7, 23},
    {"Atanh", 9, 23},
    {"Attention", 23, 23},
    {"AveragePool", 7, 23},
    {"BatchNormalization", 7, 23},
    {"Bernoulli", 15, 23},
    {"BitShift", 11, 23},
    {"BitwiseAnd", 18, 23},
    {"BitwiseNot", 18, 23},
    {"BitwiseOr", 18, 23},
    {"BitwiseXor", 18, 23},
    {"BlackmanWindow", 17, 23},
    {"Cast", 7, 23},
    {"CastLike", 15, 23},
    {"Ceil", 7, 23},
    {"Celu", 12, 23},
    {"CenterCropPad", 18, 23},
    {"Clip", 7, 23},
    {"Col2Im", 18, 23},
    {"Compress", 9, 23},
    {"Concat", 7, 23},
    {"ConstantOfShape", 9, 23},
    {"Conv", 7, 23},
    {"ConvInteger", 10, 23},
    {"ConvTranspose", 7, 23},
    {"Cos", 7, 23},
    {"Cosh", 9, 23},
    {"CumSum", 11, 23},
    {"DFT", 17, 23},
    {"DeformConv", 19, 23},
    {"DepthToSpace", 7, 23},
    {"DequantizeLinear", 10, 23},
    {"Det", 11, 23},
    {"Div", 7, 23},
    {"Dropout", 7, 23},
    {"DynamicQuantizeLinear", 11, 23},
    {"Einsum", 12, 23},
    {"Elu", 7, 23},
    {"Equal", 7, 23},
    {"Erf", 9, 23},
    {"Exp", 7, 23},
    {"Expand", 8, 23},
    {"EyeLike", 9, 23},
    {"Flatten", 7, 23},
    {"Floor", 7, 23},
    {"GRU", 7, 23},
    {"Gather", 7, 23},
    {"GatherElements", 11, 23},
    {"GatherND", 11, 23},
    {"Gelu", 20, 23},
    {"Gemm", 7, 23},
    {"GlobalAveragePool", 7, 23},
    {"GlobalLpPool", 7, 23},
    {"GlobalMaxPool", 7, 23},
    {"Greater", 7, 23},
    {"GreaterOrEqual", 12, 23},
    {"GridSample", 16, 23},
    {"GroupNormalization", 18, 23},
    {"HammingWindow", 17, 23},
    {"HannWindow", 17, 23},
    {"HardSigmoid", 7, 23},
    {"HardSwish", 14, 23},
    {"Hardmax", 7, 23},
    {"Identity", 7, 23},
    {"If", 7, 23},
    {"InstanceNormalization", 7, 23},
    {"IsInf", 10, 23},
    {"IsNaN", 9, 23},
    {"LRN", 7, 23},
    {"LSTM", 7, 23},
    {"LayerNormalization", 17, 23},
    {"LeakyRelu", 7, 23},
    {"Less", 7, 23},
    {"LessOrEqual", 12, 23},
    {"Log", 7, 23},
    {"LogSoftmax", 7, 23},
    {"Loop", 7, 23},
    {"LpNormalization", 7, 23},
    {"LpPool", 7, 23},
    {"MatMul", 7, 23},
    {"MatMulInteger", 10, 23},
    {"Max", 7, 23},
    {"MaxPool", 7, 23},
    {"MaxRoiPool", 7, 23},
    {"MaxUnpool", 9, 23},
    {"Mean", 7, 23},
    {"MeanVarianceNormalization", 9, 23},
    {"MelWeightMatrix", 17, 23},
    {"Min", 7, 23},
    {"Mish", 18, 23},
    {"Mod", 10, 23},
    {"Mul", 7, 23},
    {"Multinomial", 7, 23},
    {"Neg", 7, 23},
    {"NegativeLogLikelihoodLoss", 12, 23},
    {"NonMaxSuppression", 10, 23},
    {"NonZero", 9, 23},
    {"Not", 7, 23},
    {"OneHot", 9, 23},
    {"Or", 7, 23},
    {"PRelu", 7, 23},
    {"Pad", 7, 23},
    {"Pow", 7, 23},
    {"QLinearConv", 10, 23},
    {"QLinearMatMul", 10, 23},
    {"QuantizeLinear", 10, 23},
    {"RMSNormalization", 23, 23},
    {"RNN", 7, 23},
    {"RandomNormal", 7, 23},
    {"RandomNormalLike", 7, 23},
    {"RandomUniform", 7, 23},
    {"RandomUniformLike", 7, 23},
    {"Range", 11, 23},
    {"Reciprocal", 7, 23},
    {"ReduceL1", 7, 23},
    {"ReduceL2", 7, 23},
    {"ReduceLogSum", 7, 23},
    {"ReduceLogSumExp", 7, 23},
    {"ReduceMax", 7, 23},
    {"ReduceMean", 7, 23},
    {"ReduceMin", 7, 23},
    {"ReduceProd", 7, 23},
    {"ReduceSum", 7, 23},
    {"ReduceSumSquare", 7, 23},
    {"Relu", 7, 23},
    {"Reshape", 7, 23},
    {"Resize", 10, 23},
    {"ReverseSequence", 10, 23},
    {"RoiAlign", 10, 23},
    {"RotaryEmbedding", 23, 23},
    {"Round", 11, 23},
    {"STFT", 17, 23},
    {"Scan", 8, 23},
    {"Scatter", 9, 10},
    {"ScatterElements", 11, 23},
    {"ScatterND", 11, 23},
    {"Selu", 7, 23},
    {"Shape", 7, 23},
    {"Shrink", 9, 23},
    {"Sigmoid", 7, 23},
    {"Sign", 9, 23},
    {"Sin", 7, 23},
    {"Sinh", 9, 23},
    {"Size", 7, 23},
    {"Slice", 7, 23},
    {"Softmax", 7, 23},
    {"SoftmaxCrossEntropyLoss", 12, 23},
    {"Softplus", 7, 23},
    {"Softsign", 7, 23},
    {"SpaceToDepth", 7, 23},
    {"Split", 7, 23},
    {"Sqrt", 7, 23},
    {"Squeeze", 7, 23},
    {"Sub", 7, 23},
    {"Sum", 7, 23},
    {"Tan", 7, 23},
    {"Tanh", 7, 23},
    {"TfIdfVectorizer", 9, 23},
    {"ThresholdedRelu", 10, 23},
    {"Tile", 7, 23},
    {"TopK", 7, 23},
    {"Transpose", 7, 23},
    {"Trilu", 14, 23},
    {"Unique", 11, 23},
    {"Unsqueeze", 7, 23},
    {"Upsample", 7, 9},
    {"Where", 9, 23},
    {"Xor", 7, 23},
};

// Optionals, strings and images are not tensors of numbers; sequences are resolved by the loader (onnx_sequences.cpp).
constexpr const char* kRefused[] = {
    "ConcatFromSequence", "ImageDecoder",   "Optional",          "OptionalGetElement", "OptionalHasElement",
    "RegexFullMatch",     "SequenceAt",     "SequenceConstruct", "SequenceEmpty",      "SequenceErase",
    "SequenceInsert",     "SequenceLength", "SequenceMap",       "SplitToSequence",    "StringConcat",
    "StringNormalizer",   "StringSplit",
};

bool supported(const char* op_type, int64_t opset) {
  return find_onnx_op("", op_type, opset) != nullptr || find_legacy_rule("", op_type, opset) != nullptr;
}

TEST(OperatorVersions, AllAreSupported) {
  for (const OnnxOperator& op : kSupported) {
    std::string missing;
    for (int opset = op.since; opset <= op.until; ++opset) {
      if (!supported(op.op_type, opset)) missing += " " + std::to_string(opset);
    }
    EXPECT_EQ(missing, "") << op.op_type << " is missing at opsets" << missing;
  }
}

TEST(OperatorVersions, TheRefusedOnesAreNot) {
  for (const char* op_type : kRefused) EXPECT_EQ(supported_opsets("", op_type), "") << op_type;
}

TEST(OperatorVersions, RangesAreNamed) {
  EXPECT_EQ(supported_opsets("", "Clip"), "6 to 10, 11 to 23");
  EXPECT_EQ(supported_opsets("", "None"), "");
}

}  // namespace
}  // namespace neural_engine
