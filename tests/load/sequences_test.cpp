// Sequences, which the loader resolves.
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
using testing::int_tensor;
using testing::load;
using testing::load_error;
using testing::op_names;
using testing::set_attr;
using testing::values;

TensorProto scalar(const std::string& name, int64_t value) {
  TensorProto tensor = int_tensor(name, {value});
  tensor.clear_dims();
  return tensor;
}

// x [2,3] as the sequence (x, -x); "seq" is its name.
onnx::ModelProto pair_model() {
  onnx::ModelProto model = empty_model();
  add_input(model.mutable_graph(), "x");
  add_node(model.mutable_graph(), "Neg", {"x"}, {"n"});
  add_node(model.mutable_graph(), "SequenceConstruct", {"x", "n"}, {"seq"}, "pair");
  *model.mutable_graph()->add_initializer() = scalar("first", 0);
  *model.mutable_graph()->add_initializer() = scalar("last", -1);
  return model;
}

std::vector<float> run(const onnx::ModelProto& model) {
  const Tensor x = Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  return values<float>(evaluate_graph(load(model), std::vector<Tensor>{x})[0]);
}

TEST(OnnxSequences, ElementsAreValues) {
  onnx::ModelProto model = pair_model();
  add_node(model.mutable_graph(), "Identity", {"seq"}, {"same"});
  add_node(model.mutable_graph(), "SequenceAt", {"same", "last"}, {"y"});
  add_output(model.mutable_graph(), "y");
  EXPECT_EQ(op_names(load(model)), (std::vector<std::string>{"Neg"}));
  EXPECT_EQ(run(model), (std::vector<float>{-1, -2, -3, -4, -5, -6}));
}

TEST(OnnxSequences, ListsAreChanged) {
  onnx::ModelProto model = pair_model();
  GraphProto* graph = model.mutable_graph();
  add_node(graph, "SequenceErase", {"seq", "first"}, {"one"});          // (-x)
  add_node(graph, "SequenceInsert", {"one", "x"}, {"two"});             // (-x, x)
  add_node(graph, "SequenceInsert", {"two", "x", "first"}, {"three"});  // (x, -x, x)
  add_node(graph, "SequenceLength", {"three"}, {"length"});
  set_attr(add_node(graph, "ConcatFromSequence", {"three"}, {"y"}), "axis", int64_t{1});
  add_output(graph, "y");
  add_output(graph, "length");
  EXPECT_EQ(run(model), (std::vector<float>{1, 2, 3, -1, -2, -3, 1, 2, 3, 4, 5, 6, -4, -5, -6, 4, 5, 6}));
  const Graph loaded = load(model);
  EXPECT_EQ(values<int64_t>(loaded.value(loaded.outputs()[1].value).facts.constant), (std::vector<int64_t>{3}));
}

TEST(OnnxSequences, ConcatenatesAlongANewAxis) {
  onnx::ModelProto model = pair_model();
  onnx::NodeProto* node = add_node(model.mutable_graph(), "ConcatFromSequence", {"seq"}, {"y"});
  set_attr(node, "axis", int64_t{-1});
  set_attr(node, "new_axis", int64_t{1});
  add_output(model.mutable_graph(), "y");
  EXPECT_EQ(run(model), (std::vector<float>{1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6}));
}

TEST(OnnxSequences, AreSplitFromTensors) {
  for (const bool scalar_split : {true, false}) {
    onnx::ModelProto model = empty_model();
    GraphProto* graph = model.mutable_graph();
    add_input(graph, "x");
    *graph->add_initializer() = scalar_split ? scalar("split", 2) : int_tensor("split", {2, 1});
    *graph->add_initializer() = scalar("one", 1);
    set_attr(add_node(graph, "SplitToSequence", {"x", "split"}, {"seq"}), "axis", int64_t{1});
    add_node(graph, "SequenceAt", {"seq", "one"}, {"y"});
    add_output(graph, "y");
    EXPECT_EQ(run(model), (std::vector<float>{3, 6}));
  }
}

// Along a dimension that is not known.
TEST(OnnxSequences, AreUnbound) {
  onnx::ModelProto model = empty_model();
  GraphProto* graph = model.mutable_graph();
  add_input(graph, "x", {"n", 3});
  *graph->add_initializer() = scalar("last", -1);
  set_attr(add_node(graph, "SplitToSequence", {"x"}, {"seq"}), "keepdims", int64_t{0});
  add_node(graph, "SequenceAt", {"seq", "last"}, {"y"});
  add_node(graph, "SequenceLength", {"seq"}, {"length"});
  add_output(graph, "y");
  add_output(graph, "length");
  EXPECT_EQ(run(model), (std::vector<float>{4, 5, 6}));
}

// Appends v, 2v, 3v ... `trips` times, of v [1,2]; also carries the sum. "seq" is the sequence.
onnx::ModelProto loop_model() {
  onnx::ModelProto model = empty_model();
  GraphProto* graph = model.mutable_graph();
  add_input(graph, "trips", {}, TensorProto::INT64);
  add_input(graph, "v", {1, 2});
  add_node(graph, "SequenceEmpty", {}, {"none"});
  onnx::NodeProto* loop = add_node(graph, "Loop", {"trips", "", "none", "v"}, {"seq", "next"}, "loop");
  GraphProto* body = add_body(loop, "body");
  add_input(body, "i", {}, TensorProto::INT64);
  add_input(body, "c", {}, TensorProto::BOOL);
  body->add_input()->set_name("before");
  add_input(body, "s", {1, 2});
  add_node(body, "Identity", {"c"}, {"go_on"});
  add_node(body, "SequenceInsert", {"before", "s"}, {"after"});
  add_node(body, "Add", {"s", "v"}, {"sum"});
  for (const char* output : {"go_on", "after", "sum"}) add_output(body, output);
  return model;
}

std::vector<Tensor> run_loop(const onnx::ModelProto& model) {
  return evaluate_graph(load(model),
                        std::vector<Tensor>{Tensor::scalar<int64_t>(3), Tensor::of<float>({1, 2}, {1, 10})});
}

TEST(OnnxSequences, WhatALoopAppendsIsStacked) {
  const struct {
    int64_t axis;
    int64_t new_axis;
    Shape shape;
    std::vector<float> expected;
  } cases[] = {
      {0, 0, {3, 2}, {1, 10, 2, 20, 3, 30}},    {1, 0, {1, 6}, {1, 10, 2, 20, 3, 30}},
      {-1, 0, {1, 6}, {1, 10, 2, 20, 3, 30}},   {0, 1, {3, 1, 2}, {1, 10, 2, 20, 3, 30}},
      {2, 1, {1, 2, 3}, {1, 2, 3, 10, 20, 30}}, {-1, 1, {1, 2, 3}, {1, 2, 3, 10, 20, 30}},
  };
  for (const auto& each : cases) {
    onnx::ModelProto model = loop_model();
    onnx::NodeProto* concat = add_node(model.mutable_graph(), "ConcatFromSequence", {"seq"}, {"y"});
    set_attr(concat, "axis", each.axis);
    set_attr(concat, "new_axis", each.new_axis);
    add_output(model.mutable_graph(), "y");
    add_output(model.mutable_graph(), "next");
    const std::vector<Tensor> result = run_loop(model);
    EXPECT_EQ(result[0].shape(), each.shape);
    EXPECT_EQ(values<float>(result[0]), each.expected);
    EXPECT_EQ(values<float>(result[1]), (std::vector<float>{4, 40}));
  }
}

TEST(OnnxSequences, ElementsOfALoopAreFound) {
  onnx::ModelProto model = loop_model();
  *model.mutable_graph()->add_initializer() = scalar("last", -1);
  add_node(model.mutable_graph(), "SequenceAt", {"seq", "last"}, {"y"});
  add_node(model.mutable_graph(), "SequenceLength", {"seq"}, {"length"});
  add_output(model.mutable_graph(), "y");
  add_output(model.mutable_graph(), "length");
  const std::vector<Tensor> result = run_loop(model);
  EXPECT_EQ(values<float>(result[0]), (std::vector<float>{3, 30}));
  EXPECT_EQ(values<int64_t>(result[1]), (std::vector<int64_t>{3}));
  EXPECT_EQ(result[1].rank(), 0);
}

TEST(OnnxSequences, OthersAreRefused) {
  const auto expect = [](onnx::ModelProto model, auto&& spoil, const char* expected) {
    spoil(model.mutable_graph());
    const std::string message = load_error(model);
    EXPECT_NE(message.find(expected), std::string::npos) << message << "\n  expected " << expected;
  };
  expect(
      pair_model(), [](GraphProto* g) { add_output(g, "seq"); },
      "output \"seq\": value \"seq\" is a sequence, which is not supported here");
  expect(
      pair_model(), [](GraphProto* g) { add_node(g, "Relu", {"seq"}, {"y"}); }, "value \"seq\" is a sequence");
  expect(
      pair_model(), [](GraphProto* g) { add_node(g, "SequenceLength", {"x"}, {"y"}); }, "input 0 is not a sequence");
  expect(
      pair_model(),
      [](GraphProto* g) {
        *g->add_initializer() = scalar("two", 2);
        add_node(g, "SequenceAt", {"seq", "two"}, {"y"});
      },
      "position 2 found in a sequence of 2");
  expect(
      pair_model(),
      [](GraphProto* g) {
        add_input(g, "i", {}, TensorProto::INT64);
        add_node(g, "SequenceAt", {"seq", "i"}, {"y"});
      },
      "the position is not a constant");
  expect(
      pair_model(), [](GraphProto* g) { add_node(g, "ConcatFromSequence", {"seq"}, {"y"}); },
      "attribute \"axis\" is missing");
  expect(
      pair_model(), [](GraphProto* g) { set_attr(add_node(g, "SequenceEmpty", {}, {"e"}, "e"), "size", int64_t{1}); },
      "node \"e\" (SequenceEmpty): attribute \"size\" is not one of the operator's");
  expect(
      loop_model(),
      [](GraphProto* g) { g->mutable_node(1)->mutable_attribute(0)->mutable_g()->mutable_node(1)->add_input("i"); },
      "node \"loop\" (Loop): the sequence \"before\" is carried by the Loop; supported is one that each iteration");
  expect(
      loop_model(),
      [](GraphProto* g) {
        add_node(g, "SequenceInsert", {"seq", "v"}, {"more"});
      },
      "a sequence whose length is not known cannot be changed");
}

}  // namespace
}  // namespace neural_engine
