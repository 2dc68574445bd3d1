// What follows a product of integers becomes a part of it: numbers, activations, the residual (in 8 bits too),
// QuantizeLinear, and DequantizeLinear of its own result.
#include <algorithm>

#include "passes/quantized.h"
#include "passes/queries.h"
#include "passes/rules.h"

namespace neural_engine {

namespace {

using Names = std::vector<std::string>;

constexpr size_t kFirstOperand = 7;

// The product with one post op more.
void extend(const Match& m, Patch& p, const char* post_op, const std::vector<ValueId>& operands) {
  const Node node = m.node("product");
  std::vector<ValueId> inputs = node.inputs;
  Attrs attrs = node.attrs;
  Names post_ops = node.attr<Names>("post_ops");
  post_ops.emplace_back(post_op);
  attrs.set("post_ops", std::move(post_ops));
  if (inputs.size() < kFirstOperand && !operands.empty()) inputs.resize(kFirstOperand, kNoValue);
  inputs.insert(inputs.end(), operands.begin(), operands.end());
  p.replace(m.root(), p.add("QuantizedMatMul", std::move(inputs), std::move(attrs)));
}

bool is_real(const Match& m) { return dtype_of(m.graph(), m["product"]) == DType::kF32; }

// The other operand has the product's shape for certain, or is a row or a number.
void take_binary(const char* post_op, const char* quantized, const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const SymShape* shape = shape_of(graph, m["product"]);
  const SymShape* other = shape_of(graph, m["other"]);
  if (!is_real(m) || shape == nullptr || other == nullptr || dtype_of(graph, m["other"]) != DType::kF32) return;
  if (same_shape(*shape, *other)) {
    const Node* from = producer_of(graph, m["other"], "DequantizeLinear");
    const std::optional<QuantizedGrid> grid = from != nullptr ? tensor_grid(graph, *from) : std::nullopt;
    if (grid) return extend(m, p, quantized, {from->inputs[0], grid->scale, zero_of(p, *grid)});
    return extend(m, p, post_op, {m["other"]});
  }
  const std::optional<Shape> known = concrete(*other);
  const bool is_row = known && !known->empty() && shape->back().is(known->back()) &&
                      std::all_of(known->begin(), known->end() - 1, [](int64_t dim) { return dim == 1; });
  if ((is_single(graph, m["other"]) || is_row) && other->size() <= shape->size())
    return extend(m, p, post_op, {m["other"]});
  p.refuse("the other operand has shape " + to_string(*other) + ", the product " + to_string(*shape));
}

void take_quantize(const Match& m, Patch& p) {
  const std::optional<QuantizedGrid> grid = constant_grid(m.graph(), m.root_node());
  if (grid && is_real(m)) extend(m, p, "quantize", {grid->scale, zero_of(p, *grid)});
}

// Nobody else reads the levels: the product gives the numbers that they stand for.
void take_dequantize(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node node = m.node("product");
  Names post_ops = node.attr<Names>("post_ops");
  if (post_ops.empty() || post_ops.back() != "quantize") return;
  const std::optional<QuantizedGrid> grid = constant_grid(graph, m.root_node());
  const size_t scale = node.inputs.size() - 2;
  if (!grid || !same_grid(graph, *grid, {node.inputs[scale], node.inputs[scale + 1], grid->dtype})) return;
  Attrs attrs = node.attrs;
  post_ops.back() = "round";
  attrs.set("post_ops", std::move(post_ops));
  p.replace(m.root(), p.add("QuantizedMatMul", node.inputs, std::move(attrs)));
}

Rule unary(const char* post_op, const Pattern& pattern) {
  return {std::string("quantized_") + post_op, pattern, [post_op](const Match& m, Patch& p) {
            if (is_real(m)) extend(m, p, post_op, {});
          }};
}

}  // namespace

std::vector<Rule> quantized_epilogue_rules() {
  const Pattern product = op("QuantizedMatMul").as("product");
  const Pattern other = any("other");
  return {
      {"quantized_add", op("Add", {product, other}),
       [](const Match& m, Patch& p) { take_binary("add", "add_quantized", m, p); }},
      {"quantized_mul", op("Mul", {product, other}),
       [](const Match& m, Patch& p) { take_binary("mul", "mul_quantized", m, p); }},
      unary("relu", op("Relu", {product})),
      unary("tanh", op("Tanh", {product})),
      unary("sigmoid", op("Sigmoid", {product})),
      unary("gelu_erf", op("Gelu", {product}, {{"approximate", std::string("none")}})),
      unary("gelu_tanh", op("Gelu", {product}, {{"approximate", std::string("tanh")}})),
      unary("silu", op("Swish", {product}, {{"alpha", 1.0f}})),
      {"quantized_store",
       op("QuantizeLinear", {product, any("scale"), any("zero")}) | op("QuantizeLinear", {product, any("scale")}),
       take_quantize},
      {"quantized_read",
       op("DequantizeLinear", {product, any("scale"), any("zero")}) | op("DequantizeLinear", {product, any("scale")}),
       take_dequantize},
  };
}

}  // namespace neural_engine
