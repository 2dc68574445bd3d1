// The equation of an Einsum, parsed: shared by inference and the executor.
#pragma once

#include <string>
#include <vector>

#include "ir/infer.h"

namespace neural_engine {

// Every subscript is a small index: letters by their first use, then the dimensions of the ellipsis. Subscripts of one
// operand may repeat (a diagonal); those that the output lacks are summed over.
struct EinsumEquation {
  std::vector<std::vector<int>> inputs;  // per operand, per dimension: the subscript
  std::vector<int> output;
  int subscripts = 0;
};

// `ranks` of the operands, to know how many dimensions an ellipsis stands for. Throws Error(kInvalidModel).
EinsumEquation parse_einsum(const std::string& equation, const std::vector<int64_t>& ranks);

void infer_einsum(InferContext& context);

}  // namespace neural_engine
