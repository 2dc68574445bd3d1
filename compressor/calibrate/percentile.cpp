// The range that all but a share of the numbers lie in, at either end.
#include <algorithm>

#include "compressor/calibrate/observers.h"

namespace neural_engine {

namespace {

// The number below which `share` of the mass lies, within a bin in proportion.
double quantile(const Distribution& distribution, double share) {
  const double wanted = share * distribution.total;
  double below = 0;
  for (size_t bin = 0; bin < distribution.mass.size(); ++bin) {
    const double mass = distribution.mass[bin];
    if (below + mass >= wanted && mass > 0) {
      const double part = std::clamp((wanted - below) / mass, 0.0, 1.0);
      return distribution.first_edge + (static_cast<double>(bin) + part) * distribution.width;
    }
    below += mass;
  }
  return static_cast<double>(distribution.max);
}

}  // namespace

Range percentile_range(const Distribution& distribution, const ObserverRequest& request) {
  const double share = request.percentile / 100;
  return {static_cast<float>(quantile(distribution, 1 - share)), static_cast<float>(quantile(distribution, share))};
}

}  // namespace neural_engine
