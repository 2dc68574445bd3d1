#include <gtest/gtest.h>

#include <numbers>

#include "executor/op_binding.h"
#include "executor/weight_store.h"
#include "op_tester.h"
#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::doubles;
using testing::error_of;
using testing::expect_near;
using testing::random_tensor;
using testing::run_op;
using testing::tensor_of;
using testing::values;

// op(a)[m,k] x op(b)[k,n] of one matrix each, in double.
std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b, int64_t m, int64_t n, int64_t k,
                            bool trans_a = false, bool trans_b = false) {
  std::vector<double> c(static_cast<size_t>(m * n), 0.0);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t x = 0; x < k; ++x) {
        c[static_cast<size_t>(i * n + j)] += a[static_cast<size_t>(trans_a ? x * m + i : i * k + x)] *
                                             b[static_cast<size_t>(trans_b ? j * k + x : x * n + j)];
      }
    }
  }
  return c;
}

std::vector<double> slice(const std::vector<double>& from, int64_t index, int64_t size) {
  return {from.begin() + index * size, from.begin() + (index + 1) * size};
}

// Half as many digits as the dtype has, for sums of some dozens of products.
double tolerance(DType dtype) {
  return dtype == DType::kBF16 ? 0.02 : dtype == DType::kF16 ? 3e-3 : dtype == DType::kF32 ? 1e-5 : 1e-12;
}

TEST(MatMul, MultipliesMatricesOfEveryFloatingDtype) {
  for (const DType dtype : {DType::kF32, DType::kF64, DType::kF16, DType::kBF16}) {
    const Tensor a = random_tensor({5, 33}, 1, dtype), b = random_tensor({33, 17}, 2, dtype);
    const Tensor c = run_op("MatMul", {a, b})[0];
    EXPECT_EQ(c.dtype(), dtype);
    expect_near(c, product(doubles(a), doubles(b), 5, 17, 33), tolerance(dtype), tolerance(dtype));
  }
}

TEST(MatMul, IsExactOnIntegers) {
  const Tensor a = Tensor::of<int64_t>({2, 3}, {1, -2, 3, 1LL << 40, 5, 6});
  const Tensor b = Tensor::of<int64_t>({3, 1}, {3, 4, -5});
  EXPECT_EQ(values<int64_t>(run_op("MatMul", {a, b})[0]), (std::vector<int64_t>{-20, 3 * (1LL << 40) - 10}));
  const Tensor small = Tensor::of<int32_t>({1, 2}, {-7, 2}), other = Tensor::of<int32_t>({2}, {3, 4});
  EXPECT_EQ(values<int32_t>(run_op("MatMul", {small, other})[0]), std::vector<int32_t>{-13});
}

TEST(MatMul, TreatsVectorsAsNumpyDoes) {
  const Tensor v = random_tensor({6}, 1), m = random_tensor({6, 4}, 2), w = random_tensor({4}, 3);
  EXPECT_EQ(run_op("MatMul", {v, v})[0].shape(), Shape{});
  EXPECT_EQ(run_op("MatMul", {v, m})[0].shape(), Shape{4});
  const Tensor column = run_op("MatMul", {m, w})[0];
  EXPECT_EQ(column.shape(), Shape{6});
  expect_near(column, product(doubles(m), doubles(w), 6, 1, 4));
}

TEST(MatMul, BroadcastsBatches) {
  struct Case {
    Shape a, b, out;
  };
  for (const Case& each :
       {Case{{3, 2, 4, 5}, {3, 2, 5, 6}, {3, 2, 4, 6}}, Case{{3, 2, 4, 5}, {1, 2, 5, 6}, {3, 2, 4, 6}},
        Case{{3, 1, 4, 5}, {1, 2, 5, 6}, {3, 2, 4, 6}}, Case{{4, 5}, {3, 2, 5, 6}, {3, 2, 4, 6}},
        Case{{3, 2, 4, 5}, {5, 6}, {3, 2, 4, 6}}, Case{{3, 2, 4, 5}, {3, 1, 5, 6}, {3, 2, 4, 6}},
        Case{{3, 2, 4, 5}, {2, 5, 6}, {3, 2, 4, 6}}}) {
    for (const DType dtype : {DType::kF32, DType::kF64}) {
      const Tensor a = random_tensor(each.a, 1, dtype), b = random_tensor(each.b, 2, dtype);
      const Tensor c = run_op("MatMul", {a, b})[0];
      ASSERT_EQ(c.shape(), each.out);
      const auto index = [](const Shape& shape, int64_t i, int64_t j) {
        const size_t rank = shape.size();
        int64_t at = rank > 3 && shape[rank - 4] > 1 ? i : 0;
        const int64_t inner = rank > 2 ? shape[rank - 3] : 1;
        return at * inner + (inner > 1 ? j : 0);
      };
      for (int64_t i = 0; i < 3; ++i) {
        for (int64_t j = 0; j < 2; ++j) {
          const std::vector<double> found = slice(doubles(c), i * 2 + j, 24);
          expect_near(
              tensor_of(DType::kF64, {24}, found),
              product(slice(doubles(a), index(each.a, i, j), 20), slice(doubles(b), index(each.b, i, j), 30), 4, 6, 5));
        }
      }
    }
  }
}

TEST(MatMul, GivesZerosOverAnEmptyInnerDimension) {
  EXPECT_EQ(values<float>(run_op("MatMul", {Tensor(DType::kF32, {2, 0}), Tensor(DType::kF32, {0, 2})})[0]),
            std::vector<float>(4, 0.0f));
  EXPECT_EQ(run_op("MatMul", {Tensor(DType::kF32, {0, 3}), Tensor(DType::kF32, {3, 2})})[0].shape(), (Shape{0, 2}));
}

TEST(MatMul, RefusesWhatCannotBeMultiplied) {
  EXPECT_NE(error_of([] {
              run_op("MatMul", {random_tensor({2, 3}, 1), random_tensor({4, 2}, 2)});
            }).find("inner dimensions are 3 and 4"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              run_op("MatMul", {Tensor::of<int8_t>({1, 1}, {1}), Tensor::of<int8_t>({1, 1}, {1})});
            }).find("dtype s8"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              run_op("MatMul", {Tensor::scalar(1.0f), random_tensor({4, 2}, 2)});
            }).find("ranks"),
            std::string::npos);
}

TEST(MatMul, InfersSymbolicShapes) {
  Graph graph;
  const ValueId a = graph.add_input("a", DType::kF32, SymShape{Dim::symbol("batch"), Dim::symbol("seq"), 8});
  const ValueId b = graph.add_input("b", DType::kF32, SymShape{8, 3});
  graph.add_output("c", graph.node(graph.add_node(op_def("MatMul"), {a, b})).outputs[0]);
  infer_graph(graph);
  EXPECT_EQ(to_string(*graph.value(graph.outputs()[0].value).facts.shape), "[batch,seq,3]");
}

// Binds with B constant, as plans do, and runs.
Tensor run_packed(std::string_view op, const Tensor& a, const Tensor& b, Attrs attrs) {
  Graph graph;
  const ValueId x = graph.add_input("a", a.dtype(), symbolic(a.shape()));
  const NodeId id = graph.add_node(op_def(op), {x, graph.add_constant(b)}, std::move(attrs));
  const Facts fact_a = facts_of(a.dtype(), symbolic(a.shape())), fact_b = facts_of(b);
  const Facts* inputs[] = {&fact_a, &fact_b};
  const std::vector<Facts> outputs = infer_node(graph.node(id), inputs);
  WeightStore store;
  const BoundOp bound = find_binding(op)->bind(BindContext(graph.node(id), inputs, outputs, 1, store));
  EXPECT_GT(store.bytes(), 0u);
  Tensor out(a.dtype(), *concrete(*outputs[0].shape));
  Tensor scratch(DType::kU8, {static_cast<int64_t>(bound.scratch_bytes)});
  const Tensor* sources[] = {&a, &b};
  Tensor* targets[] = {&out};
  SerialParallel serial;
  OpContext context(sources, targets, serial, static_cast<std::byte*>(scratch.raw()));
  bound.run(context);
  return out;
}

TEST(MatMul, PacksConstantWeightsOnce) {
  for (const DType dtype : {DType::kF32, DType::kF16}) {
    const Tensor a = random_tensor({2, 3, 20}, 1, dtype), b = random_tensor({20, 9}, 2, dtype);
    expect_near(run_packed("MatMul", a, b, {}), product(doubles(a), doubles(b), 6, 9, 20), tolerance(dtype),
                tolerance(dtype));
    const Tensor bt = random_tensor({9, 20}, 2, dtype);
    expect_near(run_packed("Gemm", a.reshaped({6, 20}), bt, {{"transB", int64_t{1}}}),
                product(doubles(a), doubles(bt), 6, 9, 20, false, true), tolerance(dtype), tolerance(dtype));
  }
}

TEST(Gemm, HonoursTransposesScalesAndEverySpreadOfC) {
  for (const DType dtype : {DType::kF32, DType::kF64, DType::kBF16}) {
    for (const bool trans : {false, true}) {
      for (const Shape& c_shape : {Shape{}, Shape{1}, Shape{7}, Shape{1, 7}, Shape{4, 1}, Shape{4, 7}}) {
        const Tensor a = random_tensor(trans ? Shape{9, 4} : Shape{4, 9}, 1, dtype);
        const Tensor b = random_tensor(trans ? Shape{7, 9} : Shape{9, 7}, 2, dtype);
        const Tensor c = random_tensor(c_shape, 3, dtype);
        std::vector<double> expected = product(doubles(a), doubles(b), 4, 7, 9, trans, trans);
        const int64_t rows = c_shape.size() == 2 ? c_shape[0] : 1, columns = c_shape.empty() ? 1 : c_shape.back();
        for (int64_t i = 0; i < 28; ++i) {
          const int64_t at = (rows == 1 ? 0 : i / 7) * columns + (columns == 1 ? 0 : i % 7);
          double& value = expected[static_cast<size_t>(i)];
          value = 0.5 * value + 1.5 * doubles(c)[static_cast<size_t>(at)];
        }
        const Attrs attrs = {{"alpha", 0.5f}, {"beta", 1.5f}, {"transA", int64_t{trans}}, {"transB", int64_t{trans}}};
        expect_near(run_op("Gemm", {a, b, c}, attrs)[0], expected, tolerance(dtype), tolerance(dtype));
      }
    }
  }
}

TEST(Gemm, ComputesIntegersExactlyAndRefusesFractions) {
  const Tensor a = Tensor::of<int32_t>({1, 2}, {1, 2}), b = Tensor::of<int32_t>({2, 1}, {3, 4});
  const Tensor c = Tensor::of<int32_t>({1}, {10});
  EXPECT_EQ(values<int32_t>(run_op("Gemm", {a, b, c}, {{"alpha", 2.0f}, {"beta", -1.0f}})[0]),
            std::vector<int32_t>{12});
  EXPECT_NE(error_of([&] { run_op("Gemm", {a, b, c}, {{"alpha", 0.5f}}); }).find("whole numbers"), std::string::npos);
}

TEST(Gemm, RefusesACThatIsWiderThanTheProduct) {
  EXPECT_NE(error_of([] {
              run_op("Gemm", {random_tensor({2, 3}, 1), random_tensor({3, 1}, 2), random_tensor({2, 4}, 3)});
            }).find("C has shape [2,4]"),
            std::string::npos);
}

TEST(FusedMatMul, AppliesPostOpsInOrder) {
  const int64_t m = 6, n = 5, k = 8;
  for (const DType dtype : {DType::kF32, DType::kF16}) {
    const Tensor a = random_tensor({2, 3, k}, 1, dtype), b = random_tensor({n, k}, 2, dtype);
    const Tensor bias = random_tensor({n}, 3, dtype), row = random_tensor({n}, 4, dtype);
    const Tensor full = random_tensor({2, 3, n}, 5, dtype);
    const Attrs attrs = {{"trans_b", int64_t{1}},
                         {"alpha", 0.25f},
                         {"post_ops", std::vector<std::string>{"gelu_erf", "mul", "add", "relu"}}};
    const Tensor found = run_op("FusedMatMul", {a, b, bias, row, full}, attrs)[0];
    EXPECT_EQ(found.shape(), (Shape{2, 3, n}));
    std::vector<double> expected = product(doubles(a), doubles(b), m, n, k, false, true);
    for (int64_t i = 0; i < m * n; ++i) {
      const size_t column = static_cast<size_t>(i % n), at = static_cast<size_t>(i);
      double x = 0.25 * expected[at] + doubles(bias)[column];
      x = x / 2 * (1 + std::erf(x / std::numbers::sqrt2));
      expected[at] = std::max(0.0, x * doubles(row)[column] + doubles(full)[at]);
    }
    expect_near(found, expected, tolerance(dtype), tolerance(dtype));
  }
}

TEST(FusedMatMul, MultipliesBatchesWithTransposesAndResiduals) {
  const Tensor a = random_tensor({2, 4, 3}, 1), b = random_tensor({2, 4, 5}, 2), residual = random_tensor({2, 3, 5}, 3);
  const Attrs attrs = {{"trans_a", int64_t{1}}, {"post_ops", std::vector<std::string>{"add", "sigmoid"}}};
  const Tensor found = run_op("FusedMatMul", {a, b, Tensor(), residual}, attrs)[0];
  for (int64_t i = 0; i < 2; ++i) {
    std::vector<double> expected = product(slice(doubles(a), i, 12), slice(doubles(b), i, 20), 3, 5, 4, true);
    for (size_t j = 0; j < expected.size(); ++j) {
      expected[j] = 1 / (1 + std::exp(-expected[j] - slice(doubles(residual), i, 15)[j]));
    }
    expect_near(tensor_of(DType::kF64, {15}, slice(doubles(found), i, 15)), expected);
  }
}

TEST(FusedMatMul, RefusesUnknownPostOpsAndMissingOperands) {
  const Tensor a = random_tensor({2, 3}, 1), b = random_tensor({3, 2}, 2);
  const auto message = [&](const char* op, const std::vector<Tensor>& inputs) {
    return error_of([&] { run_op("FusedMatMul", inputs, {{"post_ops", std::vector<std::string>{op}}}); });
  };
  EXPECT_NE(message("swish", {a, b}).find("\"swish\", expected one of gelu_erf"), std::string::npos);
  EXPECT_NE(message("add", {a, b}).find("input 3 is absent"), std::string::npos);
  EXPECT_NE(message("add", {a, b, Tensor(), random_tensor({2, 1}, 1)}).find("operand 3 has shape [2,1]"),
            std::string::npos);
  EXPECT_NE(message("relu", {a, b, Tensor(), a}).find("post_ops consumes 3"), std::string::npos);
}

}  // namespace
}  // namespace neural_engine
