// Products of quantized operands become products of integers: QuantizedMatMul.
//
//   DequantizeLinear(a), DequantizeLinear(b) -> FusedMatMul        QDQ, as most tools write it
//   MatMulInteger -> Cast -> Mul by the scales                     dynamic quantization by ONNX Runtime
//   QLinearMatMul
//
// What moves elements and computes nothing is done before DequantizeLinear rather than after it, so that values stay
// in 8 bits from one product to the next. rules_quantize_epilogue.cpp goes on from there.
#include <algorithm>

#include "passes/quantized.h"
#include "passes/queries.h"
#include "passes/rules.h"

namespace neural_engine {

namespace {

using Names = std::vector<std::string>;

// The longest rows whose sums fit, with and without zero points of b (kernels/int_matmul.h).
constexpr int64_t kMaxRows = 65535, kMaxRowsWithZeros = 33025;

// A quantized matrix [K,N], or [N,K] when it is read transposed.
struct Weight {
  ValueId value = kNoValue, scale = kNoValue, zero = kNoValue;
};

// Empty, or why a product of integers cannot read the matrix.
std::string refuse_weight(const Graph& graph, const Weight& weight, bool transposed) {
  const SymShape* shape = shape_of(graph, weight.value);
  if (shape == nullptr || shape->size() != 2) return "b is no matrix";
  const Dim &k = (*shape)[transposed ? 1 : 0], &n = (*shape)[transposed ? 0 : 1];
  if (!k.known() || !n.known()) return "the sizes of b are not known";
  if (k.value() < 1 || n.value() < 1) return "b is empty";
  if (k.value() > (weight.zero == kNoValue ? kMaxRows : kMaxRowsWithZeros))
    return text("rows of ", k.value(), " elements could overflow their sums");
  for (const ValueId parameter : {weight.scale, weight.zero}) {
    if (parameter == kNoValue || is_single(graph, parameter)) continue;
    const SymShape* found = shape_of(graph, parameter);
    if (found == nullptr || !product(*found).is(n.value()) || !found->back().is(n.value()))
      return "b has scales that are neither one nor one for each column";
    if (found->size() != 1 && !graph.value(parameter).is_constant()) return "scales of b have an unusual shape";
  }
  return "";
}

// A zero point of zeros is none.
ValueId without_zeros(const Graph& graph, ValueId zero) {
  if (zero == kNoValue || !graph.value(zero).is_constant()) return zero;
  const Tensor& tensor = graph.value(zero).facts.constant;
  const auto* bytes = static_cast<const uint8_t*>(tensor.raw());
  return std::all_of(bytes, bytes + tensor.bytes(), [](uint8_t byte) { return byte == 0; }) ? kNoValue : zero;
}

// The matrix that a DequantizeLinear reads, if its scales go along with the product's columns.
std::optional<Weight> weight_of(const Graph& graph, ValueId value, bool transposed) {
  const Node* node = producer_of(graph, value, "DequantizeLinear");
  if (node == nullptr || node->attr<int64_t>("block_size") != 0) return std::nullopt;
  const DType dtype = dtype_of(graph, node->inputs[0]);
  if ((dtype != DType::kS8 && dtype != DType::kU8) || dtype_of(graph, node->inputs[1]) != DType::kF32)
    return std::nullopt;
  for (const ValueId input : node->inputs) {
    if (input != kNoValue && !graph.value(input).is_constant()) return std::nullopt;
  }
  const int64_t axis = node->attr<int64_t>("axis"), columns = transposed ? 0 : 1;
  if (!is_single(graph, node->inputs[1]) && (axis < 0 ? axis + 2 : axis) != columns) return std::nullopt;
  return Weight{node->inputs[0], node->inputs[1], without_zeros(graph, node->input(2))};
}

ValueId add_product(Patch& p, ValueId a, ValueId scale_a, ValueId zero_a, const Weight& b, Attrs attrs,
                    std::vector<ValueId> rest = {}) {
  std::vector<ValueId> inputs = {
      a, scale_a, b.value, as_row(p, b.scale), without_zeros(p.graph(), zero_a), as_row(p, b.zero)};
  inputs.insert(inputs.end(), rest.begin(), rest.end());
  return p.add("QuantizedMatMul", std::move(inputs), std::move(attrs));
}

void take_dequantized(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node& product = m.root_node();
  const Node* a = producer_of(graph, product.inputs[0], "DequantizeLinear");
  if (a == nullptr) return;
  const std::optional<QuantizedGrid> grid = tensor_grid(graph, *a);
  const bool transposed = product.attr<int64_t>("trans_b") != 0;
  const std::optional<Weight> b = weight_of(graph, product.inputs[1], transposed);
  if (!grid || !b) return;
  if (product.attr<int64_t>("trans_a") != 0) return p.refuse("its first operand is transposed");
  if (const std::string reason = refuse_weight(graph, *b, transposed); !reason.empty()) return p.refuse(reason);
  Attrs attrs = product.attrs;
  attrs.erase("trans_a");
  std::vector<ValueId> rest = {product.input(2)};
  for (size_t i = 3; i < product.inputs.size(); ++i) rest.push_back(product.inputs[i]);
  p.replace(m.root(), add_product(p, a->inputs[0], grid->scale, grid->zero, *b, std::move(attrs), std::move(rest)));
}

// float(sums) * (scale of a * scale of b): the same operations on the same numbers as the kernels'.
void take_integer(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node& product = m.node("sums");
  if (dtype_of(graph, m.root()) != DType::kF32 || rank_of(graph, product.inputs[0]) < 2) return;
  if (product.has_input(2) && !is_single(graph, product.inputs[2])) return p.refuse("a has zero points by row");
  Weight b = {product.inputs[1], m["scale"], without_zeros(graph, product.input(3))};
  ValueId scale_a = kNoValue;
  if (const Node* scales = producer_of(graph, m["scale"], "Mul")) {
    const bool swapped = !is_single(graph, scales->inputs[0]);
    const ValueId first = scales->inputs[swapped ? 1 : 0], second = scales->inputs[swapped ? 0 : 1];
    if (is_single(graph, first)) {
      scale_a = first;
      b.scale = second;
    }
  }
  if (scale_a == kNoValue) scale_a = p.number(DType::kF32, 1.0);
  const std::string reason = refuse_weight(graph, b, false);
  if (!reason.empty()) return p.refuse(reason);
  p.replace(m.root(), add_product(p, product.inputs[0], scale_a, product.input(2), b, {}));
}

void take_qlinear(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node& product = m.root_node();
  if (rank_of(graph, product.inputs[0]) < 2) return;
  for (const size_t input : {1, 2, 6, 7}) {
    if (!is_single(graph, product.inputs[input])) return p.refuse("a has scales by row");
  }
  for (const size_t input : {1, 4, 6}) {
    if (dtype_of(graph, product.inputs[input]) != DType::kF32) return p.refuse("its scales are not f32");
  }
  const Weight b = {product.inputs[3], product.inputs[4], without_zeros(graph, product.inputs[5])};
  if (const std::string reason = refuse_weight(graph, b, false); !reason.empty()) return p.refuse(reason);
  p.replace(m.root(), add_product(p, product.inputs[0], product.inputs[1], product.inputs[2], b,
                                  {{"post_ops", Names{"quantize"}}}, {kNoValue, product.inputs[6], product.inputs[7]}));
}

// ---- values stay in 8 bits

// move(DequantizeLinear(x)) is DequantizeLinear(move(x)), of a quarter of the bytes. A weight stays: others look for
// it.
void move_first(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node mover = m.root_node();
  const Node* from = producer_of(graph, mover.inputs[0], "DequantizeLinear");
  if (from == nullptr || !tensor_grid(graph, *from)) return;
  if (graph.value(from->inputs[0]).is_constant() && !mover.is("Gather")) return;
  std::vector<ValueId> inputs = mover.inputs;
  inputs[0] = from->inputs[0];
  std::vector<ValueId> rest = from->inputs;
  rest[0] = p.add(mover.op(), std::move(inputs), mover.attrs);
  p.replace(m.root(), p.add("DequantizeLinear", std::move(rest), from->attrs));
}

// Rows of a table with one scale for each row: only the rows that are looked up become floats.
void look_up_first(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node gather = m.root_node();
  const Node table = m.node("table");
  const int rank = rank_of(graph, table.inputs[0]), ids = rank_of(graph, gather.inputs[1]);
  const SymShape* scales = shape_of(graph, table.inputs[1]);
  if (rank != 2 || ids < 0 || scales == nullptr || scales->size() != 1 || table.attr<int64_t>("block_size") != 0)
    return;
  const int64_t axis = table.attr<int64_t>("axis");
  if ((axis != 0 && axis != -2) || gather.attr<int64_t>("axis") != 0) return;
  if (dtype_of(graph, m.root()) != DType::kF32 || dtype_of(graph, table.inputs[1]) != DType::kF32) return;
  if (without_zeros(graph, table.input(2)) != kNoValue) return p.refuse("the rows have zero points");
  const ValueId rows = p.add("Gather", {table.inputs[0], gather.inputs[1]}, gather.attrs);
  const ValueId scale = p.add("Gather", {table.inputs[1], gather.inputs[1]}, gather.attrs);
  const ValueId column = p.add("Unsqueeze", {scale, p.ints({ids})});
  const ValueId real = p.add("Cast", {rows}, {{"to", int64_t{1}}});
  p.replace(m.root(), p.add("Mul", {real, column}));
}

// QuantizeLinear(DequantizeLinear(x)) on one grid is x: a level comes back as itself.
void drop_round_trip(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node* from = producer_of(graph, m.root_node().inputs[0], "DequantizeLinear");
  if (from == nullptr) return;
  const std::optional<QuantizedGrid> in = constant_grid(graph, *from), out = constant_grid(graph, m.root_node());
  if (in && out && same_grid(graph, *in, *out)) p.replace(m.root(), from->inputs[0]);
}

}  // namespace

std::vector<Rule> quantized_product_rules() {
  std::vector<Rule> rules = {
      {"quantized_product", op("FusedMatMul"), take_dequantized},
      {"integer_product", op("Mul", {op("Cast", {op("MatMulInteger").as("sums")}), any("scale")}), take_integer},
      {"qlinear_product", op("QLinearMatMul"), take_qlinear},
      {"quantized_round_trip", op("QuantizeLinear"), drop_round_trip},
      {"quantized_look_up", op("Gather", {op("DequantizeLinear").as("table").shared(), any("ids")}), look_up_first},
  };
  for (const char* mover : {"Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Gather", "Expand"}) {
    rules.push_back({"quantized_move", op(mover), move_first});
  }
  return rules;
}

}  // namespace neural_engine
