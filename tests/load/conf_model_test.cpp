// Models of conf.yaml and model.bin: the answers of tests/data/conf_model are compared by tests/run_zoo.py; here what
// becomes of operators, and what is refused.
#include "load/conf_model.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "load/conf_file.h"
#include "onnx_model.h"

namespace neural_engine {
namespace {

struct Case {
  const char* name;
  const char* from;
  const char* to;
  const char* expected;
};

// A product of bytes: x [rows,2] by weights [3,2] with one range each.
const std::string kConf = R"(model:
  name: m
  operator:
    input_data:
      type: Input
      output:
        x: {dtype: fp32, shape: [-1, 2]}
        w: {dtype: s8, shape: [3, 2], location: [0, 6]}
        bias: {dtype: s32, shape: [3], location: [8, 12], strides: [1]}
        x_min: {dtype: fp32, shape: [1], location: [20, 4]}
        x_max: {dtype: fp32, shape: [1], location: [24, 4]}
        w_min: {dtype: fp32, shape: [1], location: [28, 4]}
        w_max: {dtype: fp32, shape: [1], location: [32, 4]}
    q:
      type: Quantize
      input: {x: {}, x_min: {}, x_max: {}}
      output: {xq: {}}
      attr: {output_dtype: u8}
    ip:
      type: InnerProduct
      input: {xq: {}, w: {}, bias: {}, x_min: {}, x_max: {}, w_min: {}, w_max: {}}
      output: {y: {}}
      attr: {src1_perm: "0,1", append_op: tanh}
    output_data:
      type: Output
      input: {y: {}}
)";

std::string weights() {
  const int8_t w[8] = {127, -64, 1, 2, -127, 5, 0, 0};
  const int32_t bias[3] = {1, 2, 3};
  const float ranges[4] = {-1.f, 1.55f, -1.f, 1.f};
  std::string bytes(reinterpret_cast<const char*>(w), 8);
  bytes.append(reinterpret_cast<const char*>(bias), 12);
  return bytes.append(reinterpret_cast<const char*>(ranges), 16);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string error_of(const std::string& conf, const std::string& bytes = weights()) {
  try {
    load_conf_model(conf, std::as_bytes(std::span(bytes)), nullptr);
    return "no error";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(ConfModel, BytesBecomeOnnxsForm) {
  const std::string bytes = weights();
  const Graph graph = load_conf_model(kConf, std::as_bytes(std::span(bytes)), nullptr);
  std::string ops;
  for (NodeId id : graph.order()) ops += std::string(graph.node(id).op()) + " ";
  EXPECT_EQ(ops, "QuantizeLinear DequantizeLinear Transpose DequantizeLinear MatMul DequantizeLinear Add Tanh ");
  ASSERT_EQ(graph.outputs().size(), 1u);
  EXPECT_EQ(to_string(*graph.value(graph.outputs()[0].value).facts.shape), "[x_0,3]");
}

TEST(ConfModel, Refusals) {
  EXPECT_EQ(error_of(kConf), "no error");
  const Case cases[] = {
      {"yaml", "model:", "{", "YAML: "},
      {"top", "model:", "graph:", "field \"graph\" found, expected \"model\""},
      {"field of model", "name: m", "version: 3", "model: field \"version\" found"},
      {"field of operator", "type: Quantize", "kind: Quantize", "field \"kind\" found, supported: type, input"},
      {"field of tensor", "strides: [1]", "layout: [1]", "layout found, supported: dtype, shape, location, strides"},
      {"strides", "strides: [1]", "strides: [2]", "strides other than those of a dense tensor"},
      {"dtype", "{dtype: fp32, shape: [-1, 2]}", "{dtype: fp64, shape: [-1, 2]}",
       "dtype \"fp64\" found, supported: fp32"},
      {"no shape", "{dtype: fp32, shape: [-1, 2]}", "{dtype: fp32}", "tensor \"x\": it has no shape"},
      {"shape", "shape: [-1, 2]", "shape: [-2, 2]", "a dimension of -2 found"},
      {"shape no number", "shape: [-1, 2]", "shape: [a, 2]", "\"a\" found, expected integers"},
      {"shape overflow", "shape: [-1, 2]", "shape: [99999999999999999999, 2]", "expected integers"},
      {"rank", "shape: [-1, 2]", "shape: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "no list of at most 16 numbers"},
      {"constant of unknown size", "shape: [3, 2], location", "shape: [-1, 2], location", "shape [-1,2] of a constant"},
      {"constant overflows", "shape: [3, 2], location", "shape: [4611686018427387904, 4], location",
       "of a constant found"},
      {"size", "location: [0, 6]", "location: [0, 7]", "7 bytes found, shape [3,2] of s8 takes 6"},
      {"behind the end", "location: [0, 6]", "location: [31, 6]", "6 bytes at 31 found, model.bin has 36"},
      {"far behind the end", "location: [0, 6]", "location: [9223372036854775807, 6]", "model.bin has 36"},
      {"before the start", "location: [0, 6]", "location: [-1, 6]", "6 bytes at -1 found"},
      {"location", "location: [0, 6]", "location: [0]", "is no offset and size"},
      {"operator", "type: Quantize", "type: MultiHeadAttention", "operator \"q\" (MultiHeadAttention): type"},
      {"first", "type: Input", "type: Output", "first operator is expected to be of type Input"},
      {"unknown input", "{x: {}, x_min", "{z: {}, x_min", "input \"z\" is made by no operator before it"},
      {"input twice", "{x: {}, x_min", "{x_max: {}, x_min", "\"x_max\" is given twice"},
      {"input with a field", "{x: {}, x_min", "{x: {dtype: s8}, x_min", "has a field \"dtype\""},
      {"made twice", "output: {y: {}}", "output: {xq: {}}", "output \"xq\" is made twice"},
      {"no output", "input: {y: {}}", "input: {z: {}}", "tensor \"z\" is made by no operator"},
      {"attribute", "append_op: tanh", "append_op: tanh, alpha: 2",
       "attribute \"alpha\" (\"2\") is not supported here"},
      {"attribute value", "append_op: tanh", "append_op: mish", "append_op \"mish\" found"},
      {"attribute type", "append_op: tanh", "output_scale: big",
       "attribute \"output_scale\": \"big\" found, expected a number"},
      {"perm", "\"0,1\"", "\"0,\"", "attribute \"src1_perm\": \"0,\" found"},
      {"perm of three", "\"0,1\"", "\"0,2,1\"", "src1_perm is no order of two axes"},
      {"perm of x", "src1_perm: \"0,1\"", "src0_perm: \"0,7\"", "axis 7 found"},
      {"operands", "x_max: {}, w_min: {}, w_max: {}}", "x_max: {}}", "5 inputs found, which is no form of it"},
      {"operands of another kind", "w_min: {}, w_max: {}}", "w_min: {}}", "is no constant of fp32 numbers"},
      {"range no constant", "{x: {}, x_min: {}, x_max: {}}", "{x: {}, x_min: {}, xq0: {}}", "input \"xq0\""},
      {"result without range", "append_op: tanh", "output_dtype: u8", "a result of bytes without a range found"},
      {"residual in bytes", "append_op: tanh", "append_op: sum, output_dtype: s8",
       "append_op \"sum\" with a result of s8"},
      {"two outputs", "output: {y: {}}", "output: {y: {}, z: {}}", "2 outputs found, expected 1 or 3"},
      {"quantize to s32", "output_dtype: u8", "output_dtype: s32", "a result of s32 found"},
  };
  for (const Case& c : cases) {
    const std::string found = error_of(replaced(kConf, c.from, c.to));
    EXPECT_NE(found.find(c.expected), std::string::npos) << c.name << "\nfound: " << found;
  }
}

TEST(ConfModel, RefusesRanges) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto with = [](size_t at, float value) {
    std::string bytes = weights();
    return bytes.replace(at, 4, reinterpret_cast<const char*>(&value), 4);
  };
  EXPECT_NE(error_of(kConf, with(20, nan)).find("the minimum of a quantized operand is "), std::string::npos);
  EXPECT_NE(error_of(kConf, with(20, 2.f)).find("a range from 2 to 1.55 found"), std::string::npos);
}

// What aliases can do to a small file is bounded.
TEST(ConfModel, BoundsAliases) {
  std::string conf = "model:\n  operator:\n    a:\n      type: Input\n      output: &all\n";
  for (int i = 0; i < 1000; ++i) conf += "        t" + std::to_string(i) + ": {dtype: fp32, shape: [1]}\n";
  for (int i = 0; i < 1000; ++i) conf += "    o" + std::to_string(i) + ": {type: Input, output: *all}\n";
  EXPECT_NE(error_of(conf).find("more than 262144 entries found"), std::string::npos) << error_of(conf);
}

TEST(ConfModel, BoundsDepth) { EXPECT_NE(error_of(std::string(100000, '[')).find("YAML: "), std::string::npos); }

TEST(ConfModel, ParsesNumbers) {
  EXPECT_EQ(parse_integers("0, 2,-1"), (std::vector<int64_t>{0, 2, -1}));
  for (const char* bad : {"", "1,", "1 2", "1.5", "0x1"}) EXPECT_THROW(parse_integers(bad), Error) << bad;
  EXPECT_EQ(parse_number("-3.4028234663852886e+38"), -3.4028234663852886e+38);
  for (const char* bad : {"", "nan", "inf", "1f", "1e999"}) EXPECT_THROW(parse_number(bad), Error) << bad;
}

}  // namespace
}  // namespace neural_engine
