// The trees of ops/ml.cpp's DecisionTrees as an array that is walked.
#pragma once

#include "executor/op_binding.h"

namespace neural_engine {

BoundOp bind_decision_trees(const BindContext& context);

}  // namespace neural_engine
