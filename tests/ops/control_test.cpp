// Inference of If, Loop and Scan.
#include <gtest/gtest.h>

#include "ir/infer.h"

namespace neural_engine {
namespace {

Dim sym(const char* text) { return Dim::symbol(text); }

std::string shape_of(const Facts& facts) { return facts.shape ? to_string(*facts.shape) : "none"; }

// A body of one node: inputs of unknown shapes, the node's outputs (or an input) as outputs.
struct Body {
  Graph graph;

  ValueId input(DType dtype = DType::kF32) { return graph.add_input("", dtype, std::nullopt); }
  ValueId ints(const std::vector<int64_t>& values) {
    return graph.add_constant(Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
  }
  ValueId op(const char* name, std::vector<ValueId> inputs, Attrs attrs = {}) {
    return graph.node(graph.add_node(op_def(name), std::move(inputs), std::move(attrs))).outputs[0];
  }
  Body& output(ValueId value) {
    graph.add_output("out" + std::to_string(graph.outputs().size()), value);
    return *this;
  }
  GraphPtr done() { return std::make_shared<const Graph>(std::move(graph)); }
};

std::vector<Facts> infer(const char* op, const std::vector<Facts>& inputs, const Attrs& attrs, int outputs) {
  Graph graph;
  std::vector<ValueId> operands;
  std::vector<const Facts*> facts;
  for (const Facts& input : inputs) {
    const bool absent = input.dtype == DType::kUndefined;
    operands.push_back(absent ? kNoValue : graph.add_input("", input.dtype, input.shape));
    facts.push_back(absent ? nullptr : &input);
  }
  const NodeId id = graph.add_node(op_def(op), operands, attrs, outputs, "node");
  return infer_node(graph.node(id), facts);
}

GraphPtr flattening(int64_t axis) {
  Body body;
  const ValueId x = body.input();
  return body.output(body.op("Flatten", {x}, {{"axis", axis}})).done();
}

GraphPtr squeezing() {
  Body body;
  const ValueId x = body.input();
  return body.output(body.op("Squeeze", {x, body.ints({1})})).done();
}

GraphPtr passing() {
  Body body;
  const ValueId x = body.input();
  return body.output(x).done();
}

TEST(If, KeepsWhatBothBranchesAgreeOn) {
  const Facts x = facts_of(DType::kF32, {2, 3, sym("seq")}), condition = facts_of(DType::kBool, {});
  const Attrs attrs = {{"then_branch", flattening(1)}, {"else_branch", flattening(2)}, {"num_captures", int64_t{1}}};
  const Facts y = infer("If", {condition, x}, attrs, 1)[0];
  EXPECT_EQ(y.dtype, DType::kF32);
  EXPECT_EQ(shape_of(y), "[?,?]");
  const Attrs ranks = {{"then_branch", flattening(1)}, {"else_branch", passing()}, {"num_captures", int64_t{1}}};
  EXPECT_EQ(shape_of(infer("If", {condition, x}, ranks, 1)[0]), "none");
}

TEST(If, ConstantConditionAndImpossibleBranch) {
  const Facts x = facts_of(DType::kF32, {2, 3}), condition = facts_of(DType::kBool, {});
  const Attrs attrs = {{"then_branch", squeezing()}, {"else_branch", passing()}, {"num_captures", int64_t{1}}};
  EXPECT_EQ(shape_of(infer("If", {condition, x}, attrs, 1)[0]), "[2,3]");
  EXPECT_EQ(shape_of(infer("If", {facts_of(Tensor::scalar(false)), x}, attrs, 1)[0]), "[2,3]");
  EXPECT_THROW(infer("If", {facts_of(Tensor::scalar(true)), x}, attrs, 1), Error);
  const Facts one = facts_of(DType::kF32, {2, 1});
  EXPECT_EQ(shape_of(infer("If", {facts_of(Tensor::scalar(true)), one}, attrs, 1)[0]), "[2]");
}

TEST(If, RefusesBranchesOfAnotherForm) {
  const Facts x = facts_of(DType::kF32, {2}), condition = facts_of(DType::kBool, {});
  const Attrs attrs = {{"then_branch", passing()}, {"else_branch", passing()}, {"num_captures", int64_t{1}}};
  EXPECT_THROW(infer("If", {condition, x}, attrs, 2), Error);
  EXPECT_THROW(infer("If", {condition}, attrs, 1), Error);
  EXPECT_THROW(infer("If", {x, x}, attrs, 1), Error);
}

// iteration, condition, carried -> condition, carried ++ captured, a scan output of the carried value
GraphPtr growing() {
  Body body;
  body.input(DType::kS64);
  const ValueId condition = body.input(DType::kBool), carried = body.input(), captured = body.input();
  const ValueId longer = body.op("Concat", {carried, captured}, {{"axis", int64_t{1}}});
  return body.output(condition).output(longer).output(captured).done();
}

TEST(Loop, DimensionsThatGrowBecomeUnknown) {
  const Attrs attrs = {{"body", growing()}, {"num_carried", int64_t{1}}, {"num_captures", int64_t{1}}};
  const std::vector<Facts> y = infer("Loop",
                                     {facts_of(Tensor::scalar<int64_t>(4)),
                                      {},
                                      facts_of(DType::kF32, {sym("batch"), 0}),
                                      facts_of(DType::kF32, {sym("batch"), 1})},
                                     attrs, 2);
  EXPECT_EQ(shape_of(y[0]), "[batch,?]");
  EXPECT_EQ(shape_of(y[1]), "[?,batch,1]");
}

TEST(Loop, StableShapesStay) {
  Body body;
  body.input(DType::kS64);
  const ValueId condition = body.input(DType::kBool), carried = body.input();
  const GraphPtr graph = body.output(condition).output(body.op("Identity", {carried})).done();
  const Attrs attrs = {{"body", graph}, {"num_carried", int64_t{1}}};
  const std::vector<Facts> y =
      infer("Loop", {{}, facts_of(DType::kBool, {1}), facts_of(Tensor::of<int64_t>({2}, {1, 2}))}, attrs, 1);
  EXPECT_EQ(shape_of(y[0]), "[2]");
  EXPECT_FALSE(y[0].constant.defined());
  EXPECT_THROW(infer("Loop", {{}, {}}, attrs, 1), Error);
}

// state, element -> state, element
GraphPtr echo() {
  Body body;
  const ValueId state = body.input(), element = body.input();
  return body.output(state).output(element).done();
}

TEST(Scan, AxesOfInputsAndOutputs) {
  const Facts state = facts_of(DType::kF32, {2}), x = facts_of(DType::kF32, {sym("batch"), sym("seq"), 8});
  const std::vector<int64_t> one = {1}, last = {-1};
  const Attrs attrs = {
      {"body", echo()}, {"num_scan_inputs", int64_t{1}}, {"scan_input_axes", one}, {"scan_output_axes", last}};
  const std::vector<Facts> y = infer("Scan", {state, x}, attrs, 2);
  EXPECT_EQ(shape_of(y[0]), "[2]");
  EXPECT_EQ(shape_of(y[1]), "[batch,8,seq]");
  const std::vector<int64_t> three = {3};
  EXPECT_THROW(
      infer("Scan", {state, x}, {{"body", echo()}, {"num_scan_inputs", int64_t{1}}, {"scan_input_axes", three}}, 2),
      Error);
  EXPECT_THROW(infer("Scan", {state, x}, {{"body", echo()}, {"num_scan_inputs", int64_t{3}}}, 2), Error);
  EXPECT_THROW(infer("Scan", {state, x},
                     {{"body", echo()}, {"num_scan_inputs", int64_t{1}}, {"scan_input_directions", three}}, 2),
               Error);
}

}  // namespace
}  // namespace neural_engine
