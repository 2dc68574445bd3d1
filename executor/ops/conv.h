// Bindings of the conv family that live in files of their own.
#pragma once

#include "executor/op_binding.h"

namespace neural_engine {

BoundOp bind_conv(const BindContext& context);            // conv.cpp
BoundOp bind_conv_transpose(const BindContext& context);  // conv_transpose.cpp
BoundOp bind_deform_conv(const BindContext& context);     // deform_conv.cpp
BoundOp bind_max_pool(const BindContext& context);        // pool.cpp
BoundOp bind_average_pool(const BindContext& context);
BoundOp bind_lp_pool(const BindContext& context);
void run_global_average_pool(const Node& node, OpContext& context);
void run_global_max_pool(const Node& node, OpContext& context);
void run_global_lp_pool(const Node& node, OpContext& context);

}  // namespace neural_engine
