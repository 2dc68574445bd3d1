#include "compressor/calibrate/statistics.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace neural_engine {

namespace {

// A quantum of 8 bits is then 16 to 32 bins wide.
constexpr int kBins = 8192;
// For each of several channels, 1 KB: the histograms of a transformer stay well below the size of its weights.
constexpr int kChannelBins = 256;
// Of the latest run in the moving average, as PyTorch's observer has it.
constexpr float kAveraging = 0.01f;

void spread(const Histogram& histogram, double divisor, Distribution& out) {
  if (histogram.limit() == 0) {
    out.mass[out.mass.size() / 2] += histogram.zeros();
    return;
  }
  const double width = histogram.width() / divisor;
  for (int bin = 0; bin < histogram.bins(); ++bin) {
    if (histogram[bin] == 0) continue;
    const double begin = (histogram.edge(bin) / divisor - out.first_edge) / out.width;
    const double end = begin + width / out.width;
    const auto first = static_cast<size_t>(std::max(begin, 0.0));
    const size_t last = std::min(static_cast<size_t>(std::max(end, 0.0)), out.mass.size() - 1);
    if (first >= last) {
      out.mass[std::min(first, out.mass.size() - 1)] += histogram[bin];
      continue;
    }
    for (size_t i = first; i <= last; ++i) {
      const double overlap = std::min(end, static_cast<double>(i + 1)) - std::max(begin, static_cast<double>(i));
      if (overlap > 0) out.mass[i] += histogram[bin] * overlap / (end - begin);
    }
  }
}

}  // namespace

Statistics::Statistics(int64_t channels) {
  require(channels >= 1, Code::kInternal, channels, " channels");
  channels_.assign(static_cast<size_t>(channels),
                   Channel{.histogram = Histogram(channels == 1 ? kBins : kChannelBins)});
}

void Statistics::begin_run() {
  run_observed_ = false;
  for (Channel& channel : channels_) {
    channel.run_min = INFINITY;
    channel.run_max = -INFINITY;
  }
}

void Statistics::add(Channel& channel, float x) {
  if (!std::isfinite(x)) {
    ++non_finite_;
    return;
  }
  channel.histogram.add(x);
  channel.run_min = std::min(channel.run_min, x);
  channel.run_max = std::max(channel.run_max, x);
  channel.sum += static_cast<double>(x);
  channel.sum_of_squares += static_cast<double>(x) * static_cast<double>(x);
  ++channel.count;
}

void Statistics::observe(const float* x, int64_t count) {
  const auto channels = static_cast<int64_t>(channels_.size());
  require(count % channels == 0, Code::kInternal, count, " numbers of ", channels, " channels");
  count_ += count;
  run_observed_ = run_observed_ || count > 0;
  if (channels == 1) {
    for (int64_t i = 0; i < count; ++i) add(channels_[0], x[i]);
    return;
  }
  for (int64_t row = 0; row < count; row += channels) {
    for (int64_t c = 0; c < channels; ++c) add(channels_[static_cast<size_t>(c)], x[row + c]);
  }
}

void Statistics::end_run() {
  if (!run_observed_) return;
  for (Channel& channel : channels_) {
    if (!(channel.run_min <= channel.run_max)) continue;  // nothing finite
    if (runs_ == 0) {
      channel.min = channel.average_min = channel.run_min;
      channel.max = channel.average_max = channel.run_max;
    }
    channel.min = std::min(channel.min, channel.run_min);
    channel.max = std::max(channel.max, channel.run_max);
    channel.average_min += kAveraging * (channel.run_min - channel.average_min);
    channel.average_max += kAveraging * (channel.run_max - channel.average_max);
  }
  ++runs_;
}

float Statistics::min() const {
  return std::min_element(channels_.begin(), channels_.end(), [](auto& a, auto& b) { return a.min < b.min; })->min;
}

float Statistics::max() const {
  return std::max_element(channels_.begin(), channels_.end(), [](auto& a, auto& b) { return a.max < b.max; })->max;
}

float Statistics::channel_absmax(int64_t channel) const {
  const Channel& found = channels_[static_cast<size_t>(channel)];
  return std::max(std::fabs(found.min), std::fabs(found.max));
}

double Statistics::channel_mean(int64_t channel) const {
  const Channel& found = channels_[static_cast<size_t>(channel)];
  return found.count == 0 ? 0 : found.sum / static_cast<double>(found.count);
}

double Statistics::channel_mean_square(int64_t channel) const {
  const Channel& found = channels_[static_cast<size_t>(channel)];
  return found.count == 0 ? 0 : found.sum_of_squares / static_cast<double>(found.count);
}

size_t Statistics::bytes() const {
  size_t total = 0;
  for (const Channel& channel : channels_) total += sizeof(Channel) + channel.histogram.bytes();
  return total;
}

Distribution Statistics::distribution(std::span<const float> divisors) const {
  const auto divisor = [&](size_t c) { return divisors.empty() ? 1.0 : static_cast<double>(divisors[c]); };
  Distribution out;
  double limit = 0;
  for (size_t c = 0; c < channels_.size(); ++c) {
    const Channel& channel = channels_[c];
    const auto scaled = [&](float x) { return static_cast<float>(static_cast<double>(x) / divisor(c)); };
    const bool first = c == 0;
    out.min = first ? scaled(channel.min) : std::min(out.min, scaled(channel.min));
    out.max = first ? scaled(channel.max) : std::max(out.max, scaled(channel.max));
    out.average_min = first ? scaled(channel.average_min) : std::min(out.average_min, scaled(channel.average_min));
    out.average_max = first ? scaled(channel.average_max) : std::max(out.average_max, scaled(channel.average_max));
    out.total += static_cast<double>(channel.count);
    limit = std::max(limit, channel.histogram.limit() / divisor(c));
  }
  out.mass.assign(kBins, 0);
  out.width = 2 * limit / kBins;
  out.first_edge = -limit;
  if (limit == 0) {
    out.mass[kBins / 2] = out.total;
    return out;
  }
  for (size_t c = 0; c < channels_.size(); ++c) spread(channels_[c].histogram, divisor(c), out);
  return out;
}

}  // namespace neural_engine
