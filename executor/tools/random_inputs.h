// Inputs of valid ranges for a model that is to be measured.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "neural_engine/model.h"
#include "neural_engine/tensor.h"

namespace neural_engine::tools {

struct InputSizes {
  int64_t batch_size = 1;
  int64_t seq_len = 128;
  std::string shapes;  // "name=1x128,..." overrides
};

// Shapes for a model's inputs: a free first dimension is the batch, every other free one the sequence length, unless
// its symbol says otherwise.
std::vector<Shape> input_shapes(const Model& model, const InputSizes& sizes);

// Floats are normal; token ids lie below the size of the table that they index; masks are 1; token types are 0;
// positions count up. The same seed gives the same bits.
std::vector<Tensor> random_inputs(const Model& model, const std::vector<Shape>& shapes, uint64_t seed);

}  // namespace neural_engine::tools
