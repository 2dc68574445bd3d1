#include "compressor/quantize/smooth.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "compressor/quantize/weight.h"

namespace neural_engine {

namespace {

// Divisors beyond this move more than they balance, and weigh on what is folded elsewhere.
constexpr float kLargest = 1e4f;

std::vector<float> divisors_for(const std::vector<float>& activation, const std::vector<float>& weight, double alpha) {
  std::vector<float> result(activation.size(), 1.0f);
  for (size_t c = 0; c < result.size(); ++c) {
    if (!(activation[c] > 0) || !(weight[c] > 0)) continue;  // a channel of zeros stays as it is
    const double divisor =
        std::pow(static_cast<double>(activation[c]), alpha) / std::pow(static_cast<double>(weight[c]), 1 - alpha);
    result[c] = std::clamp(static_cast<float>(divisor), 1 / kLargest, kLargest);
  }
  return result;
}

}  // namespace

double expected_error(const Statistics& activation, std::span<const SmoothedWeight> weights,
                      std::span<const float> divisors) {
  const auto channels = static_cast<size_t>(activation.channels());
  double largest = 0;
  for (size_t c = 0; c < channels; ++c) {
    largest = std::max(largest, static_cast<double>(activation.channel_absmax(static_cast<int64_t>(c)) / divisors[c]));
  }
  const double step = 2 * largest / 255;
  double error = 0;
  for (const SmoothedWeight& each : weights) {
    const Tensor scaled = scale_inputs(*each.matrix, each.transposed, divisors);
    const int64_t rows = scaled.dim(0), columns = scaled.dim(1);
    const float* data = scaled.data<float>();
    std::vector<double> energy(channels, 0);  // of each row of the weight
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        const double w = static_cast<double>(data[i * columns + j]);
        energy[static_cast<size_t>(each.transposed ? j : i)] += w * w;
      }
    }
    double weight_steps = 0;  // the sum over columns of squared steps
    for (float absmax : output_absmax(scaled, each.transposed)) {
      weight_steps += static_cast<double>(absmax) * static_cast<double>(absmax) / (127.0 * 127.0);
    }
    for (size_t c = 0; c < channels; ++c) {
      const double square = activation.channel_mean_square(static_cast<int64_t>(c)) /
                            (static_cast<double>(divisors[c]) * static_cast<double>(divisors[c]));
      error += step * step / 12 * energy[c] + square * weight_steps / 12;
    }
  }
  return error;
}

Smoothing find_smoothing(const Statistics& activation, std::span<const SmoothedWeight> weights,
                         const SmoothSettings& settings) {
  const auto channels = static_cast<size_t>(activation.channels());
  std::vector<float> largest(channels), weight(channels, 0.0f);
  for (size_t c = 0; c < channels; ++c) largest[c] = activation.channel_absmax(static_cast<int64_t>(c));
  for (const SmoothedWeight& each : weights) {
    const std::vector<float> own = input_absmax(*each.matrix, each.transposed);
    require(own.size() == channels, Code::kInternal, own.size(), " rows, ", channels, " channels");
    for (size_t c = 0; c < channels; ++c) weight[c] = std::max(weight[c], own[c]);
  }
  if (settings.alpha == SmoothSettings::Alpha::kFixed) {
    return {.divisors = divisors_for(largest, weight, settings.value), .alpha = settings.value};
  }
  Smoothing best;
  double least = expected_error(activation, weights, std::vector<float>(channels, 1.0f));
  for (int tenth = 0; tenth <= 10; ++tenth) {
    std::vector<float> divisors = divisors_for(largest, weight, tenth / 10.0);
    const double error = expected_error(activation, weights, divisors);
    if (error >= least) continue;
    least = error;
    best = {.divisors = std::move(divisors), .alpha = tenth / 10.0};
  }
  return best;
}

}  // namespace neural_engine
