// Any bytes as the choices of a generator of graphs: simplified and planned, they give what their operators give one by
// one.
#include "fuzz/random_graph.h"
#include "fuzz/targets.h"

namespace neural_engine {

void fuzz_graph(std::span<const std::byte> bytes) { check_random_graph(bytes); }

}  // namespace neural_engine
