#include "compressor/calibrate/observers.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace neural_engine {

namespace {

struct Row {
  Observer observer;
  Range (*range)(const Distribution&, const ObserverRequest&);
};
constexpr Row kTable[] = {
    {Observer::kMinMax, min_max_range},
    {Observer::kMovingAverage, moving_average_range},
    {Observer::kPercentile, percentile_range},
    {Observer::kEntropy, entropy_range},
    {Observer::kMse, mse_range},
};

}  // namespace

Range observed_range(const Distribution& distribution, const ObserverRequest& request) {
  if (distribution.total == 0 || distribution.width == 0) return {};
  for (const Row& row : kTable) {
    if (row.observer != request.observer) continue;
    const Range found = row.range(distribution, request);
    return {std::min(0.0f, std::max(found.min, distribution.min)),
            std::max(0.0f, std::min(found.max, distribution.max))};
  }
  fail(Code::kInternal, "an observer has no function");
}

Range min_max_range(const Distribution& distribution, const ObserverRequest&) {
  return {distribution.min, distribution.max};
}

Range moving_average_range(const Distribution& distribution, const ObserverRequest&) {
  return {distribution.average_min, distribution.average_max};
}

double Noise::sqnr_db() const {
  if (signal <= 0) return 0;
  return error <= 0 ? 200 : std::min(200.0, 10 * std::log10(signal / error));
}

Noise quantization_noise(const Distribution& distribution, const QuantParams& params, QuantLimits limits) {
  Noise noise;
  if (distribution.total == 0) return noise;
  const double low = (limits.low - params.zero_point) * static_cast<double>(params.scale);
  const double high = (limits.high - params.zero_point) * static_cast<double>(params.scale);
  const double rounding = static_cast<double>(params.scale) * static_cast<double>(params.scale) / 12;
  for (size_t bin = 0; bin < distribution.mass.size(); ++bin) {
    if (distribution.mass[bin] == 0) continue;
    const double x = distribution.center(bin);
    noise.signal += distribution.mass[bin] * x * x;
    const double outside = x < low ? low - x : x > high ? x - high : 0;
    // Bins are finer than steps: within the range, the error is spread evenly over a step. The bin of 0 is exact where
    // it holds nothing else, which it does after ReLU; a sixteenth of a step is no matter elsewhere.
    const bool zero = std::fabs(x) < distribution.width;
    noise.error += distribution.mass[bin] * (zero ? 0 : rounding + outside * outside);
  }
  noise.signal /= distribution.total;
  noise.error /= distribution.total;
  return noise;
}

}  // namespace neural_engine
