#include "ir/graph.h"

#include <gtest/gtest.h>

#include "ir/infer.h"

namespace neural_engine {
namespace {

Graph chain() {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::kF32, SymShape{Dim::symbol("batch"), 4});
  const ValueId bias = graph.add_constant(Tensor::of<float>({4}, {1, 2, 3, 4}), "bias");
  const NodeId add = graph.add_node(op_def("Add"), {x, bias}, {}, 1, "add");
  const NodeId relu = graph.add_node(op_def("Relu"), {graph.node(add).outputs[0]}, {}, 1, "relu");
  graph.add_output("y", graph.node(relu).outputs[0]);
  return graph;
}

TEST(Graph, InfersSymbolicShapes) {
  Graph graph = chain();
  infer_graph(graph);
  EXPECT_EQ(to_string(*graph.value(graph.outputs()[0].value).facts.shape), "[batch,4]");
}

TEST(Graph, OrderPutsProducersFirst) {
  Graph graph = chain();
  EXPECT_EQ(graph.order(), (std::vector<NodeId>{0, 1}));
}

TEST(Graph, RefusesWrongOperandCountsAndAttributes) {
  Graph graph = chain();
  EXPECT_THROW(graph.add_node(op_def("Add"), {0}), Error);
  EXPECT_THROW(graph.add_node(op_def("Add"), {0, kNoValue}), Error);
  EXPECT_THROW(graph.add_node(op_def("Relu"), {0}, {{"alpha", 1.0f}}), Error);
}

TEST(Graph, ErasesWhatNoOutputNeeds) {
  Graph graph = chain();
  const NodeId dead = graph.add_node(op_def("Relu"), {0});
  graph.add_node(op_def("Relu"), {graph.node(dead).outputs[0]});
  EXPECT_EQ(graph.erase_dead(), 2);
  EXPECT_EQ(graph.order().size(), 2u);
}

TEST(Graph, CompactsWithoutChangingOutputs) {
  Graph graph = chain();
  const ValueId add = graph.node(0).outputs[0];
  graph.replace_uses(graph.outputs()[0].value, add);
  graph.erase_dead();
  const Graph compact = graph.compacted();
  EXPECT_EQ(compact.num_nodes(), 1);
  EXPECT_EQ(compact.num_values(), 3);
  EXPECT_EQ(compact.outputs()[0].name, "y");
}

TEST(Dim, ArithmeticIsCanonical) {
  const Dim batch = Dim::symbol("batch");
  EXPECT_EQ(batch * 2, Dim(2) * batch);
  EXPECT_EQ(batch * 1, batch);
  EXPECT_EQ(batch - batch, Dim(0));
  EXPECT_FALSE(Dim() == Dim());
  EXPECT_EQ(to_string(batch * Dim::symbol("seq")), "batch*seq");
}

}  // namespace
}  // namespace neural_engine
