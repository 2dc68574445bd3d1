// The range whose quantized distribution says most about the original one: the least Kullback-Leibler divergence.
//
// For a limit t the reference P is the distribution of |x| up to t, with what lies beyond counted at t. Q is what is
// left of the part up to t after its bins were merged to as many as there are quantized magnitudes, each spread evenly
// over its bins that are not empty. Clipping makes P differ from Q at the end, merging makes it differ everywhere.
//
// Numbers count by their squares here. Counted alike, the few channels of a transformer that hold a hundred times what
// others do are too few numbers to matter, and are clipped to nothing; but a product sums what they hold.
#include <algorithm>
#include <cmath>

#include "compressor/calibrate/observers.h"

namespace neural_engine {

namespace {

constexpr size_t kLevels = 128;
constexpr size_t kStride = 16;  // bins from one limit that is tried to the next

std::vector<double> energies(const Distribution& distribution) {
  const size_t half = distribution.mass.size() / 2;
  std::vector<double> result(half);
  for (size_t i = 0; i < half; ++i) {
    const double x = distribution.center(half + i);
    result[i] = (distribution.mass[half + i] + distribution.mass[half - 1 - i]) * x * x;
  }
  return result;
}

// Of the reference's first `limit` bins, the rest of the mass at the last of them.
double divergence(const std::vector<double>& mass, size_t limit, double beyond, double total) {
  double result = 0;
  const double kept = total - beyond;
  if (kept <= 0) return INFINITY;
  for (size_t level = 0; level < kLevels; ++level) {
    const size_t begin = level * limit / kLevels, end = (level + 1) * limit / kLevels;
    double sum = 0, filled = 0;
    for (size_t i = begin; i < end; ++i) {
      sum += mass[i];
      filled += mass[i] > 0 ? 1 : 0;
    }
    for (size_t i = begin; i < end; ++i) {
      const double p = (mass[i] + (i + 1 == limit ? beyond : 0)) / total;
      if (p <= 0) continue;
      // What Q does not have at all costs as much as if it had a millionth of all.
      const double q = mass[i] > 0 ? sum / filled / kept : 1e-6;
      result += p * std::log(p / q);
    }
  }
  return result;
}

}  // namespace

Range entropy_range(const Distribution& distribution, const ObserverRequest&) {
  const std::vector<double> mass = energies(distribution);
  size_t last = mass.size();
  while (last > kLevels && mass[last - 1] == 0) --last;
  size_t best = last;
  double least = INFINITY;
  std::vector<double> beyond(mass.size() + 1, 0);
  for (size_t i = mass.size(); i > 0; --i) beyond[i - 1] = beyond[i] + mass[i - 1];
  for (size_t limit = last; limit >= kLevels; limit -= std::min(limit, kStride)) {
    const double found = divergence(mass, limit, beyond[limit], beyond[0]);
    if (found < least) {
      least = found;
      best = limit;
    }
  }
  const auto limit = static_cast<float>(static_cast<double>(best) * distribution.width);
  return {-limit, limit};
}

}  // namespace neural_engine
