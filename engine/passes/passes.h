// The passes that are not rules: they look at the whole graph.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "passes/report.h"

namespace neural_engine {

// Computes a node on given tensors (undefined: absent). The engine computes nothing itself: the executor lends this.
using Evaluator = std::function<std::vector<Tensor>(const Node&, std::span<const Tensor>)>;

// Nodes whose operands are all constants become constants, and integer values whose elements inference knows do too.
// What would make the model much larger (an expanded constant; many copies of one) stays, as do random ops and
// dequantized weights.
bool fold_constants(Graph& graph, const Evaluator& evaluator, PassReport& report);

// Equal nodes become one, equal constants too.
bool merge_equal(Graph& graph, PassReport& report);

// Shapes and what is computed from them are asked of the graph's inputs, where inference can tell.
bool ask_inputs_for_shapes(Graph& graph, PassReport& report);

// If with a constant condition becomes the branch taken.
bool inline_constant_branches(Graph& graph, PassReport& report);

// What no output needs.
bool erase_dead_code(Graph& graph, PassReport& report);

}  // namespace neural_engine
