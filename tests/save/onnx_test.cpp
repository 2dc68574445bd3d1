// What is written as ONNX is read back as the same model.
#include "save/onnx.h"

#include <gtest/gtest.h>

#include <fstream>

#include "load/onnx_model.h"
#include "passes/graph_maker.h"

namespace neural_engine {
namespace {

using testing::GraphMaker;

Graph reloaded(const Graph& graph) {
  const std::string bytes = serialize_onnx(graph);
  return load_onnx(std::as_bytes(std::span(bytes)), "");
}

onnx::ModelProto written(const Graph& graph) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(serialize_onnx(graph)));
  return model;
}

TEST(SaveOnnx, FusedOpsAreSpelledOut) {
  GraphMaker m;
  const ValueId x = m.input("x", {Dim::symbol("batch"), Dim::symbol("seq"), 8});
  const ValueId y = m.op("FusedMatMul", {x, m.floats({8, 8}, 1), m.floats({8}, 2), x},
                         {{"post_ops", std::vector<std::string>{"gelu_erf", "add"}}});
  m.output(m.op("Swish", {y}, {{"alpha", 1.5f}}));
  infer_graph(m.graph);
  const Graph again = reloaded(m.graph);
  EXPECT_EQ(again.value(again.inputs()[0]).name, "x");
  EXPECT_EQ(again.outputs()[0].name, "out0");
  EXPECT_EQ(to_string(*again.value(again.inputs()[0]).facts.shape), "[batch,seq,8]");
  testing::expect_same_results(again, m.graph, testing::random_inputs(m.graph, {2, 3}));
}

TEST(SaveOnnx, InputsConstantsAndRepetitionsAsOutputs) {
  GraphMaker m;
  const ValueId x = m.input("x", {2});
  const ValueId y = m.op("Relu", {x});
  for (ValueId value : {x, m.floats({3}, 1), y, y}) m.output(value);
  infer_graph(m.graph);
  const Graph again = reloaded(m.graph);
  ASSERT_EQ(again.outputs().size(), 4u);
  EXPECT_EQ(again.outputs()[3].name, "out3");
  testing::expect_same_results(again, m.graph, testing::random_inputs(m.graph, {}));
}

TEST(SaveOnnx, BodiesSeeTheNamesAroundThem) {
  onnx::ModelProto model = testing::empty_model();
  onnx::GraphProto* graph = model.mutable_graph();
  testing::add_input(graph, "x");
  testing::add_input(graph, "chosen", {}, onnx::TensorProto::BOOL);
  testing::add_node(graph, "Neg", {"x"}, {"y"});
  onnx::NodeProto* branch = testing::add_node(graph, "If", {"chosen"}, {"z"}, "branch");
  onnx::GraphProto* then_body = testing::add_body(branch, "then_branch");
  testing::add_node(then_body, "Abs", {"y"}, {"a"});
  testing::add_output(then_body, "a");
  onnx::GraphProto* else_body = testing::add_body(branch, "else_branch");
  testing::add_node(else_body, "Add", {"x", "y"}, {"a"});
  testing::add_output(else_body, "a");
  testing::add_output(graph, "z");
  const Graph first = testing::load(model), again = reloaded(first);
  for (bool chosen : {false, true}) {
    const std::vector<Tensor> inputs = {testing::random_floats({2, 3}, 1), Tensor::scalar<bool>(chosen)};
    testing::expect_same_results(again, first, inputs);
  }
}

TEST(SaveOnnx, LoopsKeepWhatTheyCarry) {
  onnx::ModelProto model = testing::empty_model();
  onnx::GraphProto* graph = model.mutable_graph();
  testing::add_input(graph, "x");
  *graph->add_initializer() = testing::int_tensor("rounds", {3});
  onnx::NodeProto* loop = testing::add_node(graph, "Loop", {"rounds", "", "x"}, {"last", "all"}, "loop");
  onnx::GraphProto* body = testing::add_body(loop, "body");
  testing::set_type(body->add_input(), "i", {}, onnx::TensorProto::INT64);
  testing::set_type(body->add_input(), "go", {}, onnx::TensorProto::BOOL);
  testing::add_input(body, "carried");
  testing::add_node(body, "Identity", {"go"}, {"go_on"});
  testing::add_node(body, "Add", {"carried", "x"}, {"sum"});
  testing::add_node(body, "Identity", {"sum"}, {"scanned"});
  for (const char* name : {"go_on", "sum", "scanned"}) testing::add_output(body, name);
  testing::add_output(graph, "last");
  testing::add_output(graph, "all");
  const Graph first = testing::load(model);
  testing::expect_same_results(reloaded(first), first, {testing::random_floats({2, 3}, 1)});
}

TEST(SaveOnnx, TheOpsetIsTheFirstThatHasAllOperators) {
  GraphMaker m;
  m.output(m.op("Relu", {m.input("x", {2, 4})}));
  infer_graph(m.graph);
  EXPECT_EQ(written(m.graph).opset_import(0).version(), 21);
  GraphMaker late;
  late.output(late.op("RMSNormalization", {late.input("x", {2, 4}), late.floats({4}, 1)}));
  infer_graph(late.graph);
  EXPECT_EQ(written(late.graph).opset_import(0).version(), 23);
}

TEST(SaveOnnx, DefaultAttributesAreLeftOut) {
  GraphMaker m;
  const ValueId x = m.input("x", {2, 4});
  const ValueId scale = m.number(0.1f);
  m.output(m.op("QuantizeLinear", {x, scale, m.constant(Tensor::scalar<uint8_t>(3))}));
  infer_graph(m.graph);
  EXPECT_EQ(written(m.graph).graph().node(0).attribute_size(), 0);
}

TEST(SaveOnnx, TheSameGraphGivesTheSameBytesAndTheFileIsWhole) {
  GraphMaker m;
  m.output(m.matmul(m.input("x", {2, 4}), m.floats({4, 4}, 1)));
  infer_graph(m.graph);
  EXPECT_EQ(serialize_onnx(m.graph), serialize_onnx(m.graph));
  const testing::TemporaryFolder folder;
  save_onnx(m.graph, folder.path() + "/model.onnx");
  testing::expect_same_results(load_onnx(folder.path() + "/model.onnx"), m.graph, {testing::random_floats({2, 4}, 2)});
  EXPECT_THROW(save_onnx(m.graph, folder.path() + "/no/model.onnx"), Error);
}

}  // namespace
}  // namespace neural_engine
