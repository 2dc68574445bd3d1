// Division of a value's channels, folded into what makes the value.
#pragma once

#include <span>

#include "ir/graph.h"

namespace neural_engine {

// The product with a constant f32 matrix (and a constant bias, if any) whose channels, divided, divide those of `x`:
// `x` is its result, or, `through_relu`, ReLU of it, and nobody else reads the values between. kNoNode: none.
NodeId scalable_product(const Graph& graph, ValueId x, bool through_relu);
// Divides channel n of its result by divisors[n], in the weight and the bias.
void divide_product(Graph& graph, NodeId product, std::span<const float> divisors);

// Divides channel c of `x`, all of whose readers expect that, by divisors[c]: in the scale and bias of the layer or RMS
// normalization, or in the weight of the product, that makes it. False, and nothing changed, when neither does.
bool fold_division(Graph& graph, ValueId x, std::span<const float> divisors);

}  // namespace neural_engine
