// Quantized graphs become products of integers: that the rules fire, that they refuse, and that results stay.
#include <gtest/gtest.h>

#include "graph_maker.h"
#include "passes/precision.h"

namespace neural_engine {
namespace {

using testing::apply_and_compare;
using testing::count_nodes;
using testing::count_ops;
using testing::GraphMaker;

class QuantizedGraph : public GraphMaker {
 public:
  ValueId weight(Shape shape, DType dtype = DType::kS8) {
    Tensor tensor(dtype, std::move(shape));
    for (int64_t i = 0; i < tensor.elems(); ++i) static_cast<uint8_t*>(tensor.raw())[i] = static_cast<uint8_t>(i * 73);
    return constant(tensor);
  }
  ValueId zero(int value, DType dtype = DType::kU8) {
    Tensor tensor(dtype, Shape{});
    *static_cast<uint8_t*>(tensor.raw()) = static_cast<uint8_t>(value);
    return constant(tensor);
  }
  ValueId scales(int64_t n) {
    Tensor tensor(DType::kF32, {n});
    for (int64_t i = 0; i < n; ++i) tensor.data<float>()[i] = 0.01f + 0.001f * static_cast<float>(i);
    return constant(tensor);
  }
  ValueId quantize(ValueId x, float scale, int zero_point) {
    return op("QuantizeLinear", {x, number(scale), zero(zero_point)});
  }
  ValueId dequantize(ValueId x, float scale, int zero_point) {
    return op("DequantizeLinear", {x, number(scale), zero(zero_point)});
  }
  ValueId pair(ValueId x, float scale, int zero_point) {
    return dequantize(quantize(x, scale, zero_point), scale, zero_point);
  }
  ValueId dequantized_weight(Shape shape) {
    const int64_t n = shape[1];
    return op("DequantizeLinear", {weight(std::move(shape)), scales(n)}, {{"axis", int64_t{1}}});
  }
  ValueId product(ValueId x, Shape shape) {
    const int64_t n = shape[1];
    return op("FusedMatMul", {x, dequantized_weight(std::move(shape)), floats({n}, 3)});
  }
};

// A level is a large step where a sum in another order falls on the other side of a half.
void lower_and_compare(Graph* graph, double tolerance) {
  infer_graph(*graph);
  const Graph before = *graph;
  PassReport report(-1);
  lower_quantized(*graph, report);
  for (const std::vector<int64_t>& sizes : {std::vector<int64_t>{2, 3, 4}, std::vector<int64_t>{1, 5, 2}}) {
    testing::expect_same_results(*graph, before, testing::random_inputs(before, sizes), tolerance);
  }
}

SymShape rows(int64_t columns) { return {Dim::symbol("b"), Dim::symbol("s"), columns}; }

TEST(Quantize, ProductsOfDequantizedOperandsAreProductsOfIntegers) {
  QuantizedGraph g;
  const ValueId x = g.input("x", rows(12));
  g.output(g.product(g.pair(x, 0.02f, 120), {12, 8}));
  lower_and_compare(&g.graph, 1e-4);
  EXPECT_EQ(count_ops(g.graph, "QuantizedMatMul"), 1);
  EXPECT_EQ(count_ops(g.graph, "QuantizeLinear"), 1);
  EXPECT_EQ(count_nodes(g.graph), 2);
}

// Two layers with a residual, everything quantized: values stay in 8 bits from end to end.
TEST(Quantize, ValuesStayInEightBitsBetweenProducts) {
  QuantizedGraph g;
  const ValueId x = g.quantize(g.input("x", rows(12)), 0.02f, 120);
  const ValueId real = g.dequantize(x, 0.02f, 120);
  const ValueId h = g.op("Gelu", {g.pair(g.product(real, {12, 16}), 0.05f, 100)});
  const ValueId moved = g.reshape(g.pair(h, 0.04f, 3), {0, 0, 16});
  const ValueId y = g.pair(g.product(g.pair(moved, 0.04f, 3), {16, 12}), 0.1f, 128);
  g.output(g.dequantize(g.quantize(g.add(y, real), 0.1f, 90), 0.1f, 90));
  lower_and_compare(&g.graph, 0.4);
  EXPECT_EQ(count_ops(g.graph, "QuantizedMatMul"), 2);
  EXPECT_EQ(count_ops(g.graph, "QuantizeLinear"), 1);
  EXPECT_EQ(count_ops(g.graph, "DequantizeLinear"), 0);
  EXPECT_EQ(count_ops(g.graph, "Gelu"), 0);
  EXPECT_EQ(count_ops(g.graph, "Add"), 0);
}

TEST(Quantize, LevelsThatOthersReadStay) {
  QuantizedGraph g;
  const ValueId h = g.pair(g.product(g.pair(g.input("x", rows(12)), 0.02f, 120), {12, 16}), 0.05f, 100);
  g.output(g.product(h, {16, 8}));
  g.output(g.op("Softmax", {h}));
  lower_and_compare(&g.graph, 0.05);
  EXPECT_EQ(count_ops(g.graph, "QuantizedMatMul"), 2);
  EXPECT_EQ(count_ops(g.graph, "DequantizeLinear"), 1);
}

TEST(Quantize, IntegerProductsTakeTheirScales) {
  for (const bool by_column : {false, true}) {
    QuantizedGraph g;
    const std::vector<ValueId> a = g.op_with_outputs("DynamicQuantizeLinear", {g.input("x", rows(12))}, {}, 3);
    const ValueId sums = g.op("MatMulInteger", {a[0], g.weight({12, 8}), a[2], g.zero(by_column ? 0 : 5, DType::kS8)});
    const ValueId real = g.op("Cast", {sums}, {{"to", int64_t{1}}});
    const ValueId scale = by_column ? g.scales(8) : g.number(0.01f);
    g.output(g.add(g.mul(real, g.mul(a[1], scale)), g.floats({8}, 2)));
    lower_and_compare(&g.graph, 1e-6);
    EXPECT_EQ(count_ops(g.graph, "QuantizedMatMul"), 1);
    EXPECT_EQ(count_nodes(g.graph), 2);
  }
}

TEST(Quantize, QLinearMatMulIsOneOfThem) {
  QuantizedGraph g;
  const ValueId x = g.quantize(g.input("x", rows(12)), 0.02f, 120);
  const ValueId y = g.op("QLinearMatMul", {x, g.number(0.02f), g.zero(120), g.weight({12, 8}), g.number(0.01f),
                                           g.zero(0, DType::kS8), g.number(0.5f), g.zero(100)});
  g.output(g.op("Cast", {y}, {{"to", int64_t{1}}}));
  lower_and_compare(&g.graph, 0.02);
  EXPECT_EQ(count_ops(g.graph, "QuantizedMatMul"), 1);
  EXPECT_EQ(count_ops(g.graph, "QLinearMatMul"), 0);
}

TEST(Quantize, TablesAreLookedUpBeforeTheyBecomeFloats) {
  for (const bool by_row : {false, true}) {
    QuantizedGraph g;
    const ValueId table =
        g.op("DequantizeLinear", {g.weight({20, 8}), by_row ? g.scales(20) : g.number(0.1f)}, {{"axis", int64_t{0}}});
    g.output(g.op("Gather", {table, g.input("ids", {Dim::symbol("b"), Dim::symbol("s")}, DType::kS64)}));
    lower_and_compare(&g.graph, 0);
    for (NodeId id : g.graph.order()) {
      const Node& node = g.graph.node(id);
      EXPECT_TRUE(!node.is("Gather") || g.graph.value(node.inputs[0]).is_constant());
    }
  }
}

TEST(Quantize, RefusesWhatIntegersDoNotDescribe) {
  QuantizedGraph g;
  const ValueId x = g.pair(g.input("x", {Dim::symbol("b"), 12}), 0.02f, 120);
  // Scales along the rows of b; an a with scales by column; 16 bits; b that is no constant.
  const ValueId by_row = g.op("DequantizeLinear", {g.weight({12, 8}), g.scales(12)}, {{"axis", int64_t{0}}});
  g.output(g.op("FusedMatMul", {x, by_row}));
  const ValueId columns = g.op("QuantizeLinear", {g.input("y", {Dim::symbol("b"), 12}), g.scales(12)});
  g.output(g.product(g.op("DequantizeLinear", {columns, g.scales(12)}), {12, 8}));
  const ValueId wide = g.constant(Tensor::of<uint16_t>({}, {7}));
  const ValueId words = g.op("QuantizeLinear", {g.input("z", {Dim::symbol("b"), 12}), g.number(0.1f), wide});
  g.output(g.product(g.op("DequantizeLinear", {words, g.number(0.1f), wide}), {12, 8}));
  g.output(g.op("FusedMatMul", {x, g.input("w", {12, 8})}));
  lower_and_compare(&g.graph, 0);
  EXPECT_EQ(count_ops(g.graph, "QuantizedMatMul"), 0);
  EXPECT_EQ(count_ops(g.graph, "FusedMatMul"), 4);
}

}  // namespace
}  // namespace neural_engine
