// Post ops of a node as the epilogue of a kernel.
#pragma once

#include <vector>

#include "executor/op_binding.h"
#include "kernels/epilogue.h"

namespace neural_engine {

// An operand of the epilogue: which input of the node, times `scale`. For 8-bit ones the next two inputs are its scale
// and zero point; for a grid, input is -1 and `parameters` the first of them.
struct PlanOperand {
  int input = -1;
  Spread spread = Spread::kFull;
  float scale = 1.0f;
  int parameters = -1;
};

// Ops of the attribute "post_ops" and the operands that they read: the node's inputs from `first` on.
void append_post_ops(const BindContext& context, int first, Epilogue* epilogue, std::vector<PlanOperand>* operands);

}  // namespace neural_engine
