#include "compressor/quantize/weight.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/tensor_memory.h"

namespace neural_engine {

namespace {

// Calls body(index along the axis, element) for each element; the axis -1 has one index.
template <class Body>
void for_each(const Tensor& matrix, int64_t axis, const Body& body) {
  const int64_t rows = matrix.dim(0), columns = matrix.dim(1);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) body(axis < 0 ? 0 : axis == 0 ? i : j, i * columns + j);
  }
}

std::vector<float> absmax(const Tensor& matrix, int64_t axis) {
  std::vector<float> result(static_cast<size_t>(axis < 0 ? 1 : matrix.dim(static_cast<int>(axis))), 0.0f);
  const Tensor readable = aligned(matrix);  // one of a mapped file may lie at any address
  const float* data = readable.data<float>();
  for_each(matrix, axis, [&](int64_t index, int64_t element) {
    float& largest = result[static_cast<size_t>(index)];
    largest = std::max(largest, std::fabs(data[element]));
  });
  return result;
}

template <class Combine>
Tensor combined(const Tensor& matrix, int64_t axis, std::span<const float> factors, const Combine& combine) {
  Tensor result(DType::kF32, matrix.shape());
  const Tensor readable = aligned(matrix);
  const float* from = readable.data<float>();
  float* to = result.data<float>();
  for_each(matrix, axis, [&](int64_t index, int64_t element) {
    to[element] = combine(from[element], factors[static_cast<size_t>(index)]);
  });
  return result;
}

int64_t input_axis(bool transposed) { return transposed ? 1 : 0; }
int64_t output_axis(bool transposed) { return transposed ? 0 : 1; }

}  // namespace

QuantizedWeight quantize_weight(const Tensor& matrix, int64_t axis, const QuantSpec& spec) {
  const std::vector<float> largest = absmax(matrix, axis);
  const Shape shape = axis < 0 ? Shape{} : Shape{matrix.dim(static_cast<int>(axis))};
  QuantizedWeight result{.values = Tensor(DType::kS8, matrix.shape()),
                         .scales = Tensor(DType::kF32, shape),
                         .zero_points = Tensor(DType::kS8, shape),
                         .axis = axis,
                         .noise = {}};
  for (size_t i = 0; i < largest.size(); ++i) {
    const QuantParams params = quant_params(spec, {-largest[i], largest[i]});
    require(params.dtype == DType::kS8 && params.zero_point == 0, Code::kInternal, "a weight is not symmetric s8");
    result.scales.data<float>()[i] = params.scale;
    result.zero_points.data<int8_t>()[i] = 0;
  }
  const QuantLimits limits = limits_of(DType::kS8, spec.reduce_range);
  const Tensor readable = aligned(matrix);
  const float* from = readable.data<float>();
  const float* scales = result.scales.data<float>();
  int8_t* to = result.values.data<int8_t>();
  for_each(matrix, axis, [&](int64_t index, int64_t element) {
    const float steps = std::clamp(std::nearbyint(from[element] / scales[index]), static_cast<float>(limits.low),
                                   static_cast<float>(limits.high));
    to[element] = static_cast<int8_t>(steps);
    const double x = static_cast<double>(from[element]), error = x - static_cast<double>(steps * scales[index]);
    result.noise.signal += x * x;
    result.noise.error += error * error;
  });
  result.noise.signal /= static_cast<double>(matrix.elems());
  result.noise.error /= static_cast<double>(matrix.elems());
  return result;
}

Tensor dequantize_weight(const QuantizedWeight& weight) {
  Tensor result(DType::kF32, weight.values.shape());
  const int8_t* from = weight.values.data<int8_t>();
  const float* scales = weight.scales.data<float>();
  float* to = result.data<float>();
  for_each(weight.values, weight.axis,
           [&](int64_t index, int64_t element) { to[element] = from[element] * scales[index]; });
  return result;
}

Tensor scale_inputs(const Tensor& matrix, bool transposed, std::span<const float> factors) {
  return combined(matrix, input_axis(transposed), factors, [](float x, float factor) { return x * factor; });
}

Tensor divide_outputs(const Tensor& matrix, bool transposed, std::span<const float> divisors) {
  return combined(matrix, output_axis(transposed), divisors, [](float x, float divisor) { return x / divisor; });
}

std::vector<float> input_absmax(const Tensor& matrix, bool transposed) {
  return absmax(matrix, input_axis(transposed));
}
std::vector<float> output_absmax(const Tensor& matrix, bool transposed) {
  return absmax(matrix, output_axis(transposed));
}

}  // namespace neural_engine
