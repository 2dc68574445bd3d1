// A number that tells searches apart, so that no journal is continued with another model or other data.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "neural_engine/tune.h"

namespace neural_engine {

// Of the graph with its weights, the samples, and the settings that results or proposals depend on (not the bounds).
std::string fingerprint(const Model& model, const Tuning& tuning, std::span<const std::vector<Tensor>> samples);

}  // namespace neural_engine
