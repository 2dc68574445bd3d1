// A change to a graph: nodes are added beside what is there, then values are replaced by theirs. Until the change is
// made, nothing that others read is touched, so that it can be given up.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace neural_engine {

class Patch {
 public:
  // New nodes are named after `root`, the node whose value is going to be replaced.
  Patch(Graph& graph, NodeId root);

  const Graph& graph() const { return graph_; }
  const Facts& facts(ValueId value) const { return graph_.value(value).facts; }

  // A node with its facts inferred; Error as the op's infer has it. Trailing absent operands are dropped.
  ValueId add(std::string_view op, std::vector<ValueId> inputs, Attrs attrs = {});
  std::vector<ValueId> add_with_outputs(std::string_view op, std::vector<ValueId> inputs, Attrs attrs, int outputs);
  ValueId constant(Tensor tensor, std::string name = {});
  ValueId ints(const std::vector<int64_t>& values);  // a 1-D s64 constant
  ValueId number(DType dtype, double value);         // a 0-D constant of a floating dtype

  void replace(ValueId from, ValueId to) { replacements_.emplace_back(from, to); }
  // The rule does not apply after all; says why. Refusing wins over replacing.
  void refuse(std::string reason) { refusal_ = std::move(reason); }

  // ---- for the driver

  // Why the change must not be made; empty: it may. Nothing to replace is no change, with no reason to tell.
  std::string refusal() const;
  bool empty() const { return replacements_.empty(); }
  // Makes the change: dtype and shape of what is replaced stay as they were, what became unused goes.
  void commit();
  void roll_back();
  const std::vector<NodeId>& added() const { return added_; }
  const std::vector<std::pair<ValueId, ValueId>>& replacements() const { return replacements_; }

 private:
  Graph& graph_;
  std::string name_;
  std::vector<NodeId> added_;
  std::vector<std::pair<ValueId, ValueId>> replacements_;
  std::string refusal_;
};

// Erases the node and what only it needed, if nobody needs it.
void erase_unused(Graph& graph, NodeId node);

}  // namespace neural_engine
