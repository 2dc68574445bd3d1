// Exporters ask whatever value is at hand for its shape, and compute from it. Where inference knows that the result is
// made of numbers and of the graph inputs' dimensions, it is asked of the inputs instead: one Shape for each dimension
// and one Concat for each different result. Values inside the network lose users that would keep rules from matching,
// and what hung on them is never computed.
#include <algorithm>
#include <map>

#include "ir/infer.h"
#include "passes/passes.h"
#include "passes/patch.h"
#include "passes/queries.h"

namespace neural_engine {

namespace {

class ShapeMaker {
 public:
  ShapeMaker(Graph& graph, PassReport& report) : graph_(graph), report_(report) {
    for (ValueId input : graph.inputs()) {
      const SymShape* shape = shape_of(graph, input);
      for (size_t axis = 0; shape && axis < shape->size(); ++axis) {
        if ((*shape)[axis].is_symbol()) sources_.emplace((*shape)[axis].symbol(), std::pair(input, axis));
      }
    }
  }

  bool run() {
    bool changed = false;
    for (NodeId id : graph_.order()) {
      if (!report_.may_apply()) break;
      if (graph_.alive(id)) changed = rewrite(id) || changed;
    }
    return changed;
  }

 private:
  // 1-D, or 0-D with one element; of numbers and input dimensions, not of numbers alone (those are folded).
  bool is_made_of_dims(const Facts& facts) const {
    if (facts.dtype != DType::kS64 || !facts.ints || !facts.shape || facts.shape->size() > 1) return false;
    bool any = false;
    for (const Dim& dim : *facts.ints) {
      if (dim.is_symbol() && sources_.count(dim.symbol()) == 0) return false;
      if (!dim.is_symbol() && !dim.known()) return false;
      any = any || dim.is_symbol();
    }
    return any;
  }

  // The nodes that this pass makes: Shape of an input for one dimension, Concat of such, Squeeze of one.
  bool is_canonical(const Node& node) const {
    if (node.is("Shape")) {
      if (graph_.value(node.inputs[0]).producer != kNoNode || graph_.value(node.inputs[0]).is_constant()) return false;
      const std::vector<Dim>& dims = *graph_.value(node.outputs[0]).facts.ints;
      return dims.size() == 1 && source(dims[0]) == std::pair(node.inputs[0], begin_of(node));
    }
    if (!node.is("Concat") && !node.is("Squeeze")) return false;
    const size_t parts = node.is("Concat") ? node.inputs.size() : 1;
    for (size_t i = 0; i < parts; ++i) {
      if (graph_.value(node.inputs[i]).is_constant()) continue;
      const Node* part = producer_of(graph_, node.inputs[i], "Shape");
      if (part == nullptr || !is_canonical(*part)) return false;
    }
    return true;
  }

  size_t begin_of(const Node& shape) const {
    const int64_t start = shape.attrs.get_or<int64_t>("start", 0);
    return static_cast<size_t>(start < 0 ? start + rank_of(graph_, shape.inputs[0]) : start);
  }

  std::pair<ValueId, size_t> source(const Dim& dim) const {
    const auto it = sources_.find(dim.symbol());
    return it == sources_.end() ? std::pair(kNoValue, size_t{0}) : it->second;
  }

  bool rewrite(NodeId id) {
    if (graph_.node(id).outputs.size() != 1 || graph_.node(id).outputs[0] == kNoValue) return false;
    const ValueId old = graph_.node(id).outputs[0];
    const Facts facts = graph_.value(old).facts;
    if (!is_made_of_dims(facts) || graph_.is_output(old)) return false;
    const std::string key = text(facts.shape->size(), to_string(*facts.ints));
    if (is_canonical(graph_.node(id))) {
      if (find_made(key) == kNoValue) made_[key] = old;
      return false;
    }
    const std::string where = graph_.node(id).name;
    const ValueId known = find_made(key);
    const ValueId value = known != kNoValue ? known : make(facts, id);
    made_[key] = value;
    // The node stays until dead code is erased: with it might go values that `made_` still offers.
    graph_.replace_uses(old, value);
    report_.applied("shape_of_inputs", where);
    return true;
  }

  ValueId make(const Facts& facts, NodeId like) {
    Patch patch(graph_, like);
    std::vector<ValueId> parts;
    std::vector<int64_t> numbers;  // neighbours in one constant
    const auto flush = [&] {
      if (!numbers.empty()) parts.push_back(patch.ints(numbers));
      numbers.clear();
    };
    for (const Dim& dim : *facts.ints) {
      if (dim.known()) {
        numbers.push_back(dim.value());
        continue;
      }
      flush();
      parts.push_back(dimension(patch, dim));
    }
    flush();
    if (facts.shape->empty()) return patch.add("Squeeze", {parts[0], patch.ints({0})});
    return parts.size() == 1 ? parts[0] : patch.add("Concat", std::move(parts), {{"axis", int64_t{0}}});
  }

  ValueId dimension(Patch& patch, const Dim& dim) {
    const std::string key = text(1, to_string({dim}));
    if (const ValueId known = find_made(key); known != kNoValue) return known;
    const auto [input, axis] = source(dim);
    const int64_t start = static_cast<int64_t>(axis);
    const ValueId value = patch.add("Shape", {input}, {{"start", start}, {"end", start + 1}});
    made_[key] = value;
    return value;
  }

  // What was made before, unless it went with its last user since.
  ValueId find_made(const std::string& key) const {
    const auto it = made_.find(key);
    return it == made_.end() || graph_.value(it->second).producer == kNoNode ? kNoValue : it->second;
  }

  Graph& graph_;
  PassReport& report_;
  std::map<std::string, std::pair<ValueId, size_t>> sources_;  // the first input and axis with the dimension
  std::map<std::string, ValueId> made_;                        // by rank and elements
};

}  // namespace

bool ask_inputs_for_shapes(Graph& graph, PassReport& report) { return ShapeMaker(graph, report).run(); }

}  // namespace neural_engine
