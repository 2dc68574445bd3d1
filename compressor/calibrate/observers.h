// Observers: from what was seen of a value to the range that is quantized.
#pragma once

#include "compressor/calibrate/statistics.h"
#include "compressor/scheme.h"

namespace neural_engine {

struct ObserverRequest {
  Observer observer = Observer::kMinMax;
  double percentile = 99.999;
  QuantSpec spec;  // what the range is for
};

// Within what was seen, and containing 0 (so [0, 0] when nothing was).
Range observed_range(const Distribution& distribution, const ObserverRequest& request);

// One file each; every observer is one function of this form.
Range min_max_range(const Distribution& distribution, const ObserverRequest& request);
Range moving_average_range(const Distribution& distribution, const ObserverRequest& request);
Range percentile_range(const Distribution& distribution, const ObserverRequest& request);
Range entropy_range(const Distribution& distribution, const ObserverRequest& request);
Range mse_range(const Distribution& distribution, const ObserverRequest& request);

// Mean squares of the numbers and of what quantizing them with these parameters adds.
struct Noise {
  double signal = 0, error = 0;
  double sqnr_db() const;  // 0 when there is no signal; at most 200
};
Noise quantization_noise(const Distribution& distribution, const QuantParams& params, QuantLimits limits);

}  // namespace neural_engine
