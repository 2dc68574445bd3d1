// Arithmetic on the integers that inference knows: shapes on their way from Shape to Reshape, as numbers and symbols.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "ir/infer.h"

namespace neural_engine {

// What is known of the elements of an integer or bool operand of rank 0 or 1 (false is 0, true 1); nullopt when
// nothing.
std::optional<std::vector<Dim>> int_facts(const InferContext& context, int input);

// Sets what is known of output 0, which has its dtype and shape already, from the elements of all inputs: `op` receives
// one element of each, broadcast.
void propagate_ints(InferContext& context, const std::function<Dim(std::span<const Dim>)>& op);

// Sets the elements of output 0, those that its dtype cannot hold as unknown; none when all are unknown.
void set_int_facts(InferContext& context, std::vector<Dim> elements);

// Does a hold less than, the same as, more than b: -1, 0, 1, or nullopt when that is not certain. A symbol is a
// dimension, or a sum, product or quotient of such, hence not negative unless it contains a difference.
std::optional<int> compare(const Dim& a, const Dim& b);

}  // namespace neural_engine
