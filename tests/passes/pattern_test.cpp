#include "passes/pattern.h"

#include "base/half.h"
#include "graph_maker.h"

namespace neural_engine {
namespace {

using testing::GraphMaker;

bool matches(const Pattern& pattern, Graph& graph, ValueId root) {
  infer_graph(graph);
  return find_match(pattern, graph, root, [](const Match&) { return true; });
}

struct PatternTest : ::testing::Test {
  GraphMaker make;
  ValueId x = make.input("x", {Dim::symbol("b"), 4});
  ValueId y = make.input("y", {Dim::symbol("b"), 4});
  ValueId z = make.input("z", {Dim::symbol("b"), 4});
};

TEST_F(PatternTest, ProductsMatchInAnyBracketingAndOrder) {
  const Pattern pattern = any("a") * op("Relu", {any("a")}) * 0.5 * op("Tanh", {any("t")});
  const ValueId relu = make.op("Relu", {x}), tanh = make.op("Tanh", {y}), half = make.number(0.5f);
  EXPECT_TRUE(matches(pattern, make.graph, make.mul(make.mul(make.mul(x, relu), half), tanh)));
  EXPECT_TRUE(matches(pattern, make.graph, make.mul(make.mul(tanh, half), make.mul(relu, x))));
  EXPECT_TRUE(matches(pattern, make.graph, make.mul(make.mul(make.mul(half, tanh), relu), x)));
  EXPECT_TRUE(matches(pattern, make.graph, make.mul(x, make.mul(relu, make.mul(tanh, half)))));
  EXPECT_TRUE(matches(pattern, make.graph, make.div(make.mul(x, make.mul(relu, tanh)), make.number(2))));
  EXPECT_TRUE(matches(pattern, make.graph, make.mul(make.div(x, make.number(2)), make.mul(relu, tanh))));
}

TEST_F(PatternTest, RefusesAnotherNumberOrAnotherValue) {
  const Pattern pattern = any("a") * op("Relu", {any("a")}) * 0.5;
  const ValueId relu = make.op("Relu", {x});
  EXPECT_TRUE(matches(pattern, make.graph, make.mul(make.mul(x, relu), make.number(0.5f))));
  EXPECT_FALSE(matches(pattern, make.graph, make.mul(make.mul(x, relu), make.number(0.501f))));
  EXPECT_FALSE(matches(pattern, make.graph, make.mul(make.mul(y, relu), make.number(0.5f))));
  EXPECT_FALSE(matches(pattern, make.graph, make.mul(x, relu)));
  EXPECT_FALSE(matches(pattern, make.graph, make.add(make.mul(x, relu), make.number(0.5f))));
}

TEST_F(PatternTest, SumsTakeSubtractedNumbers) {
  const Pattern pattern = any("a") + any("b") + 1.0;
  EXPECT_TRUE(matches(pattern, make.graph, make.add(make.add(x, make.number(1)), y)));
  EXPECT_TRUE(matches(pattern, make.graph, make.sub(make.add(x, y), make.number(-1))));
  EXPECT_FALSE(matches(pattern, make.graph, make.sub(make.add(x, y), make.number(1))));
  EXPECT_FALSE(matches(pattern, make.graph, make.sub(make.number(1), make.add(x, y))));
}

TEST_F(PatternTest, IntegersDivideWithTheirOwnRule) {
  const ValueId i = make.input("i", {4}, DType::kS64);
  EXPECT_FALSE(matches(any("a") * 0.5, make.graph, make.div(i, make.integer(2))));
}

TEST_F(PatternTest, NumbersThatRaiseTheRankAreNoNumbers) {
  const Tensor half = Tensor::of<float>({1, 1, 1}, {0.5f});
  EXPECT_FALSE(matches(any("a") * 0.5, make.graph, make.mul(x, make.constant(half))));
  EXPECT_TRUE(matches(any("a") * 0.5, make.graph, make.mul(x, make.constant(half.reshaped({1})))));
}

TEST_F(PatternTest, AlternativesAndOptionalOperators) {
  const Pattern pattern = op("Relu", {maybe("Cast", any("a"))}) | op("Tanh", {any("a")});
  const ValueId cast = make.op("Cast", {x}, {{"to", int64_t{1}}});
  EXPECT_TRUE(matches(pattern, make.graph, make.op("Relu", {x})));
  EXPECT_TRUE(matches(pattern, make.graph, make.op("Tanh", {x})));
  EXPECT_FALSE(matches(pattern, make.graph, make.op("Exp", {x})));
  ValueId bound = kNoValue;
  find_match(pattern, make.graph, make.op("Relu", {cast}), [&](const Match& match) {
    bound = match["a"];
    return true;
  });
  EXPECT_EQ(bound, x);
}

TEST_F(PatternTest, BacktracksWhenALaterPartDoesNotFit) {
  // a is bound to the first operand of the Add first; only the second lets Relu(a) fit.
  const Pattern pattern = op("Mul", {op("Add", {any("a"), any("b")}), op("Relu", {any("a")})});
  EXPECT_TRUE(matches(pattern, make.graph, make.mul(make.add(x, y), make.op("Relu", {y}))));
  EXPECT_TRUE(matches(pattern, make.graph, make.mul(make.op("Relu", {x}), make.add(x, y))));
  EXPECT_FALSE(matches(pattern, make.graph, make.mul(make.add(x, y), make.op("Relu", {z}))));
}

TEST_F(PatternTest, HalfPrecisionConstantsHaveTheirTolerance) {
  Tensor half(DType::kF16, {});
  half.data<Half>()[0] = Half(0.044715f);
  EXPECT_TRUE(is_number(make.graph, make.constant(half), 0.044715));
  EXPECT_FALSE(is_number(make.graph, make.number(0.0447388f), 0.044715));  // what f16 made of it, said in f32
}

TEST_F(PatternTest, KnowsTheOperatorsAtItsRoot) {
  EXPECT_EQ((any("x") * 2.0 | op("Relu")).root_ops(), (std::vector<std::string>{"Mul", "Div", "Relu"}));
  EXPECT_TRUE(any("x").root_ops().empty());
}

}  // namespace
}  // namespace neural_engine
