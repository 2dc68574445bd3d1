// A graph made ready to be observed and converted.
#pragma once

#include <memory>
#include <vector>

#include "compressor/calibrate/collector.h"
#include "compressor/recipe.h"
#include "compressor/targets.h"
#include "ir/graph.h"
#include "neural_engine/compress.h"

namespace neural_engine {

// One activation that an operation reads.
struct Operand {
  enum class Role {
    kFirst,     // the left side of a product
    kSecond,    // the right side, when it is no constant: quantized as weights are
    kResidual,  // of a sum
  };
  NodeId node = kNoNode;
  size_t input = 0;
  ValueId value = kNoValue;
  Role role = Role::kFirst;
};

struct Operation {
  Target target;
  // The node, or the two products of an attention that was taken apart.
  std::vector<NodeId> nodes;
  std::vector<Operand> operands;
};

struct PreparedModel::Impl {
  Recipe recipe;
  Graph graph;  // f32, attention that shall be quantized taken apart
  std::vector<Operation> operations;
  std::vector<Settings> settings;  // by operation
  std::unique_ptr<Collector> collector;
};

// Finds the operations; takes apart the attention of those for which `looks_into` says so. The graph's ids stay.
std::vector<Operation> find_operations(Graph& graph, const std::vector<Target>& targets,
                                       const std::vector<bool>& looks_into);

// What has to be observed so that operations with these settings can be converted.
std::vector<Observed> values_to_observe(const Graph& graph, const std::vector<Operation>& operations,
                                        const std::vector<Settings>& settings);

}  // namespace neural_engine
