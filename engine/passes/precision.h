// Passes that a session runs on its own copy of a model's graph, for the precision that it is asked for.
#pragma once

#include "ir/graph.h"
#include "passes/report.h"

namespace neural_engine {

// Quantized products become products of integers, with what follows them; between them values stay in 8 bits where the
// graph allows it. The graph is one that simplify() left. Returns whether anything changed.
bool lower_quantized(Graph& graph, PassReport& report);

// Products with constant f32 weights get s8 weights, one scale per column, and quantize their other operand as they
// run. Products with few columns stay: they cost nothing, and a classifier's head decides the answer.
void quantize_dynamically(Graph& graph, PassReport& report);

}  // namespace neural_engine
