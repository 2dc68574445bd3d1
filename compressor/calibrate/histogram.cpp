#include "compressor/calibrate/histogram.h"

#include <algorithm>
#include <cmath>

namespace neural_engine {

namespace {

// The power of two above |x|. Not below 2^-100, so that widths and their reciprocals stay normal numbers.
float limit_above(float x) {
  int exponent = 0;
  std::frexp(x, &exponent);  // |x| = m * 2^exponent with m in [0.5, 1)
  return std::ldexp(1.0f, std::max(exponent, -100));
}

}  // namespace

Histogram::Histogram(int bins) : counts_(static_cast<size_t>(bins)), half_(static_cast<float>(bins / 2)) {}

void Histogram::grow(float x) {
  if (x == 0) return;
  const float wanted = limit_above(x);
  if (limit_ == 0) {
    limit_ = wanted;
    counts_[static_cast<size_t>(half_)] = zeros_;
    zeros_ = 0;
  }
  const int n = bins(), half = n / 2;
  while (limit_ < wanted) {
    // Bin i of the wider histogram holds the bins 2i - half and the next of the narrower one.
    std::vector<uint32_t> wider(counts_.size());
    for (int i = half / 2; i < n - half / 2; ++i) {
      const int from = 2 * i - half;
      for (int j = std::max(from, 0); j < std::min(from + 2, n); ++j) {
        wider[static_cast<size_t>(i)] += counts_[static_cast<size_t>(j)];
      }
    }
    counts_.swap(wider);
    limit_ *= 2;
  }
  bins_per_unit_ = half_ / limit_;
}

void Histogram::halve() {
  for (uint32_t& each : counts_) each /= 2;
}

}  // namespace neural_engine
