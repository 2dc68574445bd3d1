// If, Loop and Scan: bodies are closed, and captures are further operands.
#include <gtest/gtest.h>

#include "executor/evaluate.h"
#include "onnx_model.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using onnx::GraphProto;
using onnx::TensorProto;
using testing::add_body;
using testing::add_input;
using testing::add_node;
using testing::add_output;
using testing::empty_model;
using testing::float_tensor;
using testing::load;
using testing::load_error;
using testing::set_attr;
using testing::values;

std::vector<float> run(const Graph& graph, const std::vector<Tensor>& inputs) {
  return values<float>(evaluate_graph(graph, inputs)[0]);
}

// cond ? x + w : -z, of outer x, w (an initializer) and z.
onnx::ModelProto if_model() {
  onnx::ModelProto model = empty_model();
  GraphProto* graph = model.mutable_graph();
  add_input(graph, "cond", {}, TensorProto::BOOL);
  add_input(graph, "x", {2});
  add_input(graph, "z", {2});
  *graph->add_initializer() = float_tensor("w", {2}, {10, 20});
  onnx::NodeProto* node = add_node(graph, "If", {"cond"}, {"y"}, "choice");
  GraphProto* then_branch = add_body(node, "then_branch");
  add_node(then_branch, "Add", {"x", "w"}, {"sum"});
  add_output(then_branch, "sum");
  GraphProto* else_branch = add_body(node, "else_branch");
  add_node(else_branch, "Neg", {"z"}, {"sum"});
  add_output(else_branch, "sum");
  add_output(graph, "y");
  return model;
}

TEST(OnnxBodies, BranchesTakeAllCapturesInOneOrder) {
  const Graph graph = load(if_model());
  const Node& node = graph.node(0);
  ASSERT_EQ(node.inputs.size(), 3u);  // the condition, x and z; w is copied
  EXPECT_EQ(graph.value(node.inputs[1]).name, "x");
  EXPECT_EQ(graph.value(node.inputs[2]).name, "z");
  EXPECT_EQ(node.attr<int64_t>("num_captures"), 2);
  for (const char* branch : {"then_branch", "else_branch"}) {
    const Graph& body = *node.attr<GraphPtr>(branch);
    ASSERT_EQ(body.inputs().size(), 2u) << branch;
    EXPECT_EQ(body.value(body.inputs()[0]).name, "x");
    EXPECT_EQ(body.value(body.inputs()[1]).name, "z");
  }
}

TEST(OnnxBodies, BranchesRun) {
  const Graph graph = load(if_model());
  const Tensor x = Tensor::of<float>({2}, {1, 2}), z = Tensor::of<float>({2}, {3, 4});
  EXPECT_EQ(run(graph, {Tensor::scalar(true), x, z}), (std::vector<float>{11, 22}));
  EXPECT_EQ(run(graph, {Tensor::scalar(false), x, z}), (std::vector<float>{-3, -4}));
}

// Nested: the inner If captures x through the outer one.
TEST(OnnxBodies, CapturesPassThroughNestedBodies) {
  onnx::ModelProto model = empty_model();
  GraphProto* graph = model.mutable_graph();
  add_input(graph, "cond", {}, TensorProto::BOOL);
  add_input(graph, "x", {2});
  onnx::NodeProto* outer = add_node(graph, "If", {"cond"}, {"y"}, "outer");
  for (const char* branch : {"then_branch", "else_branch"}) {
    GraphProto* body = add_body(outer, branch);
    onnx::NodeProto* inner = add_node(body, "If", {"cond"}, {"r"}, "inner");
    for (const char* inner_branch : {"then_branch", "else_branch"}) {
      GraphProto* inner_body = add_body(inner, inner_branch);
      add_node(inner_body, inner_branch[0] == 't' ? "Neg" : "Abs", {"x"}, {"s"});
      add_output(inner_body, "s");
    }
    add_output(body, "r");
  }
  add_output(graph, "y");
  const Graph loaded = load(model);
  const Tensor x = Tensor::of<float>({2}, {-1, 2});
  EXPECT_EQ(run(loaded, {Tensor::scalar(true), x}), (std::vector<float>{1, -2}));
  EXPECT_EQ(run(loaded, {Tensor::scalar(false), x}), (std::vector<float>{1, 2}));
}

// v <- v + step, `trips` times; also returns each v.
onnx::ModelProto loop_model() {
  onnx::ModelProto model = empty_model();
  GraphProto* graph = model.mutable_graph();
  add_input(graph, "trips", {}, TensorProto::INT64);
  add_input(graph, "start", {2});
  add_input(graph, "step", {2});
  onnx::NodeProto* loop = add_node(graph, "Loop", {"trips", "", "start"}, {"end", "all"}, "loop");
  GraphProto* body = add_body(loop, "body");
  add_input(body, "i", {}, TensorProto::INT64);
  add_input(body, "c", {}, TensorProto::BOOL);
  add_input(body, "v", {2});
  add_node(body, "Identity", {"c"}, {"go_on"});
  add_node(body, "Add", {"v", "step"}, {"next"});
  add_node(body, "Identity", {"next"}, {"kept"});
  for (const char* output : {"go_on", "next", "kept"}) add_output(body, output);
  add_output(graph, "end");
  add_output(graph, "all");
  return model;
}

TEST(OnnxBodies, LoopRuns) {
  const Graph graph = load(loop_model());
  const Node& node = graph.node(0);
  EXPECT_EQ(node.attr<int64_t>("num_carried"), 1);
  EXPECT_EQ(node.attr<int64_t>("num_captures"), 1);
  ASSERT_EQ(node.inputs.size(), 4u);
  EXPECT_EQ(node.inputs[1], kNoValue);
  const std::vector<Tensor> result = evaluate_graph(
      graph,
      std::vector<Tensor>{Tensor::scalar<int64_t>(3), Tensor::of<float>({2}, {0, 1}), Tensor::of<float>({2}, {1, 10})});
  EXPECT_EQ(values<float>(result[0]), (std::vector<float>{3, 31}));
  EXPECT_EQ(values<float>(result[1]), (std::vector<float>{1, 11, 2, 21, 3, 31}));
}

TEST(OnnxBodies, OutputsThatNobodyWantsMayBeLeftOut) {
  onnx::ModelProto model = loop_model();
  model.mutable_graph()->mutable_node(0)->mutable_output()->RemoveLast();
  model.mutable_graph()->mutable_output()->RemoveLast();
  const Graph graph = load(model);
  EXPECT_EQ(graph.node(0).outputs.size(), 2u);
  EXPECT_EQ(graph.node(0).outputs[1], kNoValue);
}

// Running sums along the sequence; at opset 8 every operand has a batch dimension in front.
onnx::ModelProto scan_model(int64_t opset) {
  onnx::ModelProto model = empty_model(opset);
  GraphProto* graph = model.mutable_graph();
  std::vector<std::string> inputs = {"zero", "x"};
  if (opset < 9) inputs.insert(inputs.begin(), "");
  add_input(graph, "zero", opset < 9 ? std::vector<testing::TestDim>{2, 1} : std::vector<testing::TestDim>{1});
  add_input(graph, "x", opset < 9 ? std::vector<testing::TestDim>{2, 3, 1} : std::vector<testing::TestDim>{3, 1});
  onnx::NodeProto* scan = add_node(graph, "Scan", inputs, {"sum", "sums"}, "scan");
  set_attr(scan, "num_scan_inputs", int64_t{1});
  GraphProto* body = add_body(scan, "body");
  add_input(body, "s", {1});
  add_input(body, "e", {1});
  add_node(body, "Add", {"s", "e"}, {"t"});
  add_node(body, "Identity", {"t"}, {"u"});
  add_output(body, "t");
  add_output(body, "u");
  add_output(graph, "sums");
  add_output(graph, "sum");
  return model;
}

TEST(OnnxBodies, ScanRuns) {
  const Graph graph = load(scan_model(9));
  EXPECT_EQ(run(graph, {Tensor::of<float>({1}, {0}), Tensor::of<float>({3, 1}, {1, 2, 3})}),
            (std::vector<float>{1, 3, 6}));
}

TEST(OnnxBodies, ScanOfVersion8RunsForEachElementOfTheBatch) {
  const Graph graph = load(scan_model(8));
  const std::vector<Tensor> result = evaluate_graph(
      graph,
      std::vector<Tensor>{Tensor::of<float>({2, 1}, {0, 100}), Tensor::of<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6})});
  EXPECT_EQ(result[0].shape(), (Shape{2, 3, 1}));
  EXPECT_EQ(values<float>(result[0]), (std::vector<float>{1, 3, 6, 104, 109, 115}));
  EXPECT_EQ(values<float>(result[1]), (std::vector<float>{6, 115}));
}

TEST(OnnxBodies, BadOnesAreRefused) {
  const auto expect = [](onnx::ModelProto model, auto&& spoil, const char* expected) {
    spoil(model);
    const std::string message = load_error(model);
    EXPECT_NE(message.find(expected), std::string::npos) << message << "\n  expected " << expected;
  };
  const auto branch = [](onnx::ModelProto& m) {
    return m.mutable_graph()->mutable_node(0)->mutable_attribute(0)->mutable_g();
  };
  expect(
      if_model(), [&](auto& m) { branch(m)->mutable_node(0)->set_input(0, "none"); },
      "node \"choice\" (If): value \"none\" is not defined before its use");
  expect(
      if_model(), [&](auto& m) { branch(m)->mutable_node(0)->set_op_type("Sub2"); },
      "node \"choice\" (If): then_branch: node \"sum\" (Sub2): operator Sub2 of domain");
  expect(
      if_model(), [](auto& m) { m.mutable_graph()->mutable_node(0)->mutable_attribute()->RemoveLast(); },
      "node \"choice\" (If): attribute \"else_branch\" is missing");
  expect(
      if_model(), [](auto& m) { add_body(m.mutable_graph()->mutable_node(0), "third_branch"); },
      "node \"choice\" (If): attribute \"third_branch\": has type GRAPH");
  expect(
      if_model(), [](auto& m) { set_attr(m.mutable_graph()->mutable_node(0), "num_captures", int64_t{0}); },
      "attribute \"num_captures\" is not one of the operator's");
  expect(
      if_model(),
      [](auto& m) {
        onnx::AttributeProto* attribute = m.mutable_graph()->mutable_node(0)->mutable_attribute(0);
        attribute->clear_g();
        attribute->set_type(onnx::AttributeProto::INT);
        attribute->set_i(1);
      },
      "attribute \"then_branch\" has type INT, expected GRAPH");
  expect(
      if_model(), [&](auto& m) { add_input(branch(m), "extra"); },
      "then_branch: the body has 1 inputs, the node feeds 0");
  expect(
      loop_model(), [](auto& m) { m.mutable_graph()->mutable_node(0)->add_input("step"); },
      "node \"loop\" (Loop): body: the body has 3 inputs, the node feeds 4");
  expect(
      scan_model(8),
      [](auto& m) {
        testing::add_input(m.mutable_graph(), "lengths", {2}, TensorProto::INT64);
        m.mutable_graph()->mutable_node(0)->set_input(0, "lengths");
      },
      "sequence_lens is given, only sequences of full length are supported");
}

// Shapes that go round among many carried values take as many rounds to become unknown; nested Loops would multiply
// that.
TEST(OnnxBodies, InferenceIsBounded) {
  constexpr int kCarried = 40;
  onnx::ModelProto model = empty_model();
  std::vector<std::string> outer, inner;
  for (int i = 0; i < kCarried; ++i) {
    outer.push_back("x" + std::to_string(i));
    add_input(model.mutable_graph(), outer.back(), {i + 1});
  }
  add_input(model.mutable_graph(), "m", {}, TensorProto::INT64);
  GraphProto* graph = model.mutable_graph();
  for (int depth = 0; depth < 8; ++depth) {
    const std::string prefix = std::string(1, static_cast<char>('a' + depth));
    std::vector<std::string> inputs = {"m", ""}, outputs;
    for (int i = 0; i < kCarried; ++i) {
      inputs.push_back(outer[static_cast<size_t>(i)]);
      outputs.push_back(prefix + "_out" + std::to_string(i));
    }
    onnx::NodeProto* loop = add_node(graph, "Loop", inputs, outputs);
    for (int i = 0; depth == 0 && i < kCarried; ++i) add_output(graph, outputs[static_cast<size_t>(i)]);
    // The body returns its carried values in turn, here or through the Loop within.
    if (depth > 0) {
      for (int i = 0; i < kCarried; ++i) add_output(graph, outputs[static_cast<size_t>((i + 1) % kCarried)]);
    }
    graph = add_body(loop, "body");
    add_input(graph, prefix + "i", {}, TensorProto::INT64);
    add_input(graph, prefix + "c", {}, TensorProto::BOOL);
    add_node(graph, "Identity", {prefix + "c"}, {prefix + "g"});
    add_output(graph, prefix + "g");
    for (int i = 0; i < kCarried; ++i) {
      outer[static_cast<size_t>(i)] = prefix + std::to_string(i);
      add_input(graph, outer[static_cast<size_t>(i)], {1});
    }
  }
  for (int i = 0; i < kCarried; ++i) add_output(graph, outer[static_cast<size_t>((i + 1) % kCarried)]);
  EXPECT_EQ(load_error(model), "");
}

TEST(OnnxBodies, NestingIsBounded) {
  onnx::ModelProto model = empty_model();
  GraphProto* graph = model.mutable_graph();
  add_input(graph, "cond", {}, TensorProto::BOOL);
  add_input(graph, "x", {2});
  for (int depth = 0; depth < 20; ++depth) {
    onnx::NodeProto* node = add_node(graph, "If", {"cond"}, {"y"});
    GraphProto* other = add_body(node, "else_branch");
    add_output(other, "x");
    add_output(graph, "y");
    graph = add_body(node, "then_branch");
  }
  add_output(graph, "x");
  EXPECT_NE(load_error(model).find("bodies are nested more than 8 deep"), std::string::npos);
}

}  // namespace
}  // namespace neural_engine
