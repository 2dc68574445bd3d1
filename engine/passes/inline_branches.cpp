#include "passes/passes.h"
#include "passes/patch.h"
#include "passes/queries.h"

namespace neural_engine {

namespace {

// Copies the branch's nodes beside the If and makes its users read them.
void inline_branch(Graph& graph, NodeId id, const Graph& branch) {
  const std::vector<ValueId> captures(graph.node(id).inputs.begin() + 1, graph.node(id).inputs.end());
  const std::vector<ValueId> outputs = graph.node(id).outputs;
  const std::string prefix = graph.node(id).name;
  std::vector<ValueId> map(static_cast<size_t>(branch.num_values()), kNoValue);
  const auto at = [&](ValueId value) -> ValueId& { return map[static_cast<size_t>(value)]; };
  for (size_t i = 0; i < branch.inputs().size(); ++i) at(branch.inputs()[i]) = captures[i];
  const auto mapped = [&](ValueId value) {
    if (value == kNoValue) return kNoValue;
    if (at(value) == kNoValue) {
      const Facts& facts = branch.value(value).facts;
      at(value) = facts.constant.defined() ? graph.add_constant(facts.constant) : graph.add_value();
      graph.value(at(value)).facts = facts;
    }
    return at(value);
  };
  for (NodeId inner : branch.order()) {
    const Node& node = branch.node(inner);
    std::vector<ValueId> from, to;
    for (ValueId input : node.inputs) from.push_back(mapped(input));
    for (ValueId output : node.outputs) to.push_back(mapped(output));
    graph.add_node_to(*node.def, std::move(from), std::move(to), node.attrs, prefix + "/" + node.name);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i] != kNoValue) graph.replace_uses(outputs[i], mapped(branch.outputs()[i].value));
  }
  erase_unused(graph, id);
}

// A result of the graph must stay some node's value, and not one that another result has already.
bool keeps_results(const Graph& graph, const Node& node, const Graph& branch) {
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue || !graph.is_output(node.outputs[i])) continue;
    if (branch.value(branch.outputs()[i].value).producer == kNoNode) return false;
  }
  return true;
}

}  // namespace

bool inline_constant_branches(Graph& graph, PassReport& report) {
  bool changed = false;
  for (NodeId id = 0; id < graph.num_nodes() && report.may_apply(); ++id) {  // inlined nodes come later: nested Ifs
    if (!graph.alive(id) || !graph.node(id).is("If")) continue;
    const std::optional<double> condition = scalar_of(graph, graph.node(id).inputs[0]);
    if (!condition) continue;
    const GraphPtr branch = graph.node(id).attr<GraphPtr>(*condition != 0 ? "then_branch" : "else_branch");
    if (branch->inputs().size() + 1 != graph.node(id).inputs.size() || !keeps_results(graph, graph.node(id), *branch)) {
      continue;
    }
    const std::string where = graph.node(id).name;
    inline_branch(graph, id, *branch);
    report.applied("inline_branch", where);
    changed = true;
  }
  return changed;
}

}  // namespace neural_engine
