// Bindings of the products of integers.
#pragma once

#include "executor/op_binding.h"

namespace neural_engine {

BoundOp bind_dynamic_matmul(const BindContext& context);
BoundOp bind_quantized_matmul(const BindContext& context);

}  // namespace neural_engine
