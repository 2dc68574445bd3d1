// Whether a graph is one: what every pass must leave behind.
#pragma once

#include "ir/graph.h"

namespace neural_engine {

// Error(kInternal), with `after` (what was done last) in its text, unless: every operand and output is an input, a
// constant or the result of a live node, and only one of these; producers and users agree with the nodes' operands;
// operand counts and attributes are what the OpDefs ask for; there is no cycle. Bodies included.
void verify(const Graph& graph, std::string_view after);

}  // namespace neural_engine
