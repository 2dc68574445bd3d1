// The text form of a graph: one line per value that is given and per node, for people and for tests.
#pragma once

#include <string>

#include "ir/graph.h"

namespace neural_engine {

// graph "name" (%ids: s64[batch,seq]) {
//   %2 "bias" = f32[4] constant
//   %5: f32[batch,seq,4] = Add(%1, %2) "node name" {axis: 1}
//   return "logits": %5
// }
std::string print(const Graph& graph);

}  // namespace neural_engine
