// The one representation of a model: a graph of values and nodes. The loader makes it, passes rewrite it, the executor
// compiles it, the compressor's output is one.
//
// A graph is closed: the bodies of If, Loop and Scan are graphs in attributes, and what they capture from outside is
// passed explicitly as further inputs of the node (after the op's own) and of the body.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "ir/attrs.h"
#include "ir/dim.h"
#include "ir/op_def.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

using ValueId = int32_t;
using NodeId = int32_t;
inline constexpr ValueId kNoValue = -1;  // an absent optional operand
inline constexpr NodeId kNoNode = -1;

// What is known of a value before it is computed.
struct Facts {
  DType dtype = DType::kUndefined;
  std::optional<SymShape> shape;         // nullopt: not even the rank
  std::optional<std::vector<Dim>> ints;  // the elements of a small integer tensor (a shape on its way to Reshape)
  Tensor constant;                       // defined when the value is a constant
  bool has_shape() const { return shape.has_value(); }
};
Facts facts_of(const Tensor& constant);
// A fact with a dtype and shape.
Facts facts_of(DType dtype, SymShape shape);

struct Value {
  std::string name;  // unique among named values; may be empty
  Facts facts;
  NodeId producer = kNoNode;  // none for inputs and constants
  std::vector<NodeId> users;  // one entry per use as an operand
  bool is_constant() const { return facts.constant.defined(); }
};

struct Node {
  const OpDef* def = nullptr;  // nullptr: erased
  std::string name;
  std::vector<ValueId> inputs;   // kNoValue for an absent operand
  std::vector<ValueId> outputs;  // kNoValue for one that nobody wants
  Attrs attrs;

  std::string_view op() const { return def->name; }
  bool is(std::string_view op_name) const { return def != nullptr && op_name == def->name; }
  bool has_input(size_t i) const { return i < inputs.size() && inputs[i] != kNoValue; }
  ValueId input(size_t i) const { return i < inputs.size() ? inputs[i] : kNoValue; }
  template <class T>
  const T& attr(std::string_view attr_name) const {
    return attrs.get<T>(attr_name);
  }
};

class Graph {
 public:
  struct Output {
    std::string name;
    ValueId value;
  };

  std::string name;

  ValueId add_input(std::string input_name, DType dtype, std::optional<SymShape> shape);
  ValueId add_constant(Tensor tensor, std::string constant_name = {});
  ValueId add_value(std::string value_name = {});
  // A node with fresh outputs. Defaults of absent attributes are filled in; operand counts and attribute names and
  // types are checked against the OpDef (Error kInvalidModel).
  NodeId add_node(const OpDef& def, std::vector<ValueId> inputs, Attrs attrs = {}, int outputs = 1,
                  std::string node_name = {});
  // The same, with given output values, none of which has a producer yet.
  NodeId add_node_to(const OpDef& def, std::vector<ValueId> inputs, std::vector<ValueId> outputs, Attrs attrs = {},
                     std::string node_name = {});
  void add_output(std::string output_name, ValueId value);

  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<Output>& outputs() const { return outputs_; }
  bool is_output(ValueId value) const;

  // Ids are dense and stable; erased nodes stay as holes until compacted.
  int num_values() const { return static_cast<int>(values_.size()); }
  int num_nodes() const { return static_cast<int>(nodes_.size()); }
  const Value& value(ValueId id) const { return values_[static_cast<size_t>(id)]; }
  Value& value(ValueId id) { return values_[static_cast<size_t>(id)]; }
  const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id)]; }
  // Attributes and name may be changed; operands only through the functions below.
  Node& node(NodeId id) { return nodes_[static_cast<size_t>(id)]; }
  bool alive(NodeId id) const { return node(id).def != nullptr; }

  void set_input(NodeId node, size_t index, ValueId value);
  // Every operand and output that reads `from` reads `to`.
  void replace_uses(ValueId from, ValueId to);
  // The node's outputs must be unused.
  void erase_node(NodeId node);
  // Erases what no output needs; keeps inputs. Returns the number of nodes erased.
  int erase_dead();
  // Ids renumbered without holes, nodes in topological order, unused constants dropped.
  Graph compacted() const;

  // Live nodes, each after the producers of its inputs; among the ready ones the lowest id first. Throws
  // Error(kInvalidModel) when there is a cycle.
  std::vector<NodeId> order() const;

 private:
  std::deque<Value> values_;
  std::deque<Node> nodes_;
  std::vector<ValueId> inputs_;
  std::vector<Output> outputs_;
};

// `node "/l0/Add" (Add)`, for messages.
std::string describe(const Node& node);

}  // namespace neural_engine
