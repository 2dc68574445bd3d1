// Valid graphs that a stream of bytes decides: operators of the kinds that exporters write, over small f32 tensors.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace neural_engine {

struct RandomGraph {
  Graph graph;
  std::vector<Tensor> inputs;
  // The outputs, computed operator by operator as the graph was made.
  std::vector<Tensor> expected;
};

// The same bytes give the same graph; any bytes give one.
RandomGraph make_random_graph(std::span<const std::byte> bytes);

// Runs the graph as it is and simplified, with a plan each, and throws a Finding where an output is not as expected.
void check_random_graph(std::span<const std::byte> bytes);

}  // namespace neural_engine
