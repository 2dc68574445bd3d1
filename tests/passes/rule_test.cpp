#include "passes/rule.h"

#include "graph_maker.h"

namespace neural_engine {
namespace {

using testing::GraphMaker;

// Relu(Relu(x)) is Relu(x).
std::vector<Rule> relu_rule() {
  return {{"relu_relu", op("Relu", {op("Relu", {any("x")})}),
           [](const Match& m, Patch& p) { p.replace(m.root(), p.add("Relu", {m["x"]})); }}};
}

struct RuleTest : ::testing::Test {
  GraphMaker make;
  ValueId x = make.input("x", {Dim::symbol("b"), 4});
  PassReport report{-1};
  bool apply(const std::vector<Rule>& rules) {
    infer_graph(make.graph);
    return apply_rules(make.graph, rules, report);
  }
};

TEST_F(RuleTest, AppliesToAFixedPointAndReports) {
  ValueId value = x;
  for (int i = 0; i < 6; ++i) value = make.op("Relu", {value});
  make.output(value);
  EXPECT_TRUE(apply(relu_rule()));
  EXPECT_EQ(testing::count_nodes(make.graph), 1);
  EXPECT_EQ(report.count("relu_relu"), 5);
  EXPECT_EQ(report.summary(), "relu_relu 5");
  EXPECT_NE(report.to_string().find("applied relu_relu at n1"), std::string::npos);
  EXPECT_FALSE(apply(relu_rule()));
}

TEST_F(RuleTest, RefusesWhenAnInnerValueIsUsedElsewhere) {
  const ValueId inner = make.op("Relu", {x});
  make.output(make.op("Relu", {inner}));
  make.output(make.op("Tanh", {inner}));
  EXPECT_FALSE(apply(relu_rule()));
  EXPECT_NE(report.to_string().find("refused relu_relu at n1: inner value used by node \"n2\" (Tanh)"),
            std::string::npos)
      << report.to_string();
}

TEST_F(RuleTest, RefusesWhenAnInnerValueIsAResult) {
  const ValueId inner = make.op("Relu", {x});
  make.output(make.op("Relu", {inner}));
  make.output(inner);
  EXPECT_FALSE(apply(relu_rule()));
  EXPECT_NE(report.to_string().find("is a result of the graph"), std::string::npos);
}

TEST_F(RuleTest, SharedPartsMayHaveOtherUsers) {
  const ValueId inner = make.op("Relu", {x});
  make.output(make.op("Relu", {inner}));
  make.output(make.op("Tanh", {inner}));
  EXPECT_TRUE(apply({{"relu_relu", op("Relu", {op("Relu", {any("x")}).as("inner").shared()}),
                      [](const Match& m, Patch& p) { p.replace(m.root(), m["inner"]); }}}));
  EXPECT_EQ(testing::count_ops(make.graph, "Relu"), 1);
}

TEST_F(RuleTest, StopsAfterTheGivenNumberOfPatches) {
  ValueId value = x;
  for (int i = 0; i < 6; ++i) value = make.op("Relu", {value});
  make.output(value);
  report = PassReport(2);
  EXPECT_TRUE(apply(relu_rule()));
  EXPECT_EQ(testing::count_nodes(make.graph), 4);
  EXPECT_EQ(report.num_applied(), 2);
}

TEST_F(RuleTest, RefusesAReplacementOfAnotherTypeOrShape) {
  make.output(make.op("Relu", {x}));
  EXPECT_FALSE(apply({{"wrong_shape", op("Relu", {any("x")}), [](const Match& m, Patch& p) {
                         p.replace(m.root(), p.add("ReduceSum", {m["x"], p.ints({1})}));
                       }}}));
  EXPECT_NE(report.to_string().find("refused wrong_shape"), std::string::npos) << report.to_string();
  EXPECT_FALSE(apply({{"wrong_type", op("Relu", {any("x")}), [](const Match& m, Patch& p) {
                         p.replace(m.root(), p.add("Cast", {m["x"]}, {{"to", int64_t{7}}}));
                       }}}));
  EXPECT_NE(report.to_string().find("has dtype s64, expected f32"), std::string::npos) << report.to_string();
  EXPECT_EQ(testing::count_nodes(make.graph), 1);
}

TEST_F(RuleTest, ARefusingActionLeavesNoTrace) {
  make.output(make.op("Relu", {x}));
  EXPECT_FALSE(apply({{"shy", op("Relu", {any("x")}), [](const Match& m, Patch& p) {
                         p.replace(m.root(), p.add("Tanh", {m["x"]}));
                         p.refuse("not today");
                       }}}));
  EXPECT_EQ(testing::count_nodes(make.graph), 1);
  EXPECT_EQ(make.graph.value(x).users.size(), 1u);
  EXPECT_NE(report.to_string().find("refused shy at n0: not today"), std::string::npos);
}

TEST_F(RuleTest, ARuleThatNeverEndsIsADefect) {
  make.output(make.op("Relu", {x}));
  EXPECT_THROW(apply({{"spin", op("Relu", {any("x")}),
                       [](const Match& m, Patch& p) { p.replace(m.root(), p.add("Relu", {m["x"]})); }}}),
               Error);
}

TEST_F(RuleTest, ResultsOfTheGraphStayNodes) {
  make.output(make.op("Cast", {x}, {{"to", int64_t{1}}}));
  EXPECT_FALSE(apply(algebra_rules()));
  EXPECT_EQ(testing::count_nodes(make.graph), 1);
}

TEST_F(RuleTest, TimeIsNearlyLinear) {
  // 20 000 nodes in a chain and as many beside it: quadratic work would take minutes.
  ValueId value = x;
  for (int i = 0; i < 20000; ++i) {
    value = make.op(i % 2 == 0 ? "Relu" : "Tanh", {value});
    if (i % 4 == 0) value = make.add(value, make.number(0));
  }
  make.output(value);
  EXPECT_TRUE(apply(algebra_rules()));
  EXPECT_EQ(report.count("add_zero"), 5000);
}

}  // namespace
}  // namespace neural_engine
