// Rules: a pattern, and what to put in its place.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "passes/patch.h"
#include "passes/pattern.h"
#include "passes/report.h"

namespace neural_engine {

struct Rule {
  std::string name;
  Pattern pattern;
  // Adds nodes and replaces values (usually the root's), or refuses, or does nothing: then the next way to match is
  // tried. An Error of inference (an operand that the new op does not honour) is a refusal.
  std::function<void(const Match&, Patch&)> action;
};

// Applies the rules until none applies: every node, in topological order, is offered to the rules in their order, new
// nodes at once. A rule is refused where a value inside its match has a user outside: the work would be done twice.
// Every change keeps dtype and shape of what it replaces. Returns whether anything changed.
bool apply_rules(Graph& graph, std::span<const Rule> rules, PassReport& report);

}  // namespace neural_engine
