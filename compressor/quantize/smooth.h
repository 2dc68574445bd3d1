// SmoothQuant: what is hard to quantize moves from the channels of an activation to the rows of the weights that it is
// multiplied with.
#pragma once

#include <span>
#include <vector>

#include "compressor/calibrate/statistics.h"
#include "neural_engine/compress.h"

namespace neural_engine {

// A weight that the activation is multiplied with.
struct SmoothedWeight {
  const Tensor* matrix;
  bool transposed;
};

struct Smoothing {
  std::vector<float> divisors;  // by channel; empty: none
  double alpha = 0;
};

// One set of divisors for all weights that read the activation. With Alpha::kPerLayer the alpha that makes the least
// expected error of the products, and none at all where that is better still.
Smoothing find_smoothing(const Statistics& activation, std::span<const SmoothedWeight> weights,
                         const SmoothSettings& settings);

// The expected squared error of the products' elements, for 8 bits on either side: rounding of the activation times the
// weights, and rounding of the weights times the activation.
double expected_error(const Statistics& activation, std::span<const SmoothedWeight> weights,
                      std::span<const float> divisors);

}  // namespace neural_engine
