// The order of the passes.
#pragma once

#include "ir/graph.h"
#include "passes/passes.h"
#include "passes/report.h"

namespace neural_engine {

// Brings the graph to its portable form, the one that is saved: constants folded, exporters' detours removed, formulas
// recognised as the ops that they spell. Results stay what they were, up to the rounding of reassociated sums. Ends
// with a compacted graph, all facts inferred; a second call changes nothing. Bodies of If, Loop and Scan included.
void simplify(Graph& graph, const Evaluator& evaluator, PassReport& report);

}  // namespace neural_engine
