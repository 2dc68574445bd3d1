#include "passes/precision.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ir/infer.h"
#include "passes/queries.h"
#include "passes/rules.h"

namespace neural_engine {

namespace {

constexpr int64_t kMinColumns = 32;
// Sums of longer rows could leave 32 bits (kernels/int_matmul.h).
constexpr int64_t kMaxRows = 65535;

struct Quantized {
  Tensor weight, scale;  // undefined when an element is not finite
};

// Symmetric, the largest magnitude of a column at 127.
Quantized quantize_columns(const Tensor& weight, bool transposed) {
  const int64_t n = weight.dim(transposed ? 0 : 1), k = weight.dim(transposed ? 1 : 0);
  const float* src = weight.data<float>();
  const int64_t n_step = transposed ? k : 1, k_step = transposed ? 1 : n;
  std::vector<float> largest(static_cast<size_t>(n), 0.0f);
  // Along the rows of memory, whichever they are.
  for (int64_t i = 0; i < n * k; ++i) {
    if (!std::isfinite(src[i])) return {};
    float& column = largest[static_cast<size_t>(transposed ? i / k : i % n)];
    column = std::max(column, std::fabs(src[i]));
  }
  Quantized result{Tensor(DType::kS8, weight.shape()), Tensor(DType::kF32, {n})};
  std::vector<float> inverse(static_cast<size_t>(n));
  for (int64_t j = 0; j < n; ++j) {
    // The floor keeps the reciprocal of a column of zeros finite.
    const float scale = std::max(largest[static_cast<size_t>(j)], 1e-30f) / 127.0f;
    result.scale.data<float>()[j] = scale;
    inverse[static_cast<size_t>(j)] = 1.0f / scale;
  }
  int8_t* dst = result.weight.data<int8_t>();
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = 0; i < k; ++i) {
      const int64_t at = j * n_step + i * k_step;
      const float level = std::nearbyint(src[at] * inverse[static_cast<size_t>(j)]);
      dst[at] = static_cast<int8_t>(std::clamp(level, -127.0f, 127.0f));
    }
  }
  return result;
}

void quantize_product(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node& node = m.root_node();
  const Value& b = graph.value(node.inputs[1]);
  if (!b.is_constant() || dtype_of(graph, node.inputs[1]) != DType::kF32 || b.facts.constant.rank() != 2) return;
  if (dtype_of(graph, node.inputs[0]) != DType::kF32) return;
  if (node.attr<int64_t>("trans_a") != 0) return p.refuse("its first operand is transposed");
  const bool transposed = node.attr<int64_t>("trans_b") != 0;
  const int64_t n = b.facts.constant.dim(transposed ? 0 : 1), k = b.facts.constant.dim(transposed ? 1 : 0);
  if (n < kMinColumns) return p.refuse(text("it has ", n, " columns, less than ", kMinColumns));
  if (k < 1 || k > kMaxRows) return p.refuse(text("rows of ", k, " elements could overflow their sums"));
  const Quantized quantized = quantize_columns(b.facts.constant, transposed);
  if (!quantized.weight.defined()) return p.refuse("a weight is not finite");
  const std::string name = b.name;
  std::vector<ValueId> inputs = {node.inputs[0], p.constant(quantized.weight, name.empty() ? "" : name + "/s8"),
                                 p.constant(quantized.scale, name.empty() ? "" : name + "/scale"), node.input(2)};
  for (size_t i = 3; i < node.inputs.size(); ++i) inputs.push_back(node.inputs[i]);
  Attrs attrs = node.attrs;
  attrs.erase("trans_a");
  p.replace(m.root(), p.add("DynamicQuantizedMatMul", std::move(inputs), std::move(attrs)));
}

}  // namespace

// Products first, all of them: a DequantizeLinear that a product reads must not become a part of the product before.
bool lower_quantized(Graph& graph, PassReport& report) {
  bool changed = apply_rules(graph, quantized_product_rules(), report);
  if (changed) graph.erase_dead();
  changed = apply_rules(graph, quantized_epilogue_rules(), report) || changed;
  if (!changed) return false;
  graph = graph.compacted();
  infer_graph(graph);
  return true;
}

void quantize_dynamically(Graph& graph, PassReport& report) {
  const Rule rules[] = {{"dynamic_int8", op("FusedMatMul"), quantize_product}};
  apply_rules(graph, rules, report);
  graph = graph.compacted();
}

}  // namespace neural_engine
