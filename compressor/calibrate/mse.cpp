// The range with the least mean squared error of quantization.
#include "compressor/calibrate/observers.h"

namespace neural_engine {

namespace {

constexpr int kSteps = 64;

double error_of(const Distribution& distribution, const ObserverRequest& request, Range range) {
  const QuantParams params = quant_params(request.spec, range);
  return quantization_noise(distribution, params, limits_of(params.dtype, request.spec.reduce_range)).error;
}

}  // namespace

// Both ends are drawn in together first, then each on its own: the error is smooth in either.
Range mse_range(const Distribution& distribution, const ObserverRequest& request) {
  const Range whole = {distribution.min, distribution.max};
  Range best = whole;
  double least = error_of(distribution, request, whole);
  const auto offer = [&](Range candidate) {
    const double error = error_of(distribution, request, candidate);
    if (error < least) {
      least = error;
      best = candidate;
    }
  };
  for (int step = 1; step < kSteps; ++step) {
    const float part = static_cast<float>(step) / kSteps;
    offer({whole.min * part, whole.max * part});
  }
  if (request.spec.symmetric) return best;
  const Range together = best;
  for (int step = 1; step <= kSteps; ++step) offer({whole.min * static_cast<float>(step) / kSteps, together.max});
  const Range after = best;
  for (int step = 1; step <= kSteps; ++step) offer({after.min, whole.max * static_cast<float>(step) / kSteps});
  return best;
}

}  // namespace neural_engine
