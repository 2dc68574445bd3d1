// Small graphs for the tests of passes, and the check that a pass keeps their results.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "executor/evaluate.h"
#include "ir/graph.h"
#include "ir/infer.h"
#include "passes/pipeline.h"
#include "passes/rules.h"

namespace neural_engine::testing {

inline Tensor random_floats(const Shape& shape, uint32_t seed, float low = -2, float high = 2) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(low, high);
  Tensor tensor(DType::kF32, shape);
  for (int64_t i = 0; i < tensor.elems(); ++i) tensor.data<float>()[i] = uniform(random);
  return tensor;
}

inline std::vector<Tensor> evaluator(const Node& node, std::span<const Tensor> inputs) {
  return evaluate_node(node, inputs);
}

class GraphMaker {
 public:
  ValueId input(const std::string& name, SymShape shape, DType dtype = DType::kF32) {
    return graph.add_input(name, dtype, std::move(shape));
  }
  ValueId constant(Tensor tensor) { return graph.add_constant(std::move(tensor)); }
  ValueId floats(Shape shape, uint32_t seed) { return constant(random_floats(shape, seed)); }
  ValueId number(float value) { return constant(Tensor::scalar<float>(value)); }
  ValueId ints(const std::vector<int64_t>& values) {
    return constant(Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
  }
  ValueId integer(int64_t value) { return constant(Tensor::scalar<int64_t>(value)); }
  ValueId op(std::string_view name, std::vector<ValueId> inputs, Attrs attrs = {}) {
    return op_with_outputs(name, std::move(inputs), std::move(attrs), 1)[0];
  }
  std::vector<ValueId> op_with_outputs(std::string_view name, std::vector<ValueId> inputs, Attrs attrs, int outputs) {
    const NodeId id = graph.add_node(op_def(name), std::move(inputs), std::move(attrs), outputs,
                                     "n" + std::to_string(graph.num_nodes()));
    return graph.node(id).outputs;
  }
  void output(ValueId value) { graph.add_output("out" + std::to_string(graph.outputs().size()), value); }

  ValueId add(ValueId a, ValueId b) { return op("Add", {a, b}); }
  ValueId sub(ValueId a, ValueId b) { return op("Sub", {a, b}); }
  ValueId mul(ValueId a, ValueId b) { return op("Mul", {a, b}); }
  ValueId div(ValueId a, ValueId b) { return op("Div", {a, b}); }
  ValueId matmul(ValueId a, ValueId b) { return op("MatMul", {a, b}); }
  ValueId transpose(ValueId x, std::vector<int64_t> perm) { return op("Transpose", {x}, {{"perm", std::move(perm)}}); }
  ValueId reshape(ValueId x, const std::vector<int64_t>& shape) { return op("Reshape", {x, ints(shape)}); }

  Graph graph;
};

inline int count_ops(const Graph& graph, std::string_view op) {
  int count = 0;
  for (NodeId id = 0; id < graph.num_nodes(); ++id) count += graph.node(id).is(op) ? 1 : 0;
  return count;
}

inline int count_nodes(const Graph& graph) {
  int count = 0;
  for (NodeId id = 0; id < graph.num_nodes(); ++id) count += graph.alive(id) ? 1 : 0;
  return count;
}

// Random values for the inputs; `sizes` gives the symbols' values in the order in which they first occur.
inline std::vector<Tensor> random_inputs(const Graph& graph, const std::vector<int64_t>& sizes, uint32_t seed = 7) {
  std::vector<std::string> symbols;
  std::vector<Tensor> tensors;
  for (ValueId input : graph.inputs()) {
    Shape shape;
    for (const Dim& dim : *graph.value(input).facts.shape) {
      if (dim.known()) {
        shape.push_back(dim.value());
        continue;
      }
      const auto at = std::find(symbols.begin(), symbols.end(), dim.symbol());
      shape.push_back(sizes[static_cast<size_t>(at - symbols.begin())]);
      if (at == symbols.end()) symbols.push_back(dim.symbol());
    }
    Tensor tensor = random_floats(shape, ++seed);
    if (graph.value(input).facts.dtype == DType::kS64) {
      Tensor numbers(DType::kS64, shape);
      for (int64_t i = 0; i < numbers.elems(); ++i) numbers.data<int64_t>()[i] = (i * 7 + seed) % 4;
      tensor = numbers;
    } else if (graph.value(input).facts.dtype == DType::kBool) {
      Tensor bits(DType::kBool, shape);
      for (int64_t i = 0; i < bits.elems(); ++i) bits.data<bool>()[i] = i % 3 != 1;
      tensor = bits;
    }
    tensors.push_back(tensor);
  }
  return tensors;
}

// Within `tolerance` of the larger of 1 and the value; NaN equals NaN.
inline void expect_close(const Tensor& found, const Tensor& expected, double tolerance) {
  ASSERT_EQ(found.dtype(), expected.dtype());
  ASSERT_EQ(found.shape(), expected.shape());
  if (found.dtype() != DType::kF32) {
    ASSERT_EQ(std::memcmp(found.raw(), expected.raw(), found.bytes()), 0);
    return;
  }
  for (int64_t i = 0; i < found.elems(); ++i) {
    const double a = found.data<float>()[i], b = expected.data<float>()[i];
    if (std::isnan(a) && std::isnan(b)) continue;
    if (a == b) continue;
    ASSERT_LE(std::abs(a - b), tolerance * std::max(1.0, std::abs(b))) << "at element " << i;
  }
}

inline void expect_same_results(const Graph& found, const Graph& expected, const std::vector<Tensor>& inputs,
                                double tolerance = 2e-5) {
  const std::vector<Tensor> a = evaluate_graph(found, inputs), b = evaluate_graph(expected, inputs);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) expect_close(a[i], b[i], tolerance);
}

// Applies the rules; the results stay what they were, for two choices of the symbols' values.
inline PassReport apply_and_compare(Graph* graph, const std::vector<Rule>& rules) {
  infer_graph(*graph);
  const Graph before = *graph;
  PassReport report(-1);
  apply_rules(*graph, rules, report);
  graph->erase_dead();
  infer_graph(*graph);
  for (const std::vector<int64_t>& sizes : {std::vector<int64_t>{2, 3, 4}, std::vector<int64_t>{1, 5, 2}}) {
    expect_same_results(*graph, before, random_inputs(before, sizes));
  }
  return report;
}

inline PassReport simplify_and_compare(Graph* graph, double tolerance = 2e-5) {
  infer_graph(*graph);
  const Graph before = *graph;
  PassReport report(-1);
  simplify(*graph, evaluator, report);
  for (const std::vector<int64_t>& sizes : {std::vector<int64_t>{2, 3, 4}, std::vector<int64_t>{1, 5, 2}}) {
    expect_same_results(*graph, before, random_inputs(before, sizes), tolerance);
  }
  return report;
}

}  // namespace neural_engine::testing
