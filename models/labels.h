// The names of a classifier's labels.
#pragma once

#include <string>
#include <vector>

namespace neural_engine {

// From labels.txt (one per line) or id2label of config.json in the folder; empty when there is neither.
// Error(kInvalidData) for an id2label that does not name 0..n-1.
std::vector<std::string> read_labels(const std::string& folder);

}  // namespace neural_engine
