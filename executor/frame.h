// The memory of one run of a plan.
#pragma once

#include <vector>

#include "neural_engine/tensor.h"

namespace neural_engine {

struct Frame {
  Tensor arena;
  std::vector<Tensor> tensors;  // by ValueId
  // Operands of all steps, one after the other, as OpContext takes them.
  std::vector<const Tensor*> inputs;
  std::vector<Tensor*> outputs;
};

}  // namespace neural_engine
