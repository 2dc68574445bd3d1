// Run functions of the shape family, by file.
#pragma once

#include "executor/op_binding.h"

namespace neural_engine {

// shape_move.cpp
void run_view(const Node& node, OpContext& op);
void run_shape(const Node& node, OpContext& op);
void run_size(const Node& node, OpContext& op);
void run_transpose(const Node& node, OpContext& op);
void run_concat(const Node& node, OpContext& op);
void run_split(const Node& node, OpContext& op);
void run_slice(const Node& node, OpContext& op);
void run_expand(const Node& node, OpContext& op);
void run_tile(const Node& node, OpContext& op);
void run_depth_to_space(const Node& node, OpContext& op);
void run_space_to_depth(const Node& node, OpContext& op);
void run_reverse_sequence(const Node& node, OpContext& op);

// shape_fill.cpp
void run_constant_of_shape(const Node& node, OpContext& op);
void run_range(const Node& node, OpContext& op);
void run_pad(const Node& node, OpContext& op);
void run_center_crop_pad(const Node& node, OpContext& op);
void run_col2im(const Node& node, OpContext& op);

}  // namespace neural_engine
