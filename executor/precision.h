// What a session's precision makes of a model's graph.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "neural_engine/session.h"

namespace neural_engine {

// The graph itself, or a copy with products in another precision. `notes` receives what was done.
GraphPtr with_precision(const GraphPtr& graph, Precision precision, std::vector<std::string>* notes);

}  // namespace neural_engine
