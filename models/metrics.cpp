#include "models/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.h"

namespace neural_engine {

namespace {

void check_lengths(size_t predicted, size_t expected) {
  require(predicted == expected && expected > 0, Code::kInvalidArgument, predicted, " predictions for ", expected,
          " references");
}

struct Counts {
  int64_t hits = 0, predicted = 0, expected = 0;
};

std::map<int64_t, Counts> count(std::span<const int64_t> predicted, std::span<const int64_t> expected) {
  check_lengths(predicted.size(), expected.size());
  std::map<int64_t, Counts> counts;
  for (size_t i = 0; i < expected.size(); ++i) {
    ++counts[predicted[i]].predicted;
    ++counts[expected[i]].expected;
    counts[expected[i]].hits += predicted[i] == expected[i];
  }
  return counts;
}

double f1_of(const Counts& counts) {
  return 2.0 * static_cast<double>(counts.hits) / static_cast<double>(counts.predicted + counts.expected);
}

std::vector<double> ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i)
      result[order[i]] = (static_cast<double>(begin) + static_cast<double>(end) - 1) / 2;
    begin = end;
  }
  return result;
}

}  // namespace

double accuracy(std::span<const int64_t> predicted, std::span<const int64_t> expected) {
  int64_t hits = 0;
  for (const auto& [label, counts] : count(predicted, expected)) hits += counts.hits;
  return static_cast<double>(hits) / static_cast<double>(expected.size());
}

double f1(std::span<const int64_t> predicted, std::span<const int64_t> expected) {
  const std::map<int64_t, Counts> counts = count(predicted, expected);
  const bool binary =
      std::all_of(counts.begin(), counts.end(), [](const auto& each) { return each.first == 0 || each.first == 1; });
  if (binary) return counts.count(1) ? f1_of(counts.at(1)) : 0;
  double sum = 0;
  for (const auto& [label, each] : counts) sum += f1_of(each);
  return sum / static_cast<double>(counts.size());
}

double mcc(std::span<const int64_t> predicted, std::span<const int64_t> expected) {
  double hits = 0, products = 0, predicted_squares = 0, expected_squares = 0;
  const double total = static_cast<double>(expected.size());
  for (const auto& [label, counts] : count(predicted, expected)) {
    const double p = static_cast<double>(counts.predicted), e = static_cast<double>(counts.expected);
    hits += static_cast<double>(counts.hits);
    products += p * e;
    predicted_squares += p * p;
    expected_squares += e * e;
  }
  const double scale = std::sqrt((total * total - predicted_squares) * (total * total - expected_squares));
  return scale == 0 ? 0 : (hits * total - products) / scale;
}

double pearson(std::span<const double> predicted, std::span<const double> expected) {
  check_lengths(predicted.size(), expected.size());
  const double n = static_cast<double>(expected.size());
  const double mean_p = std::accumulate(predicted.begin(), predicted.end(), 0.0) / n;
  const double mean_e = std::accumulate(expected.begin(), expected.end(), 0.0) / n;
  double covariance = 0, variance_p = 0, variance_e = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double p = predicted[i] - mean_p, e = expected[i] - mean_e;
    covariance += p * e;
    variance_p += p * p;
    variance_e += e * e;
  }
  const double scale = std::sqrt(variance_p * variance_e);
  return scale == 0 ? 0 : covariance / scale;
}

double spearman(std::span<const double> predicted, std::span<const double> expected) {
  check_lengths(predicted.size(), expected.size());
  return pearson(ranks(predicted), ranks(expected));
}

double rate_margin(double rate, int64_t trials) {
  return trials == 0 ? 1 : 1.96 * std::sqrt(rate * (1 - rate) / static_cast<double>(trials));
}

}  // namespace neural_engine
