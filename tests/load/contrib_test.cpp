// Operators of ONNX Runtime's domain: what is refused, and that they end as the ops that exports end as. What they
// compute is compared with ONNX Runtime's answers in tests/data/ort.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "executor/evaluate.h"
#include "load/onnx_legacy.h"
#include "neural_engine/model.h"
#include "onnx_model.h"
#include "passes/pipeline.h"

namespace neural_engine {
namespace {

using onnx::NodeProto;
using testing::add_input;
using testing::add_node;
using testing::add_output;
using testing::empty_model;
using testing::float_tensor;
using testing::load;
using testing::load_error;
using testing::set_attr;
using Ints = std::vector<int64_t>;

struct Contrib {
  onnx::ModelProto model = empty_model(17);
  NodeProto* node;

  Contrib(const std::string& op, const std::vector<std::string>& inputs,
          const std::vector<std::string>& outputs = {"y"}) {
    model.add_opset_import()->set_domain(kMicrosoft);
    model.mutable_opset_import()->rbegin()->set_version(1);
    node = add_node(model.mutable_graph(), op, inputs, outputs, "node");
    node->set_domain(kMicrosoft);
    for (const std::string& output : outputs) {
      if (!output.empty()) add_output(model.mutable_graph(), output);
    }
  }
  Contrib& input(const std::string& name, const std::vector<testing::TestDim>& dims,
                 int type = onnx::TensorProto::FLOAT) {
    add_input(model.mutable_graph(), name, dims, type);
    return *this;
  }
  Contrib& constant(const std::string& name, const Ints& dims) {
    int64_t elems = 1;
    for (int64_t dim : dims) elems *= dim;
    *model.mutable_graph()->add_initializer() =
        float_tensor(name, dims, std::vector<float>(static_cast<size_t>(elems), 0.25f));
    return *this;
  }
  template <class T>
  Contrib& attr(const char* name, T value) {
    set_attr(node, name, value);
    return *this;
  }

  std::map<std::string, int> optimized() const {
    Graph graph = load(model);
    PassReport report;
    simplify(
        graph, [](const Node& n, std::span<const Tensor> inputs) { return evaluate_node(n, inputs); }, report);
    std::map<std::string, int> counts;
    for (NodeId id : graph.order()) ++counts[std::string(graph.node(id).op())];
    return counts;
  }
};

Contrib attention() {
  Contrib c("Attention", {"x", "w", "b"});
  c.input("x", {"batch", "seq", 8}).constant("w", {8, 24}).constant("b", {24});
  return c;
}

TEST(Contrib, EndsAsTheOpsOfAnExport) {
  EXPECT_EQ(attention().attr("num_heads", int64_t{2}).optimized(),
            (std::map<std::string, int>{{"FusedAttention", 1}, {"FusedMatMul", 1}}));

  Contrib gemm("FusedGemm", {"x", "w", "b"});
  gemm.input("x", {"batch", 8}).constant("w", {8, 4}).constant("b", {4}).attr("activation", "Relu");
  EXPECT_EQ(gemm.optimized(), (std::map<std::string, int>{{"FusedMatMul", 1}}));

  Contrib skip("SkipLayerNormalization", {"x", "s", "g", "b"});
  skip.input("x", {"batch", 3, 8}).input("s", {"batch", 3, 8}).constant("g", {8}).constant("b", {8});
  EXPECT_EQ(skip.optimized(), (std::map<std::string, int>{{"Add", 1}, {"LayerNormalization", 1}}));
}

// A weight of few bits stays one.
TEST(Contrib, BlocksStayBlocks) {
  Contrib c("MatMulNBits", {"x", "w", "s"});
  c.input("x", {"batch", 32}).constant("s", {4});
  onnx::TensorProto* packed = c.model.mutable_graph()->add_initializer();
  packed->set_name("w");
  packed->set_data_type(onnx::TensorProto::UINT8);
  for (int64_t dim : {4, 1, 16}) packed->add_dims(dim);
  packed->set_raw_data(std::string(64, '\x7a'));
  c.attr("K", int64_t{32}).attr("N", int64_t{4}).attr("bits", int64_t{4}).attr("block_size", int64_t{32});
  EXPECT_EQ(c.optimized(), (std::map<std::string, int>{{"DequantizeLinear", 1}, {"FusedMatMul", 1}}));
  bool found = false;
  const Graph graph = load(c.model);
  for (NodeId id : graph.order()) {
    if (!graph.node(id).is("DequantizeLinear")) continue;
    const Tensor& weight = graph.value(graph.node(id).inputs[0]).facts.constant;
    EXPECT_EQ(weight.dtype(), DType::kS4);
    EXPECT_EQ(weight.shape(), (Shape{4, 32}));
    // 0xa and 0x7 without their middle, 8: 2 and -1.
    EXPECT_EQ(static_cast<const uint8_t*>(weight.raw())[0], 0xf2);
    found = true;
  }
  EXPECT_TRUE(found);
}

TEST(Contrib, Refusals) {
  const auto expect = [](const Contrib& c, const std::string& message) {
    EXPECT_NE(load_error(c.model).find(message), std::string::npos) << message << "\nfound: " << load_error(c.model);
  };
  expect(attention(), "attribute \"num_heads\" is missing");
  expect(attention().attr("num_heads", int64_t{3}), "3 heads do not divide a width of 8");
  expect(attention().attr("num_heads", int64_t{-2}), "-2 heads do not divide");
  expect(attention().attr("num_heads", int64_t{2}).attr("do_rotary", int64_t{1}), "do_rotary 1 found");
  expect(attention().attr("num_heads", int64_t{2}).attr("novel", int64_t{1}), "attribute \"novel\"");
  expect(attention().attr("num_heads", int64_t{2}).attr("qkv_hidden_sizes", Ints{8, 4, 12}), "qkv_hidden_sizes");
  expect(attention().attr("num_heads", 2.0f), "has type");

  Contrib mask("Attention", {"x", "w", "b", "m"});
  mask.input("x", {"batch", "seq", 8}).constant("w", {8, 24}).constant("b", {24}).attr("num_heads", int64_t{2});
  mask.input("m", {"batch", 1, "seq", "seq"}, onnx::TensorProto::INT32);
  expect(mask, "a mask of rank 4 found, supported are ranks 1 to 3");

  Contrib gemm("FusedGemm", {"x", "w"});
  gemm.input("x", {"batch", 8}).constant("w", {8, 4}).attr("activation", "Mystery");
  expect(gemm, "activation \"Mystery\" with 0 numbers found, supported: Relu");

  Contrib norm("SkipLayerNormalization", {"x", "s", "g"}, {"y", "mean"});
  norm.input("x", {2, 8}).input("s", {2, 8}).constant("g", {8});
  expect(norm, "output 1 is used, which is for training");

  Contrib group("GroupQueryAttention", {"q", "k", "v", "", "", "l", "t"});
  group.input("q", {1, 1, 32}).input("k", {1, 1, 16}).input("v", {1, 1, 16});
  group.input("l", {1}, onnx::TensorProto::INT32).input("t", {}, onnx::TensorProto::INT32);
  group.attr("num_heads", int64_t{2}).attr("kv_num_heads", int64_t{1});
  Contrib smooth = group;
  smooth.node = smooth.model.mutable_graph()->mutable_node(0);
  expect(smooth.attr("smooth_softmax", int64_t{1}), "smooth_softmax 1 found");
  Contrib uneven("GroupQueryAttention", {"q", "k", "v", "", "", "l", "t"});
  uneven.input("q", {1, 1, 32}).input("k", {1, 1, 16}).input("v", {1, 1, 16});
  uneven.input("l", {1}, onnx::TensorProto::INT32).input("t", {}, onnx::TensorProto::INT32);
  expect(uneven.attr("num_heads", int64_t{3}).attr("kv_num_heads", int64_t{2}), "2 key-value heads do not divide 3");

  Contrib bits("MatMulNBits", {"x", "w", "s"});
  bits.input("x", {"batch", 32}).constant("w", {4, 1, 16}).constant("s", {4});
  bits.attr("K", int64_t{32}).attr("N", int64_t{4}).attr("block_size", int64_t{32});
  expect(bits, "input 1 has dtype f32, supported is u8");
  Contrib huge("MatMulNBits", {"x", "w", "s"});
  huge.input("x", {"batch", 32}).constant("w", {4}).constant("s", {4});
  huge.attr("K", INT64_MAX).attr("N", int64_t{4}).attr("block_size", int64_t{32});
  expect(huge, "block_size 32 found, expected");

  Contrib other("BeamSearch", {"x"});
  other.input("x", {2, 3});
  expect(other, "operator BeamSearch of domain \"com.microsoft\" is not supported at opset 1, nor at any other");
}

// Known at any opset of ONNX, since the optimizer writes them into any model.
TEST(Contrib, NormsBeforeTheirOpset) {
  EXPECT_EQ(supported_opsets("", "LayerNormalization"), "1 to 16, 17 to 23");
  EXPECT_EQ(supported_opsets("", "SimplifiedLayerNormalization"), "1 to 23");
  EXPECT_EQ(supported_opsets(kMicrosoft, "Attention"), "1 to 1");
}

}  // namespace
}  // namespace neural_engine
