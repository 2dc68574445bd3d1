// Bindings of the norm family that live in files of their own.
#pragma once

#include "executor/op_binding.h"

namespace neural_engine {

// softmax.cpp
BoundOp bind_softmax(const BindContext& context);
BoundOp bind_log_softmax(const BindContext& context);

// channel_norm.cpp: statistics over batches, channels, groups or windows of channels
void run_batch_norm(const Node& node, OpContext& context);
void run_instance_norm(const Node& node, OpContext& context);
void run_group_norm(const Node& node, OpContext& context);
void run_lrn(const Node& node, OpContext& context);
void run_lp_norm(const Node& node, OpContext& context);
void run_mean_variance_norm(const Node& node, OpContext& context);

}  // namespace neural_engine
