// Run functions of the gather family, by file.
#pragma once

#include "executor/op_binding.h"

namespace neural_engine {

// gather.cpp
void run_gather(const Node& node, OpContext& op);
void run_gather_elements(const Node& node, OpContext& op);
void run_gather_nd(const Node& node, OpContext& op);
void run_one_hot(const Node& node, OpContext& op);

// scatter.cpp
void run_scatter_elements(const Node& node, OpContext& op);
void run_scatter_nd(const Node& node, OpContext& op);

// select.cpp: results whose size depends on the elements
void run_nonzero(const Node& node, OpContext& op);
void run_compress(const Node& node, OpContext& op);
void run_unique(const Node& node, OpContext& op);

// non_max_suppression.cpp
void run_non_max_suppression(const Node& node, OpContext& op);

}  // namespace neural_engine
