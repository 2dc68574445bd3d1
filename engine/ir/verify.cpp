#include "ir/verify.h"

#include <algorithm>

#include "base/error.h"

namespace neural_engine {

namespace {

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph), uses_(static_cast<size_t>(graph.num_values())) {}

  void run() {
    for (ValueId input : graph_.inputs()) mark_input(input);
    for (NodeId id = 0; id < graph_.num_nodes(); ++id) {
      if (graph_.alive(id)) with_context([&] { return describe(graph_.node(id)); }, [&] { check_node(id); });
    }
    for (const Graph::Output& output : graph_.outputs()) check_defined(output.value);
    check_users();
    graph_.order();
  }

 private:
  template <class... Args>
  static void expect(bool condition, const Args&... args) {
    require(condition, Code::kInternal, args...);
  }

  void mark_input(ValueId id) {
    check_id(id);
    const Value& value = graph_.value(id);
    expect(value.producer == kNoNode && !value.is_constant(), "input \"", value.name, "\" is computed too");
    is_input_.resize(uses_.size());
    is_input_[static_cast<size_t>(id)] = true;
  }

  void check_id(ValueId id) const { expect(id >= 0 && id < graph_.num_values(), "there is no value ", id); }

  void check_defined(ValueId id) const {
    check_id(id);
    const Value& value = graph_.value(id);
    const bool is_input = !is_input_.empty() && is_input_[static_cast<size_t>(id)];
    const bool produced = value.producer != kNoNode && graph_.alive(value.producer);
    expect(is_input || produced || value.is_constant(), "value ", id, " \"", value.name,
           "\" is read and never defined");
  }

  void check_node(NodeId id) {
    const Node& node = graph_.node(id);
    const auto count = [](size_t n) { return static_cast<int64_t>(n); };
    expect(count(node.inputs.size()) >= node.def->inputs.min && count(node.inputs.size()) <= node.def->inputs.max,
           node.inputs.size(), " inputs");
    expect(count(node.outputs.size()) >= node.def->outputs.min && count(node.outputs.size()) <= node.def->outputs.max,
           node.outputs.size(), " outputs");
    for (ValueId input : node.inputs) {
      if (input == kNoValue) continue;
      check_defined(input);
      uses_[static_cast<size_t>(input)].push_back(id);
    }
    for (ValueId output : node.outputs) {
      if (output == kNoValue) continue;
      check_id(output);
      expect(graph_.value(output).producer == id, "value ", output, " has another producer");
    }
    for (const auto& [name, value] : node.attrs.items()) {
      const AttrDef* def = node.def->find_attr(name);
      expect(def != nullptr && def->type == type_of(value), "attribute \"", name, "\" is not the operator's");
      if (const GraphPtr* body = std::get_if<GraphPtr>(&value)) Verifier(**body).run();
    }
  }

  void check_users() {
    for (ValueId id = 0; id < graph_.num_values(); ++id) {
      std::vector<NodeId> users = graph_.value(id).users;
      std::sort(users.begin(), users.end());
      expect(users == uses_[static_cast<size_t>(id)], "value ", id, " \"", graph_.value(id).name,
             "\" does not know its users");
    }
  }

  const Graph& graph_;
  std::vector<bool> is_input_;
  std::vector<std::vector<NodeId>> uses_;  // by value, in increasing order
};

}  // namespace

void verify(const Graph& graph, std::string_view after) {
  with_context([&] { return "after " + std::string(after); }, [&] { Verifier(graph).run(); });
}

}  // namespace neural_engine
