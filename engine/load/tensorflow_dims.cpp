#include "load/tensorflow_dims.h"

#include <algorithm>
#include <map>
#include <string>

#include "ir/infer.h"

namespace neural_engine {

namespace {

class Unifier {
 public:
  explicit Unifier(Graph& graph) : graph_(graph) {
    for (const ValueId input : graph.inputs()) {
      const std::optional<SymShape>& shape = graph.value(input).facts.shape;
      for (size_t axis = 0; shape && axis < shape->size(); ++axis) {
        if ((*shape)[axis].is_symbol()) order_.emplace((*shape)[axis].symbol(), order_.size());
      }
    }
  }

  // Each round knows more of the shapes inside. Models take two or three; what would take more stays as it is.
  void run() {
    constexpr int kMaxRounds = 8;
    for (int round = 0; round < kMaxRounds && collect(); ++round) {
      rename_inputs();
      infer_graph(graph_);
    }
  }

 private:
  bool collect() {
    bool found = false;
    for (const NodeId id : graph_.order()) {
      const Node& node = graph_.node(id);
      if ((node.def->flags & kElementwise) == 0) continue;
      // Not each with each: an operator may have many.
      for (size_t i = 1; i < node.inputs.size(); ++i) {
        found = meet(node.inputs[0], node.inputs[i]) || found;
        found = meet(node.inputs[i - 1], node.inputs[i]) || found;
      }
    }
    return found;
  }

  // Aligned at the last dimension, as broadcasting does.
  bool meet(ValueId a, ValueId b) {
    if (a == kNoValue || b == kNoValue) return false;
    const std::optional<SymShape>&x = graph_.value(a).facts.shape, &y = graph_.value(b).facts.shape;
    if (!x || !y) return false;
    bool found = false;
    for (size_t back = 1; back <= std::min(x->size(), y->size()); ++back) {
      found = unite((*x)[x->size() - back], (*y)[y->size() - back]) || found;
    }
    return found;
  }

  bool unite(const Dim& a, const Dim& b) {
    if (a == b || order_.count(a.symbol()) == 0 || order_.count(b.symbol()) == 0) return false;
    const std::string x = root(a.symbol()), y = root(b.symbol());
    if (x == y) return false;
    // The one that the first input names stays.
    const bool x_first = order_.at(x) < order_.at(y);
    renamed_[x_first ? y : x] = x_first ? x : y;
    return true;
  }

  // The symbol that stands for this one. Ways there are halved as they are gone, so that they stay short.
  std::string root(const std::string& symbol) {
    std::string at = symbol;
    for (auto it = renamed_.find(at); it != renamed_.end(); it = renamed_.find(at)) {
      const auto next = renamed_.find(it->second);
      if (next != renamed_.end()) it->second = next->second;
      at = it->second;
    }
    return at;
  }

  void rename_inputs() {
    for (const ValueId input : graph_.inputs()) {
      std::optional<SymShape>& shape = graph_.value(input).facts.shape;
      if (!shape) continue;
      for (Dim& dim : *shape) {
        if (dim.is_symbol()) dim = Dim::symbol(root(dim.symbol()));
      }
    }
  }

  Graph& graph_;
  std::map<std::string, size_t> order_;  // of the inputs' symbols
  std::map<std::string, std::string> renamed_;
};

}  // namespace

void unify_open_dims(Graph& graph) { Unifier(graph).run(); }

}  // namespace neural_engine
