#pragma once

#include <optional>

#include "executor/op_binding.h"
#include "ops/einsum.h"

namespace neural_engine {

BoundOp bind_einsum(const BindContext& context);

// The Einsum as one (batched) matrix product through the kernel table; nullopt when it is not of that form: two f32
// operands without repeated subscripts, where every subscript is in both operands or in the output.
std::optional<BoundOp> bind_einsum_product(const EinsumEquation& equation, const std::vector<Shape>& shapes,
                                           const BindContext& context);

}  // namespace neural_engine
