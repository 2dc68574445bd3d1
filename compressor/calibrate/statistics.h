// What calibration keeps of one value: enough for every observer, for smoothing and for bias correction, so that one
// run over the samples serves all recipes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compressor/calibrate/histogram.h"

namespace neural_engine {

// Where numbers lie, as bins of one width.
struct Distribution {
  double first_edge = 0;
  double width = 0;  // 0: all numbers are 0
  std::vector<double> mass;
  double total = 0;
  float min = 0, max = 0;
  float average_min = 0, average_max = 0;  // moving averages over the runs

  double center(size_t bin) const { return first_edge + (static_cast<double>(bin) + 0.5) * width; }
};

class Statistics {
 public:
  // With more than one channel, they are the last axis: rows of as many numbers are observed.
  explicit Statistics(int64_t channels);

  // Between begin_run() and end_run() come the numbers of one run; `count` is a multiple of channels().
  void begin_run();
  void observe(const float* x, int64_t count);
  void end_run();

  int64_t channels() const { return static_cast<int64_t>(channels_.size()); }
  int64_t count() const { return count_; }
  // Infinities and NaN, which are left out.
  int64_t non_finite() const { return non_finite_; }
  float min() const;
  float max() const;
  float channel_absmax(int64_t channel) const;
  double channel_mean(int64_t channel) const;
  double channel_mean_square(int64_t channel) const;
  size_t bytes() const;

  // Of all channels together, channel c divided by divisors[c] (none given: 1). Bins of channels are spread evenly over
  // the bins that they cover.
  Distribution distribution(std::span<const float> divisors = {}) const;

 private:
  struct Channel {
    Histogram histogram;
    float min = 0, max = 0;
    float run_min = 0, run_max = 0;
    float average_min = 0, average_max = 0;
    double sum = 0, sum_of_squares = 0;
    int64_t count = 0;
  };
  void add(Channel& channel, float x);

  std::vector<Channel> channels_;
  int64_t count_ = 0;
  int64_t non_finite_ = 0;
  int64_t runs_ = 0;
  bool run_observed_ = false;
};

}  // namespace neural_engine
