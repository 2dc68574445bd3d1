// Operators of old opsets: what they compute.
#include "load/onnx_legacy.h"

#include <gtest/gtest.h>

#include "executor/evaluate.h"
#include "onnx_model.h"
#include "op_tester.h"

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
using testing::values;
using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;

// One node of x (and constants) -> y.
struct OldNode {
  onnx::ModelProto model;
  NodeProto* node;

  OldNode(int64_t opset, const std::string& op, const std::vector<onnx::TensorProto>& constants = {},
          const std::vector<std::string>& outputs = {"y"}, const std::vector<testing::TestDim>& dims = {2, 3})
      : model(empty_model(opset)) {
    add_input(model.mutable_graph(), "x", dims);
    std::vector<std::string> inputs = {"x"};
    for (const onnx::TensorProto& constant : constants) {
      *model.mutable_graph()->add_initializer() = constant;
      inputs.push_back(constant.name());
    }
    node = add_node(model.mutable_graph(), op, inputs, outputs, "old");
    for (const std::string& output : outputs) add_output(model.mutable_graph(), output);
  }

  std::vector<Tensor> run(const Tensor& x) const { return evaluate_graph(load(model), std::vector<Tensor>{x}); }
};

Tensor six(Shape shape = {2, 3}) { return Tensor::of<float>(std::move(shape), Floats{1, 2, 3, 4, 5, 6}); }

TEST(OnnxLegacy, AttributesThatBecameInputs) {
  OldNode slice(7, "Slice");
  set_attr(slice.node, "starts", Ints{1});
  set_attr(slice.node, "ends", Ints{3});
  set_attr(slice.node, "axes", Ints{1});
  EXPECT_EQ(values<float>(slice.run(six())[0]), (Floats{2, 3, 5, 6}));

  OldNode squeeze(11, "Squeeze", {}, {"y"}, {2, 1, 3});
  set_attr(squeeze.node, "axes", Ints{1});
  EXPECT_EQ(squeeze.run(six({2, 1, 3}))[0].shape(), (Shape{2, 3}));

  OldNode unsqueeze(11, "Unsqueeze");
  set_attr(unsqueeze.node, "axes", Ints{0, 3});
  EXPECT_EQ(unsqueeze.run(six())[0].shape(), (Shape{1, 2, 3, 1}));

  OldNode reduce(13, "ReduceMean");
  set_attr(reduce.node, "axes", Ints{1});
  set_attr(reduce.node, "keepdims", int64_t{0});
  EXPECT_EQ(values<float>(reduce.run(six())[0]), (Floats{2, 5}));
  EXPECT_EQ(values<float>(OldNode(11, "ReduceSum").run(six())[0]), (Floats{21}));

  OldNode pad(10, "Pad");
  set_attr(pad.node, "pads", Ints{0, 1, 0, 0});
  set_attr(pad.node, "value", 9.f);
  EXPECT_EQ(values<float>(pad.run(six())[0]), (Floats{9, 1, 2, 3, 9, 4, 5, 6}));

  OldNode top(9, "TopK", {}, {"y", "i"});
  set_attr(top.node, "k", int64_t{1});
  EXPECT_EQ(values<float>(top.run(six())[0]), (Floats{3, 6}));

  OldNode clip(10, "Clip");
  set_attr(clip.node, "max", 4.f);
  EXPECT_EQ(values<float>(clip.run(six())[0]), (Floats{1, 2, 3, 4, 4, 4}));
}

TEST(OnnxLegacy, SplitsIntoGivenOrEqualParts) {
  OldNode split(11, "Split", {}, {"a", "b"});
  set_attr(split.node, "axis", int64_t{1});
  set_attr(split.node, "split", Ints{1, 2});
  EXPECT_EQ(values<float>(split.run(six())[1]), (Floats{2, 3, 5, 6}));
  OldNode equal(11, "Split", {}, {"a", "b"});
  EXPECT_EQ(values<float>(equal.run(six())[1]), (Floats{4, 5, 6}));
}

// Rows are all dimensions before the axis, columns all from it on.
TEST(OnnxLegacy, SoftmaxSeesAMatrix) {
  const Tensor x = Tensor::of<float>({1, 2, 2}, Floats{0, 0, 0, 0});
  OldNode matrix(11, "Softmax", {}, {"y"}, {1, 2, 2});
  set_attr(matrix.node, "axis", int64_t{1});
  EXPECT_EQ(values<float>(matrix.run(x)[0]), (Floats{0.25f, 0.25f, 0.25f, 0.25f}));
  EXPECT_EQ(matrix.run(x)[0].shape(), (Shape{1, 2, 2}));
  OldNode last(11, "Softmax", {}, {"y"}, {1, 2, 2});
  set_attr(last.node, "axis", int64_t{2});
  EXPECT_EQ(values<float>(last.run(x)[0]), (Floats{0.5f, 0.5f, 0.5f, 0.5f}));
  EXPECT_EQ(testing::op_names(load(last.model)), (std::vector<std::string>{"Softmax"}));
}

TEST(OnnxLegacy, DropoutKeepsAll) {
  OldNode dropout(7, "Dropout", {}, {"y", "mask"});
  set_attr(dropout.node, "ratio", 0.5f);
  const std::vector<Tensor> result = dropout.run(six());
  EXPECT_EQ(values<float>(result[0]), (Floats{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(values<float>(result[1]), (Floats{1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(OldNode(10, "Dropout", {}, {"y", "mask"}).run(six())[1].dtype(), DType::kBool);
}

// Version 9 knows no negative indices.
TEST(OnnxLegacy, OneHotOfNegativeIndicesIsOff) {
  onnx::ModelProto model = empty_model(9);
  add_input(model.mutable_graph(), "i", {3}, onnx::TensorProto::INT64);
  *model.mutable_graph()->add_initializer() = testing::int_tensor("depth", {2});
  *model.mutable_graph()->add_initializer() = float_tensor("off_on", {2}, {0, 1});
  add_node(model.mutable_graph(), "OneHot", {"i", "depth", "off_on"}, {"y"});
  add_output(model.mutable_graph(), "y");
  const std::vector<Tensor> result =
      evaluate_graph(load(model), std::vector<Tensor>{Tensor::of<int64_t>({3}, {-1, 0, 1})});
  EXPECT_EQ(values<float>(result[0]), (Floats{0, 0, 1, 0, 0, 1}));
}

// Nearest neighbours: floor where a dimension grows, ceil where it shrinks.
TEST(OnnxLegacy, ResizesEachDimensionByItsOwnRule) {
  const Tensor x = Tensor::of<float>({2, 4}, Floats{1, 2, 3, 4, 5, 6, 7, 8});
  const auto resized = [&](int64_t opset, const char* op, const Floats& scales) {
    OldNode node(opset, op, {float_tensor("scales", {2}, scales)}, {"y"}, {2, 4});
    set_attr(node.node, "mode", "nearest");
    return values<float>(node.run(x)[0]);
  };
  EXPECT_EQ(resized(10, "Resize", {1, 0.6f}), (Floats{1, 3, 5, 7}));
  EXPECT_EQ(resized(10, "Resize", {2, 0.6f}), (Floats{1, 3, 1, 3, 5, 7, 5, 7}));
  EXPECT_EQ(resized(9, "Upsample", {1, 2}), (Floats{1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8}));

  OldNode upsample(7, "Upsample", {}, {"y"}, {2, 4});
  set_attr(upsample.node, "scales", Floats{2, 1});
  EXPECT_EQ(values<float>(upsample.run(x)[0]), (Floats{1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8}));
}

TEST(OnnxLegacy, BadOnesAreRefused) {
  const auto expect = [](const OldNode& old, const char* expected) {
    const std::string message = load_error(old.model);
    EXPECT_NE(message.find(expected), std::string::npos) << message << "\n  expected " << expected;
  };
  expect(OldNode(7, "Slice"), "node \"old\" (Slice): attribute \"starts\" is missing");
  OldNode wrong(11, "Squeeze");
  set_attr(wrong.node, "axes", 1.f);
  expect(wrong, "node \"old\" (Squeeze): attribute \"axes\" has type float, expected ints");
  OldNode extra(11, "Squeeze");
  set_attr(extra.node, "axis", int64_t{1});
  expect(extra, "node \"old\" (Squeeze): attribute \"axis\" is not one of the operator's at opset 11");
  OldNode cubic(10, "Resize", {float_tensor("scales", {2}, {1, 1})});
  set_attr(cubic.node, "mode", "cubic");
  expect(cubic, "mode \"cubic\" found, supported: nearest, linear");

  const auto vector = [](const char* name) { return float_tensor(name, {3}, {1, 1, 1}); };
  const std::vector<onnx::TensorProto> parameters = {vector("s"), vector("b"), vector("m"), vector("v")};
  expect(OldNode(9, "BatchNormalization", parameters, {"y", "mean"}), "output 1 is used, which is for training");
  OldNode spatial(7, "BatchNormalization", parameters);
  set_attr(spatial.node, "spatial", int64_t{0});
  expect(spatial, "spatial 0 found, 1 is supported");
}

// Opset 6 spreads the second operand from an axis on, and only when told to.
TEST(OnnxLegacy, SpreadingByAxis) {
  OldNode add(6, "Add", {float_tensor("b", {2}, {10, 20})});
  set_attr(add.node, "broadcast", int64_t{1});
  set_attr(add.node, "axis", int64_t{0});
  EXPECT_EQ(values<float>(add.run(six())[0]), (Floats{11, 12, 13, 24, 25, 26}));

  OldNode prelu(6, "PRelu", {float_tensor("slope", {2}, {2, 3})}, {"y"}, {1, 2, 3});
  EXPECT_EQ(values<float>(prelu.run(Tensor::of<float>({1, 2, 3}, Floats{-1, 2, -3, -4, 5, -6}))[0]),
            (Floats{-2, 2, -6, -12, 5, -18}));

  const auto expect = [](const OldNode& node, const std::string& message) {
    EXPECT_NE(load_error(node.model).find(message), std::string::npos) << load_error(node.model);
  };
  expect(OldNode(6, "Mul", {float_tensor("b", {3}, {1, 2, 3})}), "operands of ranks 2 and 1 found");
  OldNode beyond(6, "Mul", {float_tensor("b", {3}, {1, 2, 3})});
  set_attr(beyond.node, "broadcast", int64_t{1});
  set_attr(beyond.node, "axis", int64_t{2});
  expect(beyond, "axis 2 found for operands of ranks 2 and 1");
  expect(OldNode(6, "Dropout"), "is_test 0 found, which is for training");
}

// Rules name ops that exist, and no operator has two forms at one opset.
TEST(OnnxLegacy, RulesDoNotOverlap) {
  for (const char* op : {"Slice", "Clip", "Softmax", "Resize", "ReduceSum", "TopK", "Scan"}) {
    for (int opset = 7; opset <= kMaxOnnxOpset; ++opset) {
      EXPECT_FALSE(find_onnx_op("", op, opset) != nullptr && find_legacy_rule("", op, opset) != nullptr)
          << op << " at opset " << opset;
    }
  }
}

}  // namespace
}  // namespace neural_engine
