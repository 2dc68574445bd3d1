// Sessions in another precision than the model's.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "ir/attrs.h"
#include "ir/graph.h"
#include "ir/infer.h"
#include "neural_engine/session.h"
#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::random_tensor;

// x [rows, 48] -> 64 with GELU -> 40 plus x's projection -> 3
Graph sample() {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::kF32, SymShape{Dim::symbol("rows"), 48});
  const auto product = [&](ValueId a, Shape shape, uint32_t seed, std::vector<ValueId> rest, Attrs attrs) {
    std::vector<ValueId> inputs = {a, graph.add_constant(random_tensor(std::move(shape), seed))};
    inputs.insert(inputs.end(), rest.begin(), rest.end());
    return graph.node(graph.add_node(op_def("FusedMatMul"), inputs, std::move(attrs))).outputs[0];
  };
  const ValueId bias = graph.add_constant(random_tensor({64}, 5));
  const ValueId h =
      product(x, {48, 64}, 1, {bias}, {{"alpha", 0.25f}, {"post_ops", std::vector<std::string>{"gelu_erf"}}});
  const ValueId side = product(x, {40, 48}, 2, {}, {{"trans_b", int64_t{1}}});
  const ValueId y = product(h, {64, 40}, 3, {kNoValue, side}, {{"post_ops", std::vector<std::string>{"add"}}});
  graph.add_output("y", product(y, {40, 3}, 4, {}, {}));
  infer_graph(graph);
  return graph;
}

double cosine(const Tensor& a, const Tensor& b) {
  double ab = 0, aa = 0, bb = 0;
  for (int64_t i = 0; i < a.elems(); ++i) {
    const double x = a.data<float>()[i], y = b.data<float>()[i];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / std::sqrt(aa * bb);
}

int count(Session& session, const std::string& op, int64_t rows) {
  int found = 0;
  for (const StepInfo& step : session.explain({{rows, 48}})) found += step.op == op;
  return found;
}

TEST(Precision, Int8IsNearF32AndKeepsTheHead) {
  const Model model(sample());
  Session f32(model, {}), int8(model, {.precision = Precision::kInt8Dynamic});
  const std::vector<Tensor> inputs = {random_tensor({17, 48}, 9)};
  const Tensor expected = f32.run(inputs)[0], found = int8.run(inputs)[0];
  EXPECT_FALSE(equal_bytes(found, expected));
  EXPECT_GT(cosine(found, expected), 0.9995);
  EXPECT_EQ(count(int8, "DynamicQuantizedMatMul", 17), 3);
  EXPECT_EQ(count(int8, "FusedMatMul", 17), 1);  // of 3 columns
  ASSERT_EQ(int8.notes().size(), 2u);
  EXPECT_EQ(int8.notes()[0], "int8_dynamic: 3 products quantized");
  EXPECT_NE(int8.notes()[1].find("it has 3 columns, less than 32"), std::string::npos);
  // The model itself is as it was.
  EXPECT_TRUE(equal_bytes(Session(model, {}).run(inputs)[0], expected));
}

TEST(Precision, BitsDoNotDependOnThreadsOrOtherRows) {
  const Model model(sample());
  const Tensor all = random_tensor({33, 48}, 9);
  Session one(model, {.threads = 1, .precision = Precision::kInt8Dynamic});
  Session two(model, {.threads = 2, .precision = Precision::kInt8Dynamic});
  const Tensor expected = one.run(std::vector{all})[0];
  EXPECT_TRUE(equal_bytes(two.run(std::vector{all})[0], expected));
  // In the opposite order, one by one.
  for (int64_t row = 32; row >= 0; --row) {
    const Tensor single = Tensor::share(DType::kF32, {1, 48}, all.data<float>() + row * 48, nullptr);
    const Tensor found = one.run(std::vector{single})[0];
    for (int64_t j = 0; j < 3; ++j) EXPECT_NEAR(found.data<float>()[j], expected.data<float>()[row * 3 + j], 1e-4f);
  }
}

TEST(Precision, AutoAndFp32LeaveTheModelAndBf16SaysThatItFallsBack) {
  const Model model(sample());
  const std::vector<Tensor> inputs = {random_tensor({5, 48}, 9)};
  const Tensor expected = Session(model, {}).run(inputs)[0];
  for (const Precision precision : {Precision::kAuto, Precision::kFp32, Precision::kBf16}) {
    Session session(model, {.precision = precision});
    EXPECT_TRUE(equal_bytes(session.run(inputs)[0], expected));
    EXPECT_EQ(session.notes().size(), precision == Precision::kBf16 ? 1u : 0u);
  }
}

TEST(Precision, WeightsThatAreNotFiniteStay) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::kF32, SymShape{2, 4});
  Tensor weight = random_tensor({4, 40}, 1);
  weight.data<float>()[7] = std::nanf("");
  const NodeId node = graph.add_node(op_def("FusedMatMul"), {x, graph.add_constant(weight)});
  graph.add_output("y", graph.node(node).outputs[0]);
  infer_graph(graph);
  const Session session(Model(graph), {.precision = Precision::kInt8Dynamic});
  EXPECT_EQ(session.notes()[0], "int8_dynamic: 0 products quantized");
  EXPECT_NE(session.notes()[1].find("a weight is not finite"), std::string::npos);
}

TEST(Precision, NamesAreReadBack) {
  for (const Precision precision : {Precision::kAuto, Precision::kFp32, Precision::kBf16, Precision::kInt8Dynamic})
    EXPECT_EQ(parse_precision(to_string(precision)), precision);
  EXPECT_THROW(parse_precision("int4"), Error);
}

}  // namespace
}  // namespace neural_engine
