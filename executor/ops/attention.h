// Bindings of the attention family that live in files of their own.
#pragma once

#include "executor/op_binding.h"

namespace neural_engine {

BoundOp bind_fused_attention(const BindContext& context);
BoundOp bind_attention(const BindContext& context);
BoundOp bind_rotary_embedding(const BindContext& context);

}  // namespace neural_engine
