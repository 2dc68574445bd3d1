#include "passes/rule.h"

#include <algorithm>
#include <unordered_map>

#include "passes/queries.h"

namespace neural_engine {

namespace {

class Driver {
 public:
  Driver(Graph& graph, std::span<const Rule> rules, PassReport& report) : graph_(graph), report_(report) {
    for (const Rule& rule : rules) {
      const std::vector<std::string> roots = rule.pattern.root_ops();
      require(!roots.empty(), Code::kInternal, "rule ", rule.name, " has no operator at its root");
      for (const std::string& op : roots) index_[op].push_back(&rule);
    }
    budget_ = 1000 + 100 * int64_t{graph.num_nodes()};
  }

  bool sweep() {
    bool changed = false;
    for (NodeId id : graph_.order()) changed = settle(id) || changed;
    return changed;
  }

 private:
  // The node, then the nodes that its change added, until no rule applies to any of them.
  bool settle(NodeId first) {
    bool changed = false;
    std::vector<NodeId> work = {first};
    while (!work.empty()) {
      const NodeId id = work.back();
      work.pop_back();
      if (!graph_.alive(id)) continue;
      const auto rules = index_.find(std::string(graph_.node(id).op()));
      if (rules == index_.end()) continue;
      for (const Rule* rule : rules->second) {
        if (!report_.may_apply()) return changed;
        if (!try_rule(*rule, id, &work)) continue;
        changed = true;
        require(--budget_ > 0, Code::kInternal, "rule ", rule->name, " does not come to an end");
        work.push_back(id);  // if it is still there
        break;
      }
    }
    return changed;
  }

  bool try_rule(const Rule& rule, NodeId id, std::vector<NodeId>* work) {
    const ValueId root = graph_.node(id).outputs[0];
    if (root == kNoValue) return false;
    const std::string where = graph_.node(id).name;
    return find_match(rule.pattern, graph_, root, [&](const Match& match) {
      if (const std::string reason = outside_use(match); !reason.empty()) {
        report_.refused(rule.name, where, reason);
        return false;
      }
      Patch patch(graph_, id);
      std::string reason;
      try {
        rule.action(match, patch);
        reason = patch.refusal();
      } catch (const Error& error) {
        if (error.code() == Code::kInternal) throw error.within("rule " + rule.name + " at " + where);
        reason = error.what();
      }
      if (!reason.empty() || patch.empty()) {
        if (!reason.empty()) report_.refused(rule.name, where, reason);
        patch.roll_back();
        return false;
      }
      patch.commit();
      work->insert(work->end(), patch.added().begin(), patch.added().end());
      report_.applied(rule.name, where);
      return true;
    });
  }

  std::string outside_use(const Match& match) const {
    const auto& nodes = match.nodes();
    const auto inside = [&](NodeId user) {
      return std::any_of(nodes.begin(), nodes.end(), [&](const auto& node) { return node.first == user; });
    };
    for (size_t i = 1; i < nodes.size(); ++i) {
      const auto& [id, may_stay] = nodes[i];
      if (may_stay || id == match.root_id()) continue;
      for (ValueId output : graph_.node(id).outputs) {
        if (output == kNoValue) continue;
        if (graph_.is_output(output))
          return "inner value \"" + graph_.value(output).name + "\" is a result of the graph";
        for (NodeId user : graph_.value(output).users) {
          if (!inside(user)) return "inner value used by " + describe(graph_.node(user));
        }
      }
    }
    return {};
  }

  Graph& graph_;
  PassReport& report_;
  std::unordered_map<std::string, std::vector<const Rule*>> index_;  // by the root's operator
  int64_t budget_ = 0;
};

}  // namespace

bool apply_rules(Graph& graph, std::span<const Rule> rules, PassReport& report) {
  Driver driver(graph, rules, report);
  bool changed = false;
  while (report.may_apply() && driver.sweep()) changed = true;
  return changed;
}

}  // namespace neural_engine
