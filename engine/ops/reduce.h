// Shared by the files of the reduce family.
#pragma once

#include <vector>

#include "ir/op_def.h"

namespace neural_engine {

void append_axis_ops(std::vector<OpDef>* ops);  // reduce_axis.cpp: CumSum, TopK, Hardmax, Trilu, Det

}  // namespace neural_engine
