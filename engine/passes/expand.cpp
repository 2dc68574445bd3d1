#include "passes/expand.h"

#include <cstring>
#include <limits>

#include "passes/patch.h"
#include "passes/queries.h"

namespace neural_engine {

namespace {

using Names = std::vector<std::string>;

Tensor transposed(const Tensor& matrix) {
  const int64_t rows = matrix.dim(0), columns = matrix.dim(1);
  const auto elem = static_cast<size_t>(bits_of(matrix.dtype())) / 8;
  Tensor result(matrix.dtype(), {columns, rows});
  const auto* from = static_cast<const std::byte*>(matrix.raw());
  auto* to = static_cast<std::byte*>(result.raw());
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      std::memcpy(to + static_cast<size_t>(j * rows + i) * elem, from + static_cast<size_t>(i * columns + j) * elem,
                  elem);
    }
  }
  return result;
}

bool is_byte_matrix(const Graph& graph, ValueId value) {
  if (!graph.value(value).is_constant()) return false;
  const Tensor& tensor = graph.value(value).facts.constant;
  return tensor.rank() == 2 && bits_of(tensor.dtype()) % 8 == 0;
}

ValueId transposed_constant(Patch& p, ValueId value) {
  const Value& found = p.graph().value(value);
  const std::string name = found.name.empty() ? "" : found.name + "/transposed";
  return p.constant(transposed(found.facts.constant), name);
}

// The last two axes exchanged. Weights are exchanged here and now, also those that are kept in 8 bits.
ValueId swap_last(Patch& p, ValueId value) {
  const Graph& graph = p.graph();
  if (is_byte_matrix(graph, value)) return transposed_constant(p, value);
  const Node* dequantize = producer_of(graph, value, "DequantizeLinear");
  if (dequantize != nullptr && is_byte_matrix(graph, dequantize->inputs[0]) &&
      dequantize->attr<int64_t>("block_size") == 0) {
    const Node node = *dequantize;
    std::vector<ValueId> inputs = node.inputs;
    Attrs attrs = node.attrs;
    inputs[0] = transposed_constant(p, inputs[0]);
    const int64_t axis = attrs.get<int64_t>("axis");
    attrs.set("axis", int64_t{axis == 0 || axis == -2 ? 1 : 0});
    return p.add("DequantizeLinear", std::move(inputs), std::move(attrs));
  }
  const int rank = rank_of(graph, value);
  require(rank >= 2, Code::kUnsupported, "an operand of unknown rank is transposed, which ONNX cannot say");
  std::vector<int64_t> perm;
  for (int64_t axis = 0; axis < rank; ++axis) perm.push_back(axis);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return p.add("Transpose", {value}, {{"perm", perm}});
}

ValueId apply_post_op(Patch& p, const std::string& name, ValueId x) {
  if (name == "gelu_erf") return p.add("Gelu", {x}, {{"approximate", std::string("none")}});
  if (name == "gelu_tanh") return p.add("Gelu", {x}, {{"approximate", std::string("tanh")}});
  if (name == "relu") return p.add("Relu", {x});
  if (name == "tanh") return p.add("Tanh", {x});
  if (name == "sigmoid") return p.add("Sigmoid", {x});
  if (name == "silu") return p.add("Mul", {x, p.add("Sigmoid", {x})});
  fail(Code::kUnsupported, "post op \"", name, "\" has no standard form");
}

void expand_matmul(const Node& node, Patch& p) {
  const DType dtype = p.facts(node.outputs[0]).dtype;
  const ValueId a = node.attr<int64_t>("trans_a") != 0 ? swap_last(p, node.inputs[0]) : node.inputs[0];
  const ValueId b = node.attr<int64_t>("trans_b") != 0 ? swap_last(p, node.inputs[1]) : node.inputs[1];
  ValueId x = p.add("MatMul", {a, b});
  if (const float alpha = node.attr<float>("alpha"); alpha != 1.0f) x = p.add("Mul", {x, p.number(dtype, alpha)});
  if (node.has_input(2)) x = p.add("Add", {x, node.inputs[2]});
  size_t operand = 3;
  for (const std::string& name : node.attr<Names>("post_ops")) {
    if (name == "add" || name == "mul") {
      x = p.add(name == "add" ? "Add" : "Mul", {x, node.inputs[operand++]});
    } else {
      x = apply_post_op(p, name, x);
    }
  }
  p.replace(node.outputs[0], x);
}

void expand_swish(const Node& node, Patch& p) {
  const ValueId x = node.inputs[0];
  const float alpha = node.attr<float>("alpha");
  const ValueId scaled = alpha == 1.0f ? x : p.add("Mul", {x, p.number(p.facts(x).dtype, alpha)});
  p.replace(node.outputs[0], p.add("Mul", {x, p.add("Sigmoid", {scaled})}));
}

// Operand i of attention as [b,h,s,d], or, for the keys, [b,h,d,s].
ValueId heads_of(const Node& node, Patch& p, size_t i, bool swapped) {
  static const char* const kNames[] = {"q", "k", "v"};
  const int64_t all_heads = node.attr<int64_t>("num_heads");
  const int64_t heads = i == 0 ? all_heads : node.attr<int64_t>("num_kv_heads");
  const int64_t size = node.attr<int64_t>(i == 2 ? "v_head_size" : "head_size");
  ValueId x = node.inputs[i];
  if (node.attr<std::string>(std::string(kNames[i]) + "_layout") == "BSHD") {
    const int64_t offset = node.attr<int64_t>(std::string(kNames[i]) + "_offset");
    const Facts& facts = p.facts(x);
    if (offset != 0 || !facts.shape || !facts.shape->back().is(heads * size)) {
      x = p.add("Slice", {x, p.ints({offset}), p.ints({offset + heads * size}), p.ints({2})});
    }
    x = p.add("Reshape", {x, p.ints({0, 0, heads, size})});
    x = p.add("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  }
  if (heads != all_heads && heads != 1) {  // each key head serves several query heads that lie side by side
    x = p.add("Unsqueeze", {x, p.ints({2})});
    x = p.add("Expand", {x, p.ints({1, 1, all_heads / heads, 1, 1})});
    x = p.add("Reshape", {x, p.ints({0, all_heads, -1, size})});
  }
  return swapped ? p.add("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}}) : x;
}

// Key j is seen by query i where j <= i + (keys - queries).
ValueId causal_mask(Patch& p, ValueId scores) {
  const auto length = [&](int64_t axis) { return p.add("Shape", {scores}, {{"start", axis}, {"end", axis + 1}}); };
  const ValueId zero = p.constant(Tensor::scalar<int64_t>(0)), one = p.constant(Tensor::scalar<int64_t>(1));
  const ValueId queries = p.add("Squeeze", {length(2)}), keys = p.add("Squeeze", {length(3)});
  const ValueId query = p.add("Add", {p.add("Range", {zero, queries, one}), p.add("Sub", {keys, queries})});
  const ValueId column = p.add("Unsqueeze", {query, p.ints({1})});
  return p.add("LessOrEqual", {p.add("Range", {zero, keys, one}), column});
}

ValueId masked(Patch& p, ValueId scores, ValueId seen) {
  return p.add("Where", {seen, scores, p.number(DType::kF32, -std::numeric_limits<double>::infinity())});
}

void expand_attention(const Node& node, Patch& p) {
  const ValueId q = heads_of(node, p, 0, false), k = heads_of(node, p, 1, true), v = heads_of(node, p, 2, false);
  ValueId x = p.add("MatMul", {q, k});
  if (const float scale = node.attr<float>("scale"); scale != 1.0f) x = p.add("Mul", {x, p.number(DType::kF32, scale)});
  if (node.has_input(3)) {
    const bool additive = p.facts(node.inputs[3]).dtype == DType::kF32;
    x = additive ? p.add("Add", {x, node.inputs[3]}) : masked(p, x, node.inputs[3]);
  }
  if (node.attr<int64_t>("causal") != 0) x = masked(p, x, causal_mask(p, x));
  x = p.add("Softmax", {x}, {{"axis", int64_t{-1}}});
  if (node.attr<int64_t>("zero_unseen") != 0) {
    x = p.add("Where", {p.add("IsNaN", {x}), p.number(DType::kF32, 0), x});
  }
  x = p.add("MatMul", {x, v});
  if (node.attr<std::string>("out_layout") == "BSHD") {
    const int64_t width = node.attr<int64_t>("num_heads") * node.attr<int64_t>("v_head_size");
    x = p.add("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
    x = p.add("Reshape", {x, p.ints({0, 0, width})});
  }
  p.replace(node.outputs[0], x);
}

}  // namespace

bool expand_node(Graph& graph, NodeId id) {
  const Node node = graph.node(id);  // a copy: adding nodes may move it
  void (*const expand)(const Node&, Patch&) = node.is("FusedMatMul")      ? expand_matmul
                                              : node.is("FusedAttention") ? expand_attention
                                              : node.is("Swish")          ? expand_swish
                                                                          : nullptr;
  if (expand == nullptr) return false;
  with_context([&] { return describe(node); },
               [&] {
                 Patch patch(graph, id);
                 expand(node, patch);
                 const std::string refusal = patch.refusal();
                 require(refusal.empty(), Code::kUnsupported, refusal);
                 const NodeId first = patch.added().front();
                 const NodeId last = graph.value(patch.replacements().front().second).producer;
                 patch.commit();
                 // The node that makes the result has the name of what it replaces: so it is found by that again.
                 if (first != last) std::swap(graph.node(first).name, graph.node(last).name);
               });
  return true;
}

void expand_graph(Graph& graph) {
  for (NodeId id = 0, end = graph.num_nodes(); id < end; ++id) {
    if (!graph.alive(id)) continue;
    const Attrs attrs = graph.node(id).attrs;
    for (const auto& [name, value] : attrs.items()) {
      const GraphPtr* body = std::get_if<GraphPtr>(&value);
      if (body == nullptr) continue;
      auto expanded = std::make_shared<Graph>(**body);
      expand_graph(*expanded);
      graph.node(id).attrs.set(name, GraphPtr(std::move(expanded)));
    }
    expand_node(graph, id);
  }
}

}  // namespace neural_engine
