// Run functions of the image family, by file.
#pragma once

#include "executor/op_binding.h"

namespace neural_engine {

void run_resize(const Node& node, OpContext& op);        // resize.cpp
void run_grid_sample(const Node& node, OpContext& op);   // grid_sample.cpp
void run_affine_grid(const Node& node, OpContext& op);   // grid_sample.cpp
void run_roi_align(const Node& node, OpContext& op);     // roi.cpp
void run_max_roi_pool(const Node& node, OpContext& op);  // roi.cpp

}  // namespace neural_engine
