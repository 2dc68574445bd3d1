#include "graph_maker.h"
#include "passes/passes.h"

namespace neural_engine {
namespace {

using testing::count_nodes;
using testing::count_ops;
using testing::GraphMaker;
using testing::simplify_and_compare;

TEST(Fold, ConstantsBecomeOneConstant) {
  GraphMaker make;
  const ValueId x = make.input("x", {4});
  make.output(make.add(x, make.mul(make.add(make.number(1), make.number(2)), make.floats({4}, 1))));
  simplify_and_compare(&make.graph);
  EXPECT_EQ(count_nodes(make.graph), 1);
}

TEST(Fold, DoesNotBlowUpTheModel) {
  GraphMaker make;
  const ValueId x = make.input("x", {1});
  const ValueId big = make.op("Expand", {make.floats({1}, 1), make.ints({1 << 20})});
  make.output(make.op("ReduceSum", {make.mul(big, x), make.ints({0})}));
  simplify_and_compare(&make.graph, 1e-3);
  EXPECT_EQ(count_ops(make.graph, "Expand"), 1);
}

// Each copy is no larger than its operand; a file of some kilobytes could ask for any number of them.
TEST(Fold, ManyCopiesOfAWeightStayNodes) {
  constexpr int kCopies = 40;
  constexpr int64_t kElems = 1 << 20;
  GraphMaker make;
  const ValueId x = make.input("x", {1});
  const ValueId weight = make.floats({kElems}, 1);
  for (int i = 0; i < kCopies; ++i)
    make.output(make.mul(x, make.op("Add", {weight, make.number(static_cast<float>(i + 1))})));
  PassReport report(-1);
  infer_graph(make.graph);
  fold_constants(make.graph, testing::evaluator, report);
  // 64 MiB, and the weight once more: 17 copies of 4 MiB.
  EXPECT_EQ(count_ops(make.graph, "Add"), kCopies - 17);
  EXPECT_NE(report.to_string().find("constants would become much larger"), std::string::npos);
}

TEST(Fold, RandomOpsAreNeverFolded) {
  GraphMaker make;
  make.input("x", {1});
  const ValueId random = make.op("RandomNormal", {}, {{"shape", std::vector<int64_t>{4}}});
  make.output(make.op("Neg", {random}));
  make.output(make.op("Exp", {make.op("RandomNormal", {}, {{"shape", std::vector<int64_t>{4}}})}));
  PassReport report(-1);
  simplify(make.graph, testing::evaluator, report);
  EXPECT_EQ(count_ops(make.graph, "RandomNormal"), 2);
}

TEST(Fold, AFailingNodeIsLeftToItsRequest) {
  GraphMaker make;
  const ValueId x = make.input("x", {2});
  const ValueId bad = make.op("Gather", {make.floats({3}, 1), make.ints({5, 0})});
  make.output(make.add(x, bad));
  infer_graph(make.graph);
  PassReport report(-1);
  const auto failing = [](const Node& node, std::span<const Tensor>) -> std::vector<Tensor> {
    fail(Code::kInvalidModel, "cannot compute ", node.op());
  };
  fold_constants(make.graph, failing, report);
  EXPECT_EQ(count_ops(make.graph, "Gather"), 1);
  EXPECT_NE(report.to_string().find("cannot compute Gather"), std::string::npos);
}

TEST(Fold, KnownShapesBecomeConstants) {
  GraphMaker make;
  const ValueId x = make.input("x", {Dim::symbol("b"), 6});
  const ValueId width = make.op("Gather", {make.op("Shape", {x}), make.integer(1)});
  const ValueId half = make.op("Unsqueeze", {make.div(width, make.integer(2)), make.ints({0})});
  make.output(make.op("Reshape", {x, make.op("Concat", {make.ints({-1, 2}), half}, {{"axis", int64_t{0}}})}));
  simplify_and_compare(&make.graph);
  EXPECT_EQ(count_nodes(make.graph), 1);
}

TEST(Merge, EqualNodesBecomeOneThroughChains) {
  GraphMaker make;
  const ValueId x = make.input("x", {Dim::symbol("b"), 4});
  const auto chain = [&](float number) {
    return make.op("Tanh", {make.add(make.op("Exp", {x}), make.constant(Tensor::scalar<float>(number)))});
  };
  make.output(make.mul(make.mul(chain(1), chain(1)), chain(2)));
  simplify_and_compare(&make.graph);
  EXPECT_EQ(count_ops(make.graph, "Exp"), 1);
  EXPECT_EQ(count_ops(make.graph, "Tanh"), 2);
}

TEST(Merge, CommutedOperandsAreEqualAndOtherAttributesAreNot) {
  GraphMaker make;
  const ValueId x = make.input("x", {4, 4}), y = make.input("y", {4, 4});
  make.output(make.mul(make.add(x, y), make.add(y, x)));
  make.output(make.mul(make.sub(x, y), make.sub(y, x)));
  make.output(
      make.mul(make.op("Softmax", {x}, {{"axis", int64_t{0}}}), make.op("Softmax", {x}, {{"axis", int64_t{1}}})));
  simplify_and_compare(&make.graph);
  EXPECT_EQ(count_ops(make.graph, "Add"), 1);
  EXPECT_EQ(count_ops(make.graph, "Sub"), 2);
  EXPECT_EQ(count_ops(make.graph, "Softmax"), 2);
}

TEST(DeadCode, GoesAndInputsStay) {
  GraphMaker make;
  const ValueId x = make.input("x", {4});
  make.input("unused", {4});
  make.op("Tanh", {make.op("Exp", {x})});
  make.output(make.op("Relu", {x}));
  simplify_and_compare(&make.graph);
  EXPECT_EQ(count_nodes(make.graph), 1);
  EXPECT_EQ(make.graph.inputs().size(), 2u);
}

GraphPtr branch(std::string_view op) {
  GraphMaker make;
  const ValueId x = make.input("x", {4});
  make.output(make.op(op, {x}));
  return std::make_shared<const Graph>(make.graph);
}

TEST(Branches, AConstantConditionChoosesOne) {
  for (const bool condition : {true, false}) {
    GraphMaker make;
    const ValueId x = make.input("x", {4});
    const ValueId y =
        make.op("If", {make.constant(Tensor::scalar<bool>(condition)), make.op("Exp", {x})},
                {{"then_branch", branch("Tanh")}, {"else_branch", branch("Relu")}, {"num_captures", int64_t{1}}});
    make.output(make.op("Neg", {y}));
    simplify_and_compare(&make.graph);
    EXPECT_EQ(count_ops(make.graph, "If"), 0);
    EXPECT_EQ(count_ops(make.graph, condition ? "Tanh" : "Relu"), 1);
    EXPECT_EQ(count_nodes(make.graph), 3);
  }
}

TEST(Branches, BodiesAreSimplified) {
  GraphMaker body;
  const ValueId inner = body.input("x", {4});
  body.output(body.op("Tanh", {body.add(inner, body.number(0))}));
  GraphMaker make;
  const ValueId x = make.input("x", {4}), condition = make.input("c", {}, DType::kBool);
  make.output(make.op("If", {condition, x},
                      {{"then_branch", std::make_shared<const Graph>(body.graph)},
                       {"else_branch", branch("Relu")},
                       {"num_captures", int64_t{1}}}));
  simplify_and_compare(&make.graph);
  const NodeId id = make.graph.value(make.graph.outputs()[0].value).producer;
  EXPECT_EQ(count_nodes(*make.graph.node(id).attr<GraphPtr>("then_branch")), 1);
}

TEST(Simplify, IsIdempotent) {
  GraphMaker make;
  const ValueId x = make.input("x", {Dim::symbol("b"), Dim::symbol("s"), 8});
  const ValueId shape = make.op("Shape", {make.op("Relu", {x})});
  make.output(make.op("Reshape", {make.op("Tanh", {make.add(x, make.number(0))}), shape}));
  simplify_and_compare(&make.graph);
  PassReport again(-1);
  simplify(make.graph, testing::evaluator, again);
  EXPECT_EQ(again.num_applied(), 0) << again.to_string();
}

TEST(Simplify, StopsForBisecting) {
  GraphMaker make;
  ValueId x = make.input("x", {4});
  for (int i = 0; i < 10; ++i) x = make.op("Exp", {make.add(x, make.number(0))});
  make.output(x);
  for (const int64_t limit : {0, 1, 5}) {
    Graph graph = make.graph;
    PassReport report(limit);
    simplify(graph, testing::evaluator, report);
    EXPECT_EQ(report.num_applied(), limit);
    EXPECT_EQ(count_ops(graph, "Add"), 10 - limit);
  }
}

}  // namespace
}  // namespace neural_engine
