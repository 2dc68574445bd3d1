#include "compressor/targets.h"

#include <algorithm>

#include "ops/post_ops.h"
#include "passes/queries.h"

namespace neural_engine {

namespace {

bool is_product(const Node& node) { return node.is("MatMul") || node.is("Gemm") || node.is("FusedMatMul"); }

bool is_f32(const Graph& graph, ValueId value) { return dtype_of(graph, value) == DType::kF32; }

bool is_activation(const Graph& graph, ValueId value) {
  return value != kNoValue && is_f32(graph, value) && !graph.value(value).is_constant();
}

// The first operand must have its rows in the last axis, which is what quantization by rows and channels means.
bool transposes_first(const Node& node) {
  if (node.is("Gemm")) return node.attr<int64_t>("transA") != 0;
  return node.is("FusedMatMul") && node.attr<int64_t>("trans_a") != 0;
}

bool is_matrix(const Graph& graph, ValueId value) {
  const Value& found = graph.value(value);
  return found.is_constant() && found.facts.dtype == DType::kF32 && found.facts.constant.rank() == 2 &&
         found.facts.constant.elems() > 0;
}

Target describe_target(const Graph& graph, NodeId id, TargetKind kind) {
  Target target{.node = id, .kind = kind, .name = graph.node(id).name, .aliases = {}, .residual_input = 0};
  for (ValueId input : graph.node(id).inputs) {
    if (input == kNoValue || !graph.value(input).is_constant() || graph.value(input).name.empty()) continue;
    target.aliases.push_back(graph.value(input).name);
  }
  return target;
}

// The operand of the first post op "add" that is as large as the product; 0: there is none.
size_t residual_of(const Graph& graph, const Node& node) {
  const SymShape* shape = shape_of(graph, node.outputs[0]);
  size_t operand = 3;
  for (const std::string& name : node.attr<std::vector<std::string>>("post_ops")) {
    const std::optional<PostOp> op = find_post_op(name);
    if (!op || !op->binary) continue;
    const SymShape* other = shape_of(graph, node.input(operand));
    if (name == "add" && is_activation(graph, node.input(operand)) && shape && other && same_shape(*shape, *other)) {
      return operand;
    }
    ++operand;
  }
  return 0;
}

void add_product(const Graph& graph, NodeId id, std::vector<Target>& targets) {
  const Node& node = graph.node(id);
  if (!is_activation(graph, node.inputs[0]) || transposes_first(node) || rank_of(graph, node.inputs[0]) < 2) return;
  if (is_matrix(graph, node.inputs[1])) {
    targets.push_back(describe_target(graph, id, TargetKind::kLinear));
  } else if (is_activation(graph, node.inputs[1]) && rank_of(graph, node.inputs[1]) >= 2) {
    targets.push_back(describe_target(graph, id, TargetKind::kMatMul));
  }
  if (!node.is("FusedMatMul")) return;
  if (const size_t operand = residual_of(graph, node); operand != 0) {
    targets.push_back(describe_target(graph, id, TargetKind::kResidual));
    targets.back().residual_input = operand;
  }
}

void add_sum(const Graph& graph, NodeId id, std::vector<Target>& targets) {
  const Node& node = graph.node(id);
  if (!is_activation(graph, node.inputs[0]) || !is_activation(graph, node.inputs[1])) return;
  const SymShape* a = shape_of(graph, node.inputs[0]);
  const SymShape* b = shape_of(graph, node.inputs[1]);
  if (!a || !b || a->size() < 2 || !same_shape(*a, *b) || channels_of(graph, node.inputs[0]) == 0) return;
  targets.push_back(describe_target(graph, id, TargetKind::kResidual));
}

void add_gather(const Graph& graph, NodeId id, std::vector<Target>& targets) {
  const Node& node = graph.node(id);
  const int64_t axis = node.attr<int64_t>("axis");
  if (!is_matrix(graph, node.inputs[0]) || (axis != 0 && axis != -2)) return;
  // A table that a product shares (tied embeddings) is the product's.
  if (graph.value(node.inputs[0]).users.size() != 1) return;
  targets.push_back(describe_target(graph, id, TargetKind::kEmbedding));
}

void add_attention(const Graph& graph, NodeId id, std::vector<Target>& targets) {
  const Node& node = graph.node(id);
  if (node.attr<int64_t>("causal") != 0 || node.attr<int64_t>("zero_unseen") != 0) return;
  if (node.attr<int64_t>("num_heads") % node.attr<int64_t>("num_kv_heads") != 0) return;
  if (node.has_input(3) && dtype_of(graph, node.inputs[3]) != DType::kF32) return;
  targets.push_back(describe_target(graph, id, TargetKind::kAttention));
}

}  // namespace

std::vector<Target> find_targets(const Graph& graph) {
  std::vector<Target> targets;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (is_product(node)) add_product(graph, id, targets);
    if (node.is("Add")) add_sum(graph, id, targets);
    if (node.is("Gather")) add_gather(graph, id, targets);
    if (node.is("FusedAttention")) add_attention(graph, id, targets);
  }
  return targets;
}

bool weight_is_transposed(const Node& product) {
  if (product.is("Gemm")) return product.attr<int64_t>("transB") != 0;
  return product.is("FusedMatMul") && product.attr<int64_t>("trans_b") != 0;
}

int64_t channels_of(const Graph& graph, ValueId value) {
  const SymShape* shape = shape_of(graph, value);
  return shape != nullptr && !shape->empty() && shape->back().known() ? shape->back().value() : 0;
}

}  // namespace neural_engine
