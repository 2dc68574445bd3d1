#include "graph_maker.h"

namespace neural_engine {
namespace {

using testing::apply_and_compare;
using testing::count_nodes;
using testing::GraphMaker;

const Dim kB = Dim::symbol("b"), kS = Dim::symbol("s");

// The node count after the rules, of Exp(f(x)): 1 means that f is gone.
template <class F>
int nodes_after(const std::vector<Rule>& rules, SymShape shape, F&& f, DType dtype = DType::kF32) {
  GraphMaker make;
  const ValueId x = make.input("x", std::move(shape), dtype);
  make.output(make.op(dtype == DType::kBool ? "Not" : "Neg", {f(make, x)}));
  apply_and_compare(&make.graph, rules);
  return count_nodes(make.graph);
}

template <class F>
int algebra(F&& f, DType dtype = DType::kF32) {
  return nodes_after(algebra_rules(), {kB, 4}, f, dtype);
}

TEST(Algebra, NeutralOperandsGo) {
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.add(x, m.number(0)); }), 1);
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.add(m.number(0), x); }), 1);
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.sub(x, m.number(0)); }), 1);
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.mul(m.number(1), x); }), 1);
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.div(x, m.number(1)); }), 1);
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.op("Pow", {x, m.number(1)}); }), 1);
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) {
              return m.add(x, m.constant(Tensor::of<float>({4}, {0, 0, 0, 0})));
            }),
            1);
  const auto bit = [](GraphMaker& m, bool value) { return m.constant(Tensor::scalar<bool>(value)); };
  EXPECT_EQ(algebra([&](GraphMaker& m, ValueId x) { return m.op("And", {x, bit(m, true)}); }, DType::kBool), 1);
  EXPECT_EQ(algebra([&](GraphMaker& m, ValueId x) { return m.op("Or", {x, bit(m, false)}); }, DType::kBool), 1);
}

TEST(Algebra, OtherOperandsStay) {
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.add(x, m.number(1e-7f)); }), 2);
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.sub(m.number(0), x); }), 2);
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.div(m.number(1), x); }), 2);
  // Spreads x to [3,b,4].
  EXPECT_EQ(nodes_after(algebra_rules(), {2, 4},
                        [](GraphMaker& m, ValueId x) {
                          return m.add(x, m.constant(Tensor::of<float>({3, 1, 1}, {0, 0, 0})));
                        }),
            2);
  const auto bit = [](GraphMaker& m, bool value) { return m.constant(Tensor::scalar<bool>(value)); };
  EXPECT_EQ(algebra([&](GraphMaker& m, ValueId x) { return m.op("And", {x, bit(m, false)}); }, DType::kBool), 2);
}

TEST(Algebra, CastsThatLoseNothingGo) {
  const auto cast = [](GraphMaker& m, ValueId x, DType to) {
    const int64_t code = to == DType::kF32 ? 1 : to == DType::kF64 ? 11 : to == DType::kS64 ? 7 : 6;
    return m.op("Cast", {x}, {{"to", code}});
  };
  EXPECT_EQ(algebra([&](GraphMaker& m, ValueId x) { return cast(m, x, DType::kF32); }), 1);
  EXPECT_EQ(algebra([&](GraphMaker& m, ValueId x) { return cast(m, cast(m, x, DType::kF64), DType::kF32); }), 1);
  EXPECT_EQ(algebra([&](GraphMaker& m, ValueId x) { return cast(m, cast(m, x, DType::kS64), DType::kF32); }), 3);
}

TEST(Algebra, SingleOperandsIdentitiesAndNegations) {
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.op("Identity", {x}); }), 1);
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.op("Concat", {x}, {{"axis", int64_t{0}}}); }), 1);
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.op("Max", {x}); }), 1);
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.op("Neg", {m.op("Neg", {x})}); }), 1);
}

TEST(Algebra, DropoutGoesUnlessItsMaskIsRead) {
  EXPECT_EQ(algebra([](GraphMaker& m, ValueId x) { return m.op("Dropout", {x}); }), 1);
  GraphMaker make;
  const ValueId x = make.input("x", {4});
  const auto outputs = make.op_with_outputs("Dropout", {x}, {}, 2);
  make.output(make.op("Neg", {outputs[0]}));
  make.output(make.op("Not", {outputs[1]}));
  apply_and_compare(&make.graph, algebra_rules());
  EXPECT_EQ(count_nodes(make.graph), 3);
}

TEST(Algebra, WhereWithOneSide) {
  const auto where = [](GraphMaker& m, ValueId x, ValueId condition, bool same) {
    return m.op("Where", {condition, x, same ? x : m.number(3)});
  };
  const auto bits = [](GraphMaker& m, std::vector<bool> values) { return m.constant(Tensor::of<bool>({4}, values)); };
  EXPECT_EQ(algebra([&](GraphMaker& m, ValueId x) {
              return where(m, x, bits(m, {true, true, true, true}), false);
            }),
            1);
  EXPECT_EQ(algebra([&](GraphMaker& m, ValueId x) {
              return where(m, x, bits(m, {true, false, true, true}), true);
            }),
            1);
  EXPECT_EQ(algebra([&](GraphMaker& m, ValueId x) {
              return where(m, x, bits(m, {true, false, true, true}), false);
            }),
            2);
  EXPECT_EQ(algebra([&](GraphMaker& m, ValueId x) {
              return where(m, x, bits(m, {false, false, false, false}), false);
            }),
            2);  // 3 has another shape
}

template <class F>
int shapes(F&& f, SymShape shape = {kB, kS, 2, 6}) {
  return nodes_after(shape_rules(), std::move(shape), f);
}

TEST(Shapes, ViewsThatReturnGo) {
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) { return m.reshape(x, {0, 0, 2, 6}); }), 1);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) { return m.reshape(m.reshape(x, {0, 0, 12}), {0, 0, 2, 6}); }), 1);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) {
              return m.op("Squeeze", {m.op("Unsqueeze", {x, m.ints({2})}), m.ints({2})});
            }),
            1);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) { return m.reshape(x, {0, 0, 6, 2}); }), 2);
}

TEST(Shapes, ViewsOfViewsBecomeOne) {
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) { return m.reshape(m.reshape(x, {0, -1}), {0, -1, 4, 3}); }), 2);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) {
              return m.op("Unsqueeze", {m.op("Unsqueeze", {x, m.ints({0})}), m.ints({3})});
            }),
            2);
}

TEST(Shapes, TransposesMergeAndCancel) {
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) {
              return m.transpose(m.transpose(x, {0, 2, 1, 3}), {0, 2, 1, 3});
            }),
            1);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) {
              return m.transpose(m.transpose(x, {0, 2, 1, 3}), {0, 1, 3, 2});
            }),
            2);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) { return m.transpose(x, {0, 1, 2, 3}); }), 1);
}

TEST(Shapes, ASwapBehindAFlattenedBatchIsOneTranspose) {
  const auto swap = [](GraphMaker& m, ValueId x, const std::vector<int64_t>& flat, const std::vector<int64_t>& back) {
    return m.reshape(m.transpose(m.reshape(x, flat), {0, 2, 1}), back);
  };
  GraphMaker make;
  const ValueId x = make.input("x", {kB, 3, kS, 4});
  const ValueId batch = make.op("Shape", {x}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
  const ValueId length = make.op("Shape", {x}, {{"start", int64_t{2}}, {"end", int64_t{3}}});
  const auto target = [&](std::vector<ValueId> parts) { return make.op("Concat", parts, {{"axis", int64_t{0}}}); };
  const ValueId flat = make.op("Reshape", {x, target({make.ints({-1}), length, make.ints({4})})});
  const ValueId swapped = make.transpose(flat, {0, 2, 1});
  make.output(make.op("Neg", {make.op("Reshape", {swapped, target({batch, make.ints({3, 4}), length})})}));
  apply_and_compare(&make.graph, shape_rules());
  EXPECT_EQ(testing::count_ops(make.graph, "Transpose"), 1);
  EXPECT_EQ(testing::count_ops(make.graph, "Reshape"), 0);
  // Another split of the batch moves elements across heads.
  EXPECT_EQ(shapes([&](GraphMaker& m, ValueId y) { return swap(m, y, {-1, 4, 6}, {-1, 2, 6, 4}); }, {kB, 2, 4, 6}), 2);
  EXPECT_EQ(shapes([&](GraphMaker& m, ValueId y) { return swap(m, y, {-1, 6, 4}, {-1, 2, 4, 6}); }, {kB, 2, 4, 6}), 4);
}

TEST(Shapes, WhatCoversEverythingGoes) {
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) {
              return m.op("Slice", {x, m.ints({0}), m.ints({100}), m.ints({3})});
            }),
            1);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) {
              return m.op("Slice", {x, m.ints({1}), m.ints({100}), m.ints({3})});
            }),
            2);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) {
              return m.op("Slice", {x, m.ints({-1}), m.ints({-100}), m.ints({3}), m.ints({-1})});
            }),
            2);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) { return m.op("Expand", {x, m.ints({1, 1, 2, 6})}); }), 1);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) { return m.op("Expand", {x, m.ints({3, 1, 1, 1, 1})}); }), 2);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) { return m.op("Tile", {x, m.ints({1, 1, 1, 1})}); }), 1);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) { return m.op("Tile", {x, m.ints({1, 1, 2, 1})}); }), 2);
  EXPECT_EQ(shapes([](GraphMaker& m, ValueId x) { return m.op("Pad", {x, m.ints({0, 0, 0, 0, 0, 0, 0, 0})}); }), 1);
}

TEST(Shapes, TargetsComputedFromShapesBecomeConstants) {
  GraphMaker make;
  const ValueId x = make.input("x", {kB, kS, 12});
  const ValueId y = make.op("Tanh", {x});
  const auto dim = [&](int64_t axis) {
    return make.op("Unsqueeze", {make.op("Gather", {make.op("Shape", {y}), make.integer(axis)}), make.ints({0})});
  };
  const ValueId target = make.op("Concat", {dim(0), dim(1), make.ints({-1, 4})}, {{"axis", int64_t{0}}});
  make.output(make.op("Neg", {make.op("Reshape", {y, target})}));
  testing::simplify_and_compare(&make.graph);
  EXPECT_EQ(count_nodes(make.graph), 3);
}

TEST(Shapes, ShapesOfInnerValuesAreAskedOfTheInputs) {
  GraphMaker make;
  const ValueId x = make.input("x", {kB, kS, 12});
  const ValueId y = make.op("Tanh", {x});
  const ValueId shape = make.op("Shape", {y});
  const ValueId rows = make.mul(make.op("Gather", {shape, make.integer(0)}), make.integer(1));
  const ValueId length = make.op("Gather", {shape, make.integer(1)});
  make.output(make.op("Range", {make.integer(0), length, make.integer(1)}));
  make.output(make.op("Range", {make.integer(0), rows, make.integer(1)}));
  make.output(make.op("Neg", {y}));
  testing::simplify_and_compare(&make.graph);
  // Tanh has one user left: Neg.
  for (NodeId id = 0; id < make.graph.num_nodes(); ++id) {
    if (make.graph.node(id).is("Tanh")) {
      EXPECT_EQ(make.graph.value(make.graph.node(id).outputs[0]).users.size(), 1u);
    }
  }
}

}  // namespace
}  // namespace neural_engine
