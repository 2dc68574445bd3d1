// Bindings of the attention family that live in files of their own.
#pragma once

#include "executor/op_binding.h"

namespace neural_engine {

BoundOp bind_fused_attention(const BindContext& context);

}  // namespace neural_engine
