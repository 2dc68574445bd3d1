#include "passes/patch.h"

#include <algorithm>

#include "base/dtype.h"
#include "ir/infer.h"
#include "passes/queries.h"

namespace neural_engine {

namespace {

// What the two values are said to be must agree; what the request's shapes decide cannot be compared yet.
std::string disagreement(const Facts& from, const Facts& to) {
  if (from.dtype != to.dtype && from.dtype != DType::kUndefined) {
    return text("the replacement has dtype ", to_string(to.dtype), ", expected ", to_string(from.dtype));
  }
  if (from.shape && to.shape && !compatible(*from.shape, *to.shape)) {
    return text("the replacement has shape ", to_string(*to.shape), ", expected ", to_string(*from.shape));
  }
  return {};
}

}  // namespace

Patch::Patch(Graph& graph, NodeId root) : graph_(graph), name_(graph.node(root).name) {}

ValueId Patch::add(std::string_view op, std::vector<ValueId> inputs, Attrs attrs) {
  return add_with_outputs(op, std::move(inputs), std::move(attrs), 1)[0];
}

std::vector<ValueId> Patch::add_with_outputs(std::string_view op, std::vector<ValueId> inputs, Attrs attrs,
                                             int outputs) {
  while (!inputs.empty() && inputs.back() == kNoValue) inputs.pop_back();
  std::string name = added_.empty() ? name_ : text(name_, "/", op, added_.size());
  const NodeId id = graph_.add_node(op_def(op), std::move(inputs), std::move(attrs), outputs, std::move(name));
  added_.push_back(id);
  const Node& node = graph_.node(id);
  std::vector<const Facts*> operands;
  for (ValueId input : node.inputs) operands.push_back(input == kNoValue ? nullptr : &graph_.value(input).facts);
  std::vector<Facts> facts = infer_node(node, operands);
  for (size_t i = 0; i < facts.size(); ++i) graph_.value(node.outputs[i]).facts = std::move(facts[i]);
  return node.outputs;
}

ValueId Patch::constant(Tensor tensor, std::string name) {
  return graph_.add_constant(std::move(tensor), std::move(name));
}

ValueId Patch::ints(const std::vector<int64_t>& values) {
  return constant(Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
}

ValueId Patch::number(DType dtype, double value) {
  Tensor tensor(dtype, {});
  dispatch_floating(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    tensor.data<T>()[0] = T(static_cast<float>(value));
    if constexpr (std::is_same_v<T, double>) tensor.data<T>()[0] = value;
  });
  return constant(std::move(tensor));
}

std::string Patch::refusal() const {
  if (!refusal_.empty()) return refusal_;
  for (const auto& [from, to] : replacements_) {
    if (std::string reason = disagreement(facts(from), facts(to)); !reason.empty()) return reason;
    // What computes an output of the graph stays a node: plans need not copy inputs to outputs.
    if (graph_.is_output(from) && graph_.value(to).producer == kNoNode)
      return "a result of the graph would be no node's";
    for (NodeId id : added_) {
      const std::vector<ValueId>& inputs = graph_.node(id).inputs;
      if (std::find(inputs.begin(), inputs.end(), from) != inputs.end())
        return "the replacement needs what it replaces";
    }
  }
  return {};
}

void Patch::commit() {
  for (const auto& [from, to] : replacements_) {
    Value& old_value = graph_.value(from);
    Value& new_value = graph_.value(to);
    if (old_value.facts.shape) {
      new_value.facts.shape =
          new_value.facts.shape ? merged(*new_value.facts.shape, *old_value.facts.shape) : old_value.facts.shape;
    }
    if (!new_value.facts.ints) new_value.facts.ints = old_value.facts.ints;
    if (new_value.name.empty()) new_value.name = std::exchange(old_value.name, {});
    const NodeId producer = old_value.producer;
    graph_.replace_uses(from, to);
    if (producer != kNoNode) erase_unused(graph_, producer);
  }
  for (NodeId id : std::vector<NodeId>(added_.rbegin(), added_.rend())) erase_unused(graph_, id);
}

void Patch::roll_back() {
  for (auto id = added_.rbegin(); id != added_.rend(); ++id) graph_.erase_node(*id);
  added_.clear();
  replacements_.clear();
}

void erase_unused(Graph& graph, NodeId node) {
  std::vector<NodeId> work = {node};
  while (!work.empty()) {
    const NodeId id = work.back();
    work.pop_back();
    if (!graph.alive(id)) continue;
    const std::vector<ValueId>& outputs = graph.node(id).outputs;
    const bool wanted = std::any_of(outputs.begin(), outputs.end(), [&](ValueId output) {
      return output != kNoValue && (!graph.value(output).users.empty() || graph.is_output(output));
    });
    if (wanted) continue;
    for (ValueId input : graph.node(id).inputs) {
      if (input != kNoValue && graph.value(input).producer != kNoNode) work.push_back(graph.value(input).producer);
    }
    graph.erase_node(id);
  }
}

}  // namespace neural_engine
