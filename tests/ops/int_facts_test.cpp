// Integers that hold dimensions stay known through arithmetic.
#include <gtest/gtest.h>

#include "base/onnx_dtype.h"
#include "ir/infer.h"

namespace neural_engine {
namespace {

const Dim kBatch = Dim::symbol("batch"), kSeq = Dim::symbol("seq");

Facts ints(std::vector<Dim> elements, DType dtype = DType::kS64) {
  Facts facts = facts_of(dtype, {static_cast<int64_t>(elements.size())});
  facts.ints = std::move(elements);
  return facts;
}

// "[batch,2,?]", or "none".
std::string infer(std::string_view op, const std::vector<Facts>& inputs, Attrs attrs = {}) {
  Graph graph;
  std::vector<ValueId> operands;
  std::vector<const Facts*> facts;
  for (const Facts& each : inputs) {
    operands.push_back(graph.add_input("", each.dtype, each.shape));
    facts.push_back(&each);
  }
  const NodeId id = graph.add_node(op_def(op), operands, std::move(attrs));
  const std::vector<Facts> outputs = infer_node(graph.node(id), facts);
  return outputs[0].ints ? to_string(*outputs[0].ints) : "none";
}

TEST(IntFacts, ArithmeticOnSymbols) {
  const Facts shape = ints({kBatch, kSeq, 6});
  EXPECT_EQ(infer("Add", {shape, ints({1})}), "[" + to_string(kBatch + 1) + "," + to_string(kSeq + 1) + ",7]");
  EXPECT_EQ(infer("Mul", {shape, ints({kSeq})})[1], 'b');
  EXPECT_EQ(infer("Sub", {shape, shape}), "[0,0,0]");
  EXPECT_EQ(infer("Div", {shape, ints({1, 1, 4})}), "[batch,seq,1]");
  EXPECT_EQ(infer("Mod", {shape, ints({4})}), "[?,?,2]");
  EXPECT_EQ(infer("Neg", {ints({3, -4})}), "[-3,4]");
  EXPECT_EQ(infer("Abs", {ints({kBatch, -4})}), "[batch,4]");
  EXPECT_EQ(infer("Max", {shape, ints({-1})}), "[batch,seq,6]");
  EXPECT_EQ(infer("Min", {shape, ints({-1}), ints({-2})}), "[-2,-2,-2]");
  EXPECT_EQ(infer("Max", {shape, ints({1})}), "[?,?,6]");
}

TEST(IntFacts, TheExpandIdiom) {
  // Where(Equal(shape, -1), ones, shape), as exporters write it for Expand.
  const Facts shape = ints({kBatch, -1, 6});
  EXPECT_EQ(infer("Equal", {shape, ints({-1})}), "[0,1,0]");
  EXPECT_EQ(infer("Where", {ints({0, 1, 0}, DType::kBool), ints({1, 1, 1}), shape}), "[batch,1,6]");
  EXPECT_EQ(infer("Where", {ints({Dim(), 1}, DType::kBool), ints({kSeq, 2}), ints({kSeq, 3})}), "[seq,2]");
  EXPECT_EQ(infer("Not", {ints({0, 1}, DType::kBool)}), "[1,0]");
  EXPECT_EQ(infer("And", {ints({0, 1}, DType::kBool), ints({Dim(), 1}, DType::kBool)}), "[0,1]");
  EXPECT_EQ(infer("Greater", {shape, ints({-1})}), "[1,0,1]");
}

TEST(IntFacts, CastsKeepWhatFits) {
  EXPECT_EQ(infer("Cast", {ints({kBatch, 3})}, {{"to", onnx_code(DType::kS32)}}), "[batch,3]");
  EXPECT_EQ(infer("Cast", {ints({int64_t{1} << 40, 3})}, {{"to", onnx_code(DType::kS32)}}), "[?,3]");
  EXPECT_EQ(infer("Cast", {ints({0, 3})}, {{"to", onnx_code(DType::kBool)}}), "[0,1]");
  EXPECT_EQ(infer("Cast", {ints({1, 3})}, {{"to", onnx_code(DType::kF32)}}), "none");
}

TEST(IntFacts, NothingKnownStaysUnknown) {
  EXPECT_EQ(infer("Add", {ints({1, 2}), facts_of(DType::kS64, {2})}), "none");
  EXPECT_EQ(infer("Add", {ints({Dim(), Dim()}), ints({1})}), "none");
  EXPECT_EQ(infer("Div", {ints({1}), ints({0})}), "none");
  EXPECT_EQ(infer("Add", {ints({INT64_MAX}), ints({1})}), "none");
}

}  // namespace
}  // namespace neural_engine
