// Questions that rules ask of a graph.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace neural_engine {

// The node that makes the value as its first output, if it is one of `op`; else nullptr.
const Node* producer_of(const Graph& graph, ValueId value, std::string_view op);
// The node that makes the value, whatever output of it; nullptr for inputs and constants.
const Node* producer_of(const Graph& graph, ValueId value);

// nullptr when not even the rank is known, or the operand is absent.
const SymShape* shape_of(const Graph& graph, ValueId value);
int rank_of(const Graph& graph, ValueId value);  // -1: unknown
DType dtype_of(const Graph& graph, ValueId value);

// The elements of a small integer value, as numbers or symbols.
const std::vector<Dim>* ints_of(const Graph& graph, ValueId value);
// The same, when all are numbers.
std::optional<std::vector<int64_t>> known_ints(const Graph& graph, ValueId value);

// The element of a constant with a single one, of any number type.
std::optional<double> scalar_of(const Graph& graph, ValueId value);
// Element i of a dense tensor of numbers or bool; nullopt for the dtypes without a C++ type.
std::optional<double> element_of(const Tensor& tensor, int64_t i);

// Every dimension certainly the same.
bool same_shape(const SymShape& a, const SymShape& b);
// No dimension certainly different: what two ways to compute one value must at least be.
bool compatible(const SymShape& a, const SymShape& b);
// Dimension-wise the one of which more is known, for two shapes of the same value.
SymShape merged(const SymShape& a, const SymShape& b);

// The value has no user but `node`, and is no output of the graph.
bool only_used_by(const Graph& graph, ValueId value, NodeId node);
// A dimension that came from shapes cannot be negative: numbers from 0 on, and symbols that no subtraction made.
bool certainly_not_negative(const Dim& dim);

}  // namespace neural_engine
