// Forms in which one exporter writes what another writes otherwise: rules that make them alike.
#include "passes/graph_maker.h"

namespace neural_engine {
namespace {

using testing::apply_and_compare;
using testing::count_ops;
using testing::GraphMaker;
using testing::simplify_and_compare;

const Dim kBatch = Dim::symbol("batch"), kSeq = Dim::symbol("seq");

// [batch,seq,8] -> rows -> x [8,6] -> `shape`, which is made of the input's dimensions where it says 0 or -1.
GraphMaker product_of_rows(const std::vector<int64_t>& shape) {
  GraphMaker m;
  const ValueId x = m.input("x", {kBatch, kSeq, 8});
  const auto dim = [&](int64_t axis) { return m.op("Shape", {x}, {{"start", axis}, {"end", axis + 1}}); };
  std::vector<ValueId> parts;
  for (int64_t size : shape) parts.push_back(size == 0 ? dim(0) : size == -1 ? dim(1) : m.ints({size}));
  const ValueId rows = m.matmul(m.reshape(x, {-1, 8}), m.floats({8, 6}, 1));
  m.output(m.op("Reshape", {m.add(rows, m.floats({6}, 2)), m.op("Concat", parts, {{"axis", int64_t{0}}})}));
  return m;
}

TEST(TwinForms, ProductsOfRowsTakeTheirLeadingAxesBack) {
  GraphMaker m = product_of_rows({0, -1, 6});
  simplify_and_compare(&m.graph);
  EXPECT_EQ(count_ops(m.graph, "Reshape"), 0);
  EXPECT_EQ(count_ops(m.graph, "FusedMatMul"), 1);
  // The heads stay to be split, in a constant form.
  GraphMaker split = product_of_rows({0, -1, 2, 3});
  simplify_and_compare(&split.graph);
  EXPECT_EQ(count_ops(split.graph, "Reshape"), 1);
  EXPECT_EQ(count_ops(split.graph, "Concat"), 0);
  const Node& product = split.graph.node(split.graph.order()[0]);
  ASSERT_TRUE(product.is("FusedMatMul"));
  EXPECT_EQ(product.inputs[0], split.graph.inputs()[0]);
}

TEST(TwinForms, OtherShapesOfRowsStay) {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{-1, 0, 6}, {0, -1, 1, 3, 2}}) {
    GraphMaker m = product_of_rows(shape);
    simplify_and_compare(&m.graph);
    EXPECT_EQ(count_ops(m.graph, "Reshape"), shape[0] == -1 ? 2 : 1);
  }
  GraphMaker m;  // the rows hold two of x's
  const ValueId x = m.input("x", {kBatch, 4, 8});
  m.output(m.reshape(m.matmul(m.reshape(x, {-1, 16}), m.floats({16, 6}, 1)), {0, 2, 3}));
  infer_graph(m.graph);
  PassReport report(-1);
  simplify(m.graph, testing::evaluator, report);
  EXPECT_EQ(count_ops(m.graph, "FusedMatMul"), 1);
  EXPECT_EQ(count_ops(m.graph, "Reshape"), 2);
}

// positions[0:seq] of a constant, then their rows in a table.
int gathers_after(const Shape& ids, int64_t axis, int64_t gather_axis) {
  GraphMaker m;
  const ValueId x = m.input("x", {kBatch, kSeq});
  const ValueId length = m.op("Shape", {x}, {{"start", int64_t{1}}, {"end", int64_t{2}}});
  Tensor numbers(DType::kS64, ids);
  for (int64_t i = 0; i < numbers.elems(); ++i) numbers.data<int64_t>()[i] = (i * 3 + 1) % 8;
  const ValueId some = m.op("Slice", {m.constant(numbers), m.ints({0}), length, m.ints({axis})});
  m.output(m.op("Gather", {m.floats({8, 8}, 3), some}, {{"axis", gather_axis}}));
  simplify_and_compare(&m.graph);
  return count_ops(m.graph, "Gather");
}

TEST(TwinForms, RowsOfSlicedNumbersAreSlicedRows) {
  EXPECT_EQ(gathers_after({8}, 0, 0), 0);
  EXPECT_EQ(gathers_after({1, 8}, 1, 0), 0);
  EXPECT_EQ(gathers_after({1, 8}, -1, 0), 0);
  EXPECT_EQ(gathers_after({8}, 0, 1), 1);     // columns
  EXPECT_EQ(gathers_after({3, 8}, 1, 0), 1);  // more rows than the table has
}

// x * f + (b - mean * f), f = w / sqrt(mean((x - mean)^2) + epsilon)
GraphMaker folded_norm(float epsilon, const std::vector<int64_t>& axes) {
  GraphMaker m;
  const ValueId x = m.input("x", {kBatch, 5, 5});
  const Attrs keep = {{"keepdims", int64_t{1}}};
  const ValueId mean = m.op("ReduceMean", {x, m.ints(axes)}, keep);
  const ValueId centered = m.sub(x, mean);
  const ValueId variance = m.op("ReduceMean", {m.mul(centered, centered), m.ints(axes)}, keep);
  const ValueId root = m.op("Sqrt", {m.add(variance, m.number(epsilon))});
  const ValueId factor = m.mul(m.op("Reciprocal", {root}), m.floats({5}, 1));
  m.output(m.add(m.mul(x, factor), m.sub(m.floats({5}, 2), m.mul(mean, factor))));
  return m;
}

TEST(TwinForms, LayerNormsInTheFormOfBatchNorms) {
  GraphMaker m = folded_norm(1e-5f, {-1});
  simplify_and_compare(&m.graph);
  EXPECT_EQ(count_ops(m.graph, "LayerNormalization"), 1);
  EXPECT_EQ(testing::count_nodes(m.graph), 1);
  for (const auto& [epsilon, axes] :
       {std::pair(2.0f, std::vector<int64_t>{-1}), std::pair(1e-5f, std::vector<int64_t>{1})}) {
    GraphMaker other = folded_norm(epsilon, axes);
    simplify_and_compare(&other.graph);
    EXPECT_EQ(count_ops(other.graph, "LayerNormalization"), 0);
  }
}

TEST(TwinForms, UnsqueezesInARowAreOne) {
  GraphMaker m;
  const ValueId x = m.input("x", {kBatch, kSeq});
  m.output(m.op("Neg", {m.op("Unsqueeze", {m.op("Unsqueeze", {x, m.ints({1})}), m.ints({2})})}));
  apply_and_compare(&m.graph, shape_rules());
  EXPECT_EQ(count_ops(m.graph, "Unsqueeze"), 1);
  EXPECT_EQ(count_ops(m.graph, "Reshape"), 0);
}

}  // namespace
}  // namespace neural_engine
