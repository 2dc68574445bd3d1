// What TensorFlow graphs become: the nodes, their shapes, constants.
#include <gtest/gtest.h>

#include <algorithm>

#include "load/tensorflow_ops.h"
#include "tensorflow_model.h"

namespace neural_engine {
namespace {

using testing::add_tf_floats;
using testing::add_tf_input;
using testing::add_tf_ints;
using testing::add_tf_node;
using testing::load;
using testing::op_names;
using testing::relu_graph;
using testing::tf_attr;

const Facts& output_facts(const Graph& graph, size_t i = 0) { return graph.value(graph.outputs()[i].value).facts; }

TEST(TensorFlow, InputsAreNamedAndOpenDimensionsGetSymbols) {
  tf::GraphDef proto = relu_graph();
  tf_attr(proto.mutable_node(0), "shape").mutable_shape()->mutable_dim(0)->set_size(-1);
  const Graph graph = load(proto);
  ASSERT_EQ(graph.inputs().size(), 1u);
  EXPECT_EQ(graph.value(graph.inputs()[0]).name, "x");
  EXPECT_EQ(to_string(*graph.value(graph.inputs()[0]).facts.shape), "[x_0,3]");
  ASSERT_EQ(graph.outputs().size(), 1u);
  EXPECT_EQ(graph.outputs()[0].name, "node");
  EXPECT_EQ(op_names(graph), std::vector<std::string>{"Relu"});
}

TEST(TensorFlow, OpenDimensionsThatMeetAreOne) {
  tf::GraphDef proto;
  add_tf_input(&proto, "x", {-1, -1, 4});
  add_tf_input(&proto, "y", {-1, 4});
  add_tf_input(&proto, "z", {-1, -1, 4});
  add_tf_node(&proto, "AddV2", "sum", {"x", "y"});
  add_tf_node(&proto, "Mul", "product", {"sum", "z"});
  const Graph graph = load(proto);
  const auto shape = [&](size_t i) { return to_string(*graph.value(graph.inputs()[i]).facts.shape); };
  EXPECT_EQ(shape(0), "[x_0,x_1,4]");
  EXPECT_EQ(shape(1), "[x_1,4]");
  EXPECT_EQ(shape(2), "[x_0,x_1,4]");  // after what is known of the sum
  EXPECT_EQ(to_string(*output_facts(graph).shape), "[x_0,x_1,4]");
}

// They lie beside each other, and have nothing to do with each other.
TEST(TensorFlow, OpenDimensionsThatDoNotMeetStay) {
  tf::GraphDef proto;
  add_tf_input(&proto, "x", {-1, 4});
  add_tf_input(&proto, "y", {-1, 4});
  add_tf_ints(&proto, "axis", {0}, true);
  add_tf_node(&proto, "ConcatV2", "both", {"x", "y", "axis"});
  const Graph graph = load(proto);
  EXPECT_EQ(to_string(*graph.value(graph.inputs()[1]).facts.shape), "[y_0,4]");
}

TEST(TensorFlow, InputsThatNoOutputNeedsAreNoInputs) {
  tf::GraphDef proto = relu_graph();
  add_tf_input(&proto, "keep_prob", {});
  add_tf_node(&proto, "NoOp", "init", {"^keep_prob"});
  EXPECT_EQ(load(proto).inputs().size(), 1u);
}

TEST(TensorFlow, NodesMayBeInAnyOrder) {
  tf::GraphDef proto;
  add_tf_node(&proto, "Relu", "second", {"first"});
  add_tf_node(&proto, "Abs", "first", {"x:0"});
  add_tf_input(&proto, "x", {2});
  EXPECT_EQ(op_names(load(proto)), (std::vector<std::string>{"Abs", "Relu"}));
}

TEST(TensorFlow, FewerValuesThanElementsRepeatTheLast) {
  tf::GraphDef proto = relu_graph();
  add_tf_floats(&proto, "c", {4}, {1, 2});
  proto.mutable_node(1)->set_op("AddV2");
  proto.mutable_node(1)->add_input("c");
  tf_attr(proto.mutable_node(0), "shape").mutable_shape()->mutable_dim(1)->set_size(4);
  const Graph graph = load(proto);
  const Tensor& constant = graph.value(graph.node(0).inputs[1]).facts.constant;
  ASSERT_EQ(constant.shape(), Shape{4});
  EXPECT_EQ(std::vector<float>(constant.data<float>(), constant.data<float>() + 4), (std::vector<float>{1, 2, 2, 2}));
}

TEST(TensorFlow, FunctionsAreInlinedWithTheirOutputNames) {
  tf::GraphDef proto = relu_graph();
  tf::FunctionDef* function = proto.mutable_library()->add_function();
  function->mutable_signature()->set_name("top");
  function->mutable_signature()->add_input_arg()->set_name("a");
  function->mutable_signature()->add_output_arg()->set_name("indices");
  add_tf_node(function->mutable_node_def(), "Const", "k", {});
  tf::NodeDef* k = function->mutable_node_def(0);
  tf_attr(k, "dtype").set_type(testing::kTfInt32);
  tf_attr(k, "value").mutable_tensor()->set_dtype(testing::kTfInt32);
  tf_attr(k, "value").mutable_tensor()->add_int_val(2);
  add_tf_node(function->mutable_node_def(), "TopKV2", "best", {"a", "k:output:0"});
  (*function->mutable_ret())["indices"] = "best:indices:0";
  proto.mutable_node(1)->set_op("StatefulPartitionedCall");
  proto.mutable_node(1)->clear_attr();
  tf_attr(proto.mutable_node(1), "f").mutable_func()->set_name("top");
  const Graph graph = load(proto);
  EXPECT_EQ(output_facts(graph).dtype, DType::kS32);
  EXPECT_EQ(to_string(*output_facts(graph).shape), "[2,2]");
}

// cond(constant, x -> -x, x -> |x|), as TensorFlow 1 writes it.
TEST(TensorFlow, SwitchOfAConstantTakesOneBranch) {
  for (const bool taken : {false, true}) {
    tf::GraphDef proto;
    add_tf_input(&proto, "x", {2});
    testing::add_tf_const(proto.mutable_node(), "c", {}, testing::kTfBool)->add_bool_val(taken);
    add_tf_node(&proto, "Switch", "switch", {"x", "c"});
    add_tf_node(&proto, "Neg", "false_branch", {"switch"});
    add_tf_node(&proto, "Abs", "true_branch", {"switch:1"});
    add_tf_node(&proto, "Merge", "merge", {"false_branch", "true_branch"});
    add_tf_node(&proto, "Relu", "y", {"merge"});
    EXPECT_EQ(op_names(load(proto)), (std::vector<std::string>{taken ? "Abs" : "Neg", "Relu"}));
  }
}

// A constant in a branch is tied to it by a control edge only.
TEST(TensorFlow, DeadControlEdgesEndABranch) {
  tf::GraphDef proto;
  add_tf_input(&proto, "x", {1});
  testing::add_tf_const(proto.mutable_node(), "c", {}, testing::kTfBool)->add_bool_val(true);
  add_tf_node(&proto, "Switch", "switch", {"c", "c"});
  add_tf_node(&proto, "Identity", "switch_f", {"switch"});
  add_tf_node(&proto, "Identity", "switch_t", {"switch:1"});
  add_tf_floats(&proto, "one", {1}, {1});
  proto.mutable_node(5)->add_input("^switch_f");
  add_tf_floats(&proto, "two", {1}, {2});
  proto.mutable_node(6)->add_input("^switch_t");
  add_tf_node(&proto, "Merge", "merge", {"one", "two"});
  add_tf_node(&proto, "Mul", "y", {"x", "merge"});
  const Graph graph = load(proto);
  EXPECT_EQ(graph.value(graph.node(0).inputs[1]).facts.constant.data<float>()[0], 2.f);
}

struct SliceCase {
  std::vector<int32_t> begin, end, strides;
  int begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_mask;
  const char* shape;  // of x [4,5,6]
};

TEST(TensorFlow, StridedSlicesHaveNumpysShapes) {
  const SliceCase kCases[] = {
      {{1}, {3}, {1}, 0, 0, 0, 0, 0, "[2,5,6]"},
      {{0, 1}, {0, 2}, {1, 1}, 1, 1, 0, 0, 2, "[4,6]"},
      {{-1}, {0}, {1}, 0, 0, 0, 0, 1, "[5,6]"},
      {{0, 0}, {0, 0}, {1, 1}, 3, 3, 0, 1, 0, "[1,4,5,6]"},
      {{0, 2}, {0, 4}, {1, 1}, 0, 0, 1, 0, 0, "[4,5,2]"},
      {{0, 0, 0}, {0, 0, 1}, {1, 1, 1}, 0, 0, 1, 2, 4, "[4,5,1]"},
      {{0, 0, 0}, {0, 0, 0}, {-1, 2, 1}, 7, 7, 0, 0, 0, "[4,3,6]"},
      {{3, 0, 0}, {0, 0, 0}, {-2, 1, 1}, 6, 6, 0, 0, 0, "[2,5,6]"},
      {{1, 0, 2}, {0, 0, 0}, {1, 1, 1}, 0, 0, 0, 2, 5, "[1,6]"},
  };
  for (const SliceCase& each : kCases) {
    SCOPED_TRACE(each.shape);
    tf::GraphDef proto;
    add_tf_input(&proto, "x", {4, 5, 6});
    add_tf_ints(&proto, "begin", each.begin);
    add_tf_ints(&proto, "end", each.end);
    add_tf_ints(&proto, "strides", each.strides);
    tf::NodeDef* node = add_tf_node(&proto, "StridedSlice", "y", {"x", "begin", "end", "strides"});
    tf_attr(node, "begin_mask").set_i(each.begin_mask);
    tf_attr(node, "end_mask").set_i(each.end_mask);
    tf_attr(node, "ellipsis_mask").set_i(each.ellipsis_mask);
    tf_attr(node, "new_axis_mask").set_i(each.new_axis_mask);
    tf_attr(node, "shrink_axis_mask").set_i(each.shrink_mask);
    const Graph graph = load(proto);
    EXPECT_EQ(to_string(*output_facts(graph).shape), each.shape);
  }
}

TEST(TensorFlow, FakeQuantOfAConstantIsIntegers) {
  tf::GraphDef proto;
  add_tf_input(&proto, "x", {2, 2});
  add_tf_floats(&proto, "w", {2, 2}, {-1.f, 0.f, 0.5f, 1.f});
  tf::NodeDef* node = add_tf_node(&proto, "FakeQuantWithMinMaxArgs", "q", {"w"});
  tf_attr(node, "min").set_f(-1);
  tf_attr(node, "max").set_f(1);
  tf_attr(node, "narrow_range").set_b(true);
  add_tf_node(&proto, "MatMul", "y", {"x", "q"});
  const Graph graph = load(proto);
  EXPECT_EQ(op_names(graph), (std::vector<std::string>{"DequantizeLinear", "MatMul"}));
  const Tensor& weights = graph.value(graph.node(graph.order()[0]).inputs[0]).facts.constant;
  ASSERT_EQ(weights.dtype(), DType::kS8);
  EXPECT_EQ(std::vector<int>(weights.data<int8_t>(), weights.data<int8_t>() + 4), (std::vector<int>{-127, 0, 64, 127}));
}

// Of two integers that are equally near QuantizeLinear takes the even one, as TensorFlow does only when it is told to.
TEST(TensorFlow, QuantizationRoundsAsItIsTold) {
  for (const char* ties : {"HALF_TO_EVEN", "HALF_AWAY_FROM_ZERO"}) {
    tf::GraphDef proto = relu_graph();
    add_tf_floats(&proto, "low", {}, {-127});
    add_tf_floats(&proto, "high", {}, {127});
    tf::NodeDef* node = proto.mutable_node(1);
    node->set_op("QuantizeV2");
    node->clear_attr();
    tf_attr(node, "T").set_type(11);
    tf_attr(node, "mode").set_s("SCALED");
    tf_attr(node, "round_mode").set_s(ties);
    node->add_input("low");
    node->add_input("high");
    add_tf_node(&proto, "Dequantize", "y", {"node", "node:1", "node:2"});
    tf_attr(&*proto.mutable_node()->rbegin(), "mode").set_s("SCALED");
    const Graph graph = load(proto);
    const std::vector<std::string> ops = op_names(graph);
    EXPECT_EQ(std::count(ops.begin(), ops.end(), "Sign"), std::string(ties) == "HALF_TO_EVEN" ? 0 : 1);
    EXPECT_EQ(std::count(ops.begin(), ops.end(), "QuantizeLinear"), 1);
  }
}

TEST(TensorFlow, FilesAreToldApart) {
  const auto kind = [](const std::string& bytes) { return tensorflow_kind(std::as_bytes(std::span(bytes))); };
  EXPECT_EQ(kind(relu_graph().SerializeAsString()), TfFile::kGraphDef);
  tf::SavedModel saved;
  saved.set_saved_model_schema_version(1);
  *saved.add_meta_graphs()->mutable_graph_def() = relu_graph();
  EXPECT_EQ(kind(saved.SerializeAsString()), TfFile::kSavedModel);
  EXPECT_EQ(kind(""), TfFile::kOther);
  EXPECT_EQ(kind("\x08\x08\x12\x01p\x3a\x00\x42\x00"), TfFile::kOther);  // ONNX: versions, producer, graph, opsets
  EXPECT_EQ(kind("any text at all"), TfFile::kOther);
}

TEST(TensorFlow, EachOperatorIsInOneFamily) {
  std::set<std::string> seen;
  for (const TfFamily& family : tf_families()) {
    for (const TfOp& op : family.ops) {
      EXPECT_TRUE(seen.insert(op.op).second) << op.op;
      EXPECT_EQ(find_tf_op(op.op), &op);
    }
  }
  for (const char* op : tf_control_ops()) EXPECT_TRUE(seen.insert(op).second) << op;
}

}  // namespace
}  // namespace neural_engine
