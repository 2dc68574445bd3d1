#pragma once

#include "executor/op_binding.h"

namespace neural_engine {

BoundOp bind_einsum(const BindContext& context);

}  // namespace neural_engine
