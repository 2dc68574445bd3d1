// Products of one input with several weights whose results attention reads side by side: one product with the weights
// side by side. It reads the input once, has one larger N, and attention reads heads at offsets in any case.
#include <algorithm>
#include <cstring>

#include "base/tensor_memory.h"
#include "passes/queries.h"
#include "passes/rules.h"

namespace neural_engine {

namespace {

const char* const kLayouts[] = {"q_layout", "k_layout", "v_layout"};
const char* const kOffsets[] = {"q_offset", "k_offset", "v_offset"};

// A projection that can be merged: constant weight and bias, nothing else done to the result.
struct Projection {
  const Node* node = nullptr;
  Tensor weight, bias;
  int64_t n = 0;
};

std::optional<Projection> projection_of(const Graph& graph, ValueId value, NodeId user) {
  const Node* node = producer_of(graph, value, "FusedMatMul");
  if (node == nullptr || node->inputs.size() > 3 || !only_used_by(graph, value, user)) return std::nullopt;
  if (!node->attr<std::vector<std::string>>("post_ops").empty() || node->attr<int64_t>("trans_a") != 0) {
    return std::nullopt;
  }
  Projection found{.node = node, .weight = {}, .bias = {}, .n = 0};
  found.weight = graph.value(node->inputs[1]).facts.constant;
  if (!found.weight.defined() || found.weight.rank() != 2) return std::nullopt;
  if (node->has_input(2)) {
    found.bias = graph.value(node->inputs[2]).facts.constant;
    if (!found.bias.defined()) return std::nullopt;
  }
  found.n = found.weight.dim(node->attr<int64_t>("trans_b") != 0 ? 0 : 1);
  return found;
}

bool can_merge(const Projection& a, const Projection& b) {
  return a.node->inputs[0] == b.node->inputs[0] && a.weight.dtype() == b.weight.dtype() &&
         a.node->attr<float>("alpha") == b.node->attr<float>("alpha") &&
         a.node->attr<int64_t>("trans_b") == b.node->attr<int64_t>("trans_b");
}

// [k, n_i] side by side as [k, sum n_i]; or, transposed, [n_i, k] one below the other.
Tensor merged_weights(const std::vector<Projection>& parts, bool transposed) {
  const size_t elem = static_cast<size_t>(bits_of(parts[0].weight.dtype())) / 8;
  const int64_t k = parts[0].weight.dim(transposed ? 1 : 0);
  int64_t n = 0;
  for (const Projection& part : parts) n += part.n;
  Tensor result(parts[0].weight.dtype(), transposed ? Shape{n, k} : Shape{k, n});
  auto* to = static_cast<std::byte*>(result.raw());
  if (transposed) {
    for (const Projection& part : parts) {
      std::memcpy(to, part.weight.raw(), part.weight.bytes());
      to += part.weight.bytes();
    }
    return result;
  }
  for (int64_t row = 0; row < k; ++row) {
    for (const Projection& part : parts) {
      const size_t bytes = static_cast<size_t>(part.n) * elem;
      std::memcpy(to, static_cast<const std::byte*>(part.weight.raw()) + static_cast<size_t>(row) * bytes, bytes);
      to += bytes;
    }
  }
  return result;
}

// A projection without a bias has one of zeros; undefined when none has one.
Tensor merged_biases(const std::vector<Projection>& parts) {
  if (std::none_of(parts.begin(), parts.end(), [](const Projection& part) { return part.bias.defined(); })) return {};
  int64_t n = 0;
  for (const Projection& part : parts) n += part.n;
  Tensor result(parts[0].weight.dtype(), {n});
  const size_t elem = static_cast<size_t>(bits_of(result.dtype())) / 8;
  auto* to = static_cast<std::byte*>(result.raw());
  for (const Projection& part : parts) {
    const size_t bytes = static_cast<size_t>(part.n) * elem;
    if (part.bias.defined()) {
      std::memcpy(to, part.bias.raw(), bytes);
    } else {
      std::memset(to, 0, bytes);  // 0.0 in every floating dtype
    }
    to += bytes;
  }
  return result;
}

std::string joined_name(const Graph& graph, const std::vector<Projection>& parts, size_t input) {
  std::string name;
  for (const Projection& part : parts) {
    if (!part.node->has_input(input) || graph.value(part.node->inputs[input]).name.empty()) return {};
    name += (name.empty() ? "" : "+") + graph.value(part.node->inputs[input]).name;
  }
  return name;
}

void merge_projections(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  Node attention = m.root_node();
  std::vector<size_t> members;  // of q, k, v
  std::vector<Projection> parts;
  for (size_t i = 0; i < 3; ++i) {
    if (attention.attr<std::string>(kLayouts[i]) != "BSHD") continue;
    const auto found = projection_of(graph, attention.inputs[i], m.root_id());
    if (!found || (!parts.empty() && !can_merge(parts[0], *found))) {
      // k and v may share an input that q does not: the attention of a decoder over an encoder's states.
      if (i == 1 && found) {
        members.clear();
        parts.clear();
      } else {
        continue;
      }
    }
    if (std::any_of(parts.begin(), parts.end(), [&](const Projection& part) { return part.node == found->node; }))
      return;
    members.push_back(i);
    parts.push_back(*found);
  }
  if (parts.size() < 2) return;
  const bool transposed = parts[0].node->attr<int64_t>("trans_b") != 0;
  const ValueId weight = p.constant(merged_weights(parts, transposed), joined_name(graph, parts, 1));
  for (const Projection& part : parts) release_pages(part.weight);  // read for the last time, most likely
  const Tensor biases = merged_biases(parts);
  const ValueId bias = biases.defined() ? p.constant(biases, joined_name(graph, parts, 2)) : kNoValue;
  const ValueId merged = p.add("FusedMatMul", {parts[0].node->inputs[0], weight, bias}, parts[0].node->attrs);
  int64_t offset = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    attention.inputs[members[i]] = merged;
    attention.attrs.set(kOffsets[members[i]], attention.attr<int64_t>(kOffsets[members[i]]) + offset);
    offset += parts[i].n;
  }
  p.replace(m.root(), p.add("FusedAttention", attention.inputs, attention.attrs));
}

}  // namespace

std::vector<Rule> projection_rules() { return {{"merge_projections", op("FusedAttention"), merge_projections}}; }

}  // namespace neural_engine
