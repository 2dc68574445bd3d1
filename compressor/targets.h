// The operations of a graph that can be compressed.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace neural_engine {

enum class TargetKind {
  kLinear,     // a product whose second operand is a constant matrix
  kMatMul,     // a product of two activations
  kAttention,  // FusedAttention: two such products and the softmax between
  kEmbedding,  // a Gather from a constant table
  kResidual,   // the sum of two activations of one shape
};
inline constexpr const char* kTargetKinds[] = {"Linear", "MatMul", "Attention", "Embedding", "Residual"};
inline const char* to_string(TargetKind kind) { return kTargetKinds[static_cast<int>(kind)]; }

struct Target {
  NodeId node = kNoNode;
  TargetKind kind = TargetKind::kLinear;
  std::string name;                  // the node's
  std::vector<std::string> aliases;  // names of its constants
  size_t residual_input = 0;         // kResidual of a fused product: the operand that is added
};

// In topological order. A product that adds an activation gives two targets, itself and the sum.
std::vector<Target> find_targets(const Graph& graph);

// The rows of a product's constant weight [k, n] as stored: [n, k] when transposed.
bool weight_is_transposed(const Node& product);
// The last axis of an f32 activation, when its size is known; 0 otherwise.
int64_t channels_of(const Graph& graph, ValueId value);

}  // namespace neural_engine
