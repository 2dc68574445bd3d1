// Shared by the files of the element-wise family.
#pragma once

#include <vector>

#include "ir/op_def.h"
#include "ops/dtype_set.h"

namespace neural_engine {

// One operand of the set; the output is like it.
template <DTypeSet kSet>
void infer_unary(InferContext& context) {
  require_in(context, 0, kSet);
  infer_same_as_first(context);
}

// All operands of one dtype of the set, broadcast.
template <DTypeSet kSet>
void infer_numbers(InferContext& context) {
  for (int i = 0; i < context.num_inputs(); ++i) require_in(context, i, kSet);
  infer_broadcast(context);
}

void append_math_ops(std::vector<OpDef>* ops);
void append_activation_ops(std::vector<OpDef>* ops);
void append_arithmetic_ops(std::vector<OpDef>* ops);
void append_logic_ops(std::vector<OpDef>* ops);
void append_select_ops(std::vector<OpDef>* ops);

}  // namespace neural_engine
