// Constant matrices in 8 bits.
#pragma once

#include "compressor/calibrate/observers.h"
#include "compressor/scheme.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

struct QuantizedWeight {
  Tensor values;       // s8, of the matrix's shape
  Tensor scales;       // f32: a scalar, or one per index of `axis`
  Tensor zero_points;  // s8 zeros, of the scales' shape
  int64_t axis = -1;   // -1: one scale for all
  Noise noise;
};

// Symmetric, by `spec`; `axis` of a rank-2 tensor is 0 or 1, or -1.
QuantizedWeight quantize_weight(const Tensor& matrix, int64_t axis, const QuantSpec& spec);

// What the quantized matrix stands for.
Tensor dequantize_weight(const QuantizedWeight& weight);

// Row c multiplied by factors[c] (column c, when the matrix is stored transposed: [n, k]).
Tensor scale_inputs(const Tensor& matrix, bool transposed, std::span<const float> factors);
// Column n divided by divisors[n] (row n, when transposed): the product's channel n comes out divided.
Tensor divide_outputs(const Tensor& matrix, bool transposed, std::span<const float> divisors);
// Largest magnitude of each row c (column c, when transposed).
std::vector<float> input_absmax(const Tensor& matrix, bool transposed);
// The same of each column n (row n).
std::vector<float> output_absmax(const Tensor& matrix, bool transposed);

}  // namespace neural_engine
