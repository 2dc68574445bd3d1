// Common subexpressions: two nodes of one op with equal operands and attributes compute the same, so that exporters'
// many copies of Shape, of Unsqueeze or of a mask become one. In topological order one look at each node is enough.
#include <algorithm>
#include <cstring>
#include <functional>
#include <unordered_map>

#include "passes/passes.h"
#include "passes/patch.h"
#include "passes/queries.h"

namespace neural_engine {

namespace {

size_t mix(size_t seed, size_t value) { return (seed ^ value) * 0x9e3779b97f4a7c15ULL + (seed >> 7); }

size_t hash_bytes(const void* data, size_t bytes) {
  return std::hash<std::string_view>{}(std::string_view(static_cast<const char*>(data), bytes));
}

// Of large tensors only some bytes: equal tensors hash alike, and comparison decides.
size_t hash_tensor(const Tensor& tensor) {
  constexpr size_t kSample = 1024;
  size_t seed = mix(static_cast<size_t>(tensor.dtype()), tensor.bytes());
  for (int64_t dim : tensor.shape()) seed = mix(seed, static_cast<size_t>(dim));
  const auto* bytes = static_cast<const std::byte*>(tensor.raw());
  if (tensor.bytes() == 0) return seed;
  if (tensor.bytes() <= 3 * kSample) return mix(seed, hash_bytes(bytes, tensor.bytes()));
  for (size_t at : {size_t{0}, tensor.bytes() / 2, tensor.bytes() - kSample}) {
    seed = mix(seed, hash_bytes(bytes + at, kSample));
  }
  return seed;
}

size_t hash_attr(const AttrValue& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) return static_cast<size_t>(*number);
  if (const auto* string = std::get_if<std::string>(&value)) return std::hash<std::string>{}(*string);
  if (const auto* tensor = std::get_if<Tensor>(&value)) return hash_tensor(*tensor);
  if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) {
    size_t seed = list->size();
    for (int64_t each : *list) seed = mix(seed, static_cast<size_t>(each));
    return seed;
  }
  return value.index();  // the rest is rare: comparison tells them apart
}

class Merger {
 public:
  Merger(Graph& graph, PassReport& report) : graph_(graph), report_(report) {}

  bool constants() {
    std::unordered_multimap<size_t, ValueId> seen;
    bool changed = false;
    for (ValueId id = 0; id < graph_.num_values() && report_.may_apply(); ++id) {
      if (!graph_.value(id).is_constant() || graph_.value(id).users.empty()) continue;
      const Tensor& tensor = graph_.value(id).facts.constant;
      const size_t hash = hash_tensor(tensor);
      const auto [begin, end] = seen.equal_range(hash);
      const auto same = std::find_if(begin, end, [&](const auto& entry) {
        return equal_bytes(graph_.value(entry.second).facts.constant, tensor);
      });
      if (same == end) {
        seen.emplace(hash, id);
        continue;
      }
      graph_.replace_uses(id, same->second);
      changed = true;  // not worth a line of its own in the report
    }
    return changed;
  }

  bool nodes() {
    std::unordered_multimap<size_t, NodeId> seen;
    bool changed = false;
    for (NodeId id : graph_.order()) {
      if (!report_.may_apply()) break;
      const Node& node = graph_.node(id);
      if ((node.def->flags & kNondeterministic) != 0) continue;
      if (node.is("If") || node.is("Loop") || node.is("Scan")) continue;  // their bodies may be random
      const size_t hash = hash_node(node);
      const auto [begin, end] = seen.equal_range(hash);
      const auto same =
          std::find_if(begin, end, [&](const auto& entry) { return equal_nodes(graph_.node(entry.second), node); });
      if (same == end) {
        seen.emplace(hash, id);
        continue;
      }
      changed = merge(id, same->second) || changed;
    }
    return changed;
  }

 private:
  // One order for the operands of commutative ops.
  static std::vector<ValueId> operands(const Node& node) {
    std::vector<ValueId> result = node.inputs;
    if ((node.def->flags & kCommutative) != 0 && result.size() == 2) std::sort(result.begin(), result.end());
    return result;
  }

  static size_t hash_node(const Node& node) {
    size_t seed = std::hash<const void*>{}(node.def);
    for (ValueId input : operands(node)) seed = mix(seed, static_cast<size_t>(input));
    for (const auto& [name, value] : node.attrs.items()) seed = mix(seed, hash_attr(value));
    return seed;
  }

  static bool equal_nodes(const Node& a, const Node& b) {
    return a.def == b.def && a.outputs.size() == b.outputs.size() && operands(a) == operands(b) && a.attrs == b.attrs;
  }

  bool merge(NodeId id, NodeId kept) {
    const std::vector<ValueId> from = graph_.node(id).outputs, to = graph_.node(kept).outputs;
    for (size_t i = 0; i < from.size(); ++i) {
      if (from[i] != kNoValue && to[i] == kNoValue) return false;
    }
    const std::string where = graph_.node(id).name;
    for (size_t i = 0; i < from.size(); ++i) {
      if (from[i] != kNoValue) graph_.replace_uses(from[i], to[i]);
    }
    graph_.erase_node(id);
    report_.applied("merge_equal", where);
    return true;
  }

  Graph& graph_;
  PassReport& report_;
};

}  // namespace

bool merge_equal(Graph& graph, PassReport& report) {
  Merger merger(graph, report);
  const bool constants = merger.constants();  // first: nodes with equal constants are equal then
  return merger.nodes() || constants;
}

}  // namespace neural_engine
