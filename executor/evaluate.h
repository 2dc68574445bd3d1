// Runs one node on given tensors: constant folding, values that only a request's shapes decide, bodies of loops, tests.
#pragma once

#include <span>
#include <vector>

#include "base/parallel.h"
#include "executor/weight_store.h"
#include "ir/graph.h"

namespace neural_engine {

// Infers, binds, allocates and runs. An undefined input stands for an absent operand. Outputs that the node does not
// want are undefined. Errors name the node.
std::vector<Tensor> evaluate_node(const Node& node, std::span<const Tensor> inputs, Parallel& parallel,
                                  WeightStore& weights);
// The same, on the calling thread alone.
std::vector<Tensor> evaluate_node(const Node& node, std::span<const Tensor> inputs);

// Every node of the graph in order, without a plan: the slow, simple way, against which plans are tested.
std::vector<Tensor> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs);

}  // namespace neural_engine
