#include "compressor/quantize/fold.h"

#include "compressor/quantize/weight.h"
#include "compressor/targets.h"
#include "passes/queries.h"

namespace neural_engine {

namespace {

using Names = std::vector<std::string>;

bool is_vector(const Graph& graph, ValueId value, int64_t elems) {
  const Tensor& tensor = graph.value(value).facts.constant;
  return tensor.defined() && tensor.dtype() == DType::kF32 && tensor.rank() == 1 && tensor.elems() == elems;
}

Tensor divided(const Tensor& vector, std::span<const float> divisors) {
  Tensor result(DType::kF32, vector.shape());
  for (size_t i = 0; i < divisors.size(); ++i) result.data<float>()[i] = vector.data<float>()[i] / divisors[i];
  return result;
}

void replace_constant(Graph& graph, NodeId node, size_t input, Tensor tensor) {
  const std::string name = graph.value(graph.node(node).inputs[input]).name;
  graph.set_input(node, input, graph.add_constant(std::move(tensor), name));
}

bool fold_into_norm(Graph& graph, NodeId id, std::span<const float> divisors) {
  const Node& norm = graph.node(id);
  if (!norm.is("LayerNormalization") && !norm.is("RMSNormalization")) return false;
  const int64_t axis = norm.attr<int64_t>("axis");
  if (axis != -1 && axis != rank_of(graph, norm.inputs[0]) - 1) return false;
  const auto channels = static_cast<int64_t>(divisors.size());
  if (!is_vector(graph, norm.inputs[1], channels)) return false;
  if (norm.has_input(2) && !is_vector(graph, norm.inputs[2], channels)) return false;
  const size_t inputs = norm.inputs.size();
  for (size_t i = 1; i < inputs; ++i) {
    if (!graph.node(id).has_input(i)) continue;
    replace_constant(graph, id, i, divided(graph.value(graph.node(id).inputs[i]).facts.constant, divisors));
  }
  return true;
}

}  // namespace

NodeId scalable_product(const Graph& graph, ValueId x, bool through_relu) {
  NodeId id = graph.value(x).producer;
  if (id == kNoNode) return kNoNode;
  if (through_relu && graph.node(id).is("Relu")) {
    const ValueId before = graph.node(id).inputs[0];
    if (!only_used_by(graph, before, id)) return kNoNode;
    id = graph.value(before).producer;
    if (id == kNoNode) return kNoNode;
  }
  const Node& node = graph.node(id);
  if (!node.is("FusedMatMul") && !node.is("Gemm") && !node.is("MatMul")) return kNoNode;
  const Tensor& weight = graph.value(node.inputs[1]).facts.constant;
  if (!weight.defined() || weight.dtype() != DType::kF32 || weight.rank() != 2) return kNoNode;
  const int64_t channels = weight.dim(weight_is_transposed(node) ? 0 : 1);
  if (node.has_input(2) && !is_vector(graph, node.inputs[2], channels)) return kNoNode;
  if (!node.is("FusedMatMul")) return id;
  const Names& post_ops = node.attr<Names>("post_ops");
  return post_ops.empty() || (through_relu && post_ops == Names{"relu"}) ? id : kNoNode;
}

void divide_product(Graph& graph, NodeId product, std::span<const float> divisors) {
  const Node& node = graph.node(product);
  const bool has_bias = node.has_input(2);
  const Tensor weight = graph.value(node.inputs[1]).facts.constant;
  replace_constant(graph, product, 1, divide_outputs(weight, weight_is_transposed(node), divisors));
  if (has_bias) {
    const Tensor bias = graph.value(graph.node(product).inputs[2]).facts.constant;
    replace_constant(graph, product, 2, divided(bias, divisors));
  }
}

bool fold_division(Graph& graph, ValueId x, std::span<const float> divisors) {
  const NodeId producer = graph.value(x).producer;
  if (producer == kNoNode || graph.node(producer).outputs[0] != x) return false;
  if (fold_into_norm(graph, producer, divisors)) return true;
  const NodeId product = scalable_product(graph, x, /*through_relu=*/false);
  if (product == kNoNode) return false;
  divide_product(graph, product, divisors);
  return true;
}

}  // namespace neural_engine
