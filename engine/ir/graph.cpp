#include "ir/graph.h"

#include <algorithm>
#include <queue>

namespace neural_engine {

namespace {

void check_counts(const OpDef& def, size_t inputs, size_t outputs) {
  const auto check = [&](const char* what, size_t found, const Arity& arity) {
    if (static_cast<int64_t>(found) < arity.min || static_cast<int64_t>(found) > arity.max) {
      fail(Code::kInvalidModel, found, " ", what, " found, expected ", arity.min,
           arity.max == arity.min   ? ""
           : arity.max == kVariadic ? " or more"
                                    : " to " + std::to_string(arity.max));
    }
  };
  check("inputs", inputs, def.inputs);
  check("outputs", outputs, def.outputs);
}

// Names and types checked, defaults filled in.
Attrs completed(const OpDef& def, Attrs attrs) {
  for (const auto& [attr, value] : attrs.items()) {
    const AttrDef* expected = def.find_attr(attr);
    if (expected == nullptr) fail(Code::kUnsupported, "attribute \"", attr, "\" is not one of the operator's");
    if (expected->type != type_of(value)) {
      fail(Code::kInvalidModel, "attribute \"", attr, "\" has type ", to_string(type_of(value)), ", expected ",
           to_string(expected->type));
    }
  }
  for (const AttrDef& expected : def.attrs) {
    if (attrs.has(expected.name)) continue;
    if (expected.required) fail(Code::kInvalidModel, "attribute \"", expected.name, "\" is missing");
    if (expected.default_value) attrs.set(expected.name, *expected.default_value);
  }
  return attrs;
}

}  // namespace

std::string describe(const Node& node) {
  return "node \"" + node.name + "\" (" + (node.def ? node.def->name : "erased") + ")";
}

ValueId Graph::add_value(std::string value_name) {
  values_.push_back({.name = std::move(value_name), .facts = {}, .producer = kNoNode, .users = {}});
  return static_cast<ValueId>(values_.size()) - 1;
}

ValueId Graph::add_input(std::string input_name, DType dtype, std::optional<SymShape> shape) {
  const ValueId id = add_value(std::move(input_name));
  value(id).facts.dtype = dtype;
  value(id).facts.shape = std::move(shape);
  inputs_.push_back(id);
  return id;
}

ValueId Graph::add_constant(Tensor tensor, std::string constant_name) {
  const ValueId id = add_value(std::move(constant_name));
  value(id).facts = facts_of(tensor);
  return id;
}

NodeId Graph::add_node(const OpDef& def, std::vector<ValueId> inputs, Attrs attrs, int outputs, std::string node_name) {
  std::vector<ValueId> results;
  for (int i = 0; i < outputs; ++i) results.push_back(add_value());
  return add_node_to(def, std::move(inputs), std::move(results), std::move(attrs), std::move(node_name));
}

NodeId Graph::add_node_to(const OpDef& def, std::vector<ValueId> inputs, std::vector<ValueId> outputs, Attrs attrs,
                          std::string node_name) {
  Node added{.def = &def,
             .name = std::move(node_name),
             .inputs = std::move(inputs),
             .outputs = std::move(outputs),
             .attrs = {}};
  with_context([&] { return describe(added); },
               [&] {
                 check_counts(def, added.inputs.size(), added.outputs.size());
                 for (size_t i = 0; i < added.inputs.size(); ++i) {
                   require(added.inputs[i] != kNoValue || static_cast<int>(i) >= def.inputs.min, Code::kInvalidModel,
                           "input ", i, " is absent");
                 }
                 added.attrs = completed(def, std::move(attrs));
               });
  const NodeId id = static_cast<NodeId>(nodes_.size());
  for (ValueId input : added.inputs) {
    if (input != kNoValue) value(input).users.push_back(id);
  }
  for (ValueId output : added.outputs) {
    if (output == kNoValue) continue;
    if (value(output).producer != kNoNode || value(output).is_constant()) {
      fail(Code::kInvalidModel, describe(added), ": value \"", value(output).name, "\" is defined twice");
    }
    value(output).producer = id;
  }
  nodes_.push_back(std::move(added));
  return id;
}

void Graph::add_output(std::string output_name, ValueId id) { outputs_.push_back({std::move(output_name), id}); }

bool Graph::is_output(ValueId id) const {
  return std::any_of(outputs_.begin(), outputs_.end(), [&](const Output& output) { return output.value == id; });
}

void Graph::set_input(NodeId id, size_t index, ValueId to) {
  ValueId& operand = node(id).inputs[index];
  if (operand != kNoValue) {
    std::vector<NodeId>& users = value(operand).users;
    users.erase(std::find(users.begin(), users.end(), id));
  }
  operand = to;
  if (to != kNoValue) value(to).users.push_back(id);
}

void Graph::replace_uses(ValueId from, ValueId to) {
  if (from == to) return;
  const std::vector<NodeId> users = value(from).users;
  for (NodeId user : users) {
    for (size_t i = 0; i < node(user).inputs.size(); ++i) {
      if (node(user).inputs[i] == from) set_input(user, i, to);
    }
  }
  for (Output& output : outputs_) {
    if (output.value == from) output.value = to;
  }
}

void Graph::erase_node(NodeId id) {
  Node& erased = node(id);
  for (ValueId output : erased.outputs) {
    if (output == kNoValue) continue;
    require(value(output).users.empty() && !is_output(output), Code::kInternal, "erased node has users");
    value(output).producer = kNoNode;
  }
  for (size_t i = 0; i < erased.inputs.size(); ++i) set_input(id, i, kNoValue);
  erased = Node{};
}

int Graph::erase_dead() {
  int erased = 0;
  std::vector<NodeId> work;
  for (NodeId id = 0; id < num_nodes(); ++id) work.push_back(id);
  std::vector<bool> is_result(values_.size(), false);
  for (const Output& output : outputs_) is_result[static_cast<size_t>(output.value)] = true;
  while (!work.empty()) {
    const NodeId id = work.back();
    work.pop_back();
    if (!alive(id)) continue;
    const bool wanted = std::any_of(node(id).outputs.begin(), node(id).outputs.end(), [&](ValueId output) {
      return output != kNoValue && (is_result[static_cast<size_t>(output)] || !value(output).users.empty());
    });
    if (wanted) continue;
    for (ValueId input : node(id).inputs) {
      if (input != kNoValue && value(input).producer != kNoNode) work.push_back(value(input).producer);
    }
    erase_node(id);
    ++erased;
  }
  return erased;
}

Graph Graph::compacted() const {
  Graph result;
  result.name = name;
  std::vector<ValueId> map(values_.size(), kNoValue);
  const auto copy_value = [&](ValueId id) {
    ValueId& to = map[static_cast<size_t>(id)];
    if (to == kNoValue) {
      to = result.add_value(value(id).name);
      result.value(to).facts = value(id).facts;
    }
    return to;
  };
  for (ValueId input : inputs_) result.inputs_.push_back(copy_value(input));
  for (NodeId id : order()) {
    const Node& source = node(id);
    std::vector<ValueId> inputs, outputs;
    for (ValueId input : source.inputs) inputs.push_back(input == kNoValue ? kNoValue : copy_value(input));
    for (ValueId output : source.outputs) outputs.push_back(output == kNoValue ? kNoValue : copy_value(output));
    result.add_node_to(*source.def, std::move(inputs), std::move(outputs), source.attrs, source.name);
  }
  for (const Output& output : outputs_) result.add_output(output.name, copy_value(output.value));
  return result;
}

std::vector<NodeId> Graph::order() const {
  std::vector<int> missing(nodes_.size(), 0);  // operands whose producer has not been placed yet
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
  size_t live = 0;
  for (NodeId id = 0; id < num_nodes(); ++id) {
    if (!alive(id)) continue;
    ++live;
    for (ValueId input : node(id).inputs) {
      if (input != kNoValue && value(input).producer != kNoNode) ++missing[static_cast<size_t>(id)];
    }
    if (missing[static_cast<size_t>(id)] == 0) ready.push(id);
  }
  std::vector<NodeId> result;
  result.reserve(live);
  while (!ready.empty()) {
    const NodeId id = ready.top();
    ready.pop();
    result.push_back(id);
    for (ValueId output : node(id).outputs) {
      if (output == kNoValue) continue;
      for (NodeId user : value(output).users) {
        if (--missing[static_cast<size_t>(user)] == 0) ready.push(user);
      }
    }
  }
  require(result.size() == live, Code::kInvalidModel, "the graph has a cycle through ", live - result.size(), " nodes");
  return result;
}

}  // namespace neural_engine
