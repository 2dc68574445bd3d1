// Order statistics of timed runs.
#pragma once

#include <vector>

namespace neural_engine::tools {

struct Latency {
  double mean = 0, min = 0, median = 0, p90 = 0, p99 = 0, max = 0;
};

// In the unit of the samples. Percentiles are nearest-rank.
Latency summarize(std::vector<double> samples);

// VmHWM of this process in bytes: the most memory that it had resident at once; 0 where the system does not say.
long long peak_resident_bytes();

}  // namespace neural_engine::tools
