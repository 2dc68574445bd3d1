#include "executor/tools/statistics.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <string>

namespace neural_engine::tools {

Latency summarize(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  const auto rank = [&](double fraction) {
    const double position = std::ceil(fraction * static_cast<double>(samples.size()));
    return samples[static_cast<size_t>(std::max(position, 1.0)) - 1];
  };
  Latency latency;
  latency.mean = std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
  latency.min = samples.front();
  latency.median = rank(0.5);
  latency.p90 = rank(0.9);
  latency.p99 = rank(0.99);
  latency.max = samples.back();
  return latency;
}

long long peak_resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6)) * 1024;
  }
  return 0;
}

}  // namespace neural_engine::tools
