// Cross-layer equalization: channels between two products are scaled so that both weights use their 8 bits alike.
#pragma once

#include <vector>

#include "compressor/recipe.h"
#include "compressor/targets.h"
#include "ir/graph.h"

namespace neural_engine {

// For each pair of linear targets with int8 precision where nothing but ReLU lies between the first product and the
// second, and nobody else reads the values: column i of the first weight and its bias are divided, row i of the second
// multiplied, by sqrt(r1 / r2), r being the largest magnitudes. Returns the number of pairs. The model computes what it
// did, up to rounding.
int equalize(Graph& graph, const std::vector<Target>& targets, const std::vector<Settings>& settings);

}  // namespace neural_engine
