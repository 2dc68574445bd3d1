#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "compressor/tune/tuner.h"

namespace neural_engine {

namespace {

struct Row {
  const char* name;
  Strategy strategy;
};
constexpr Row kStrategies[] = {
    {"basic", tune_basic},   {"conservative", tune_conservative}, {"mse", tune_mse},           {"mse_v2", tune_mse_v2},
    {"random", tune_random}, {"exhaustive", tune_exhaustive},     {"bayesian", tune_bayesian}, {"tpe", tune_tpe},
    {"front", tune_front},
};

Configuration with_fallbacks(const Space& space, Configuration configuration, const std::vector<size_t>& order,
                             size_t count) {
  for (size_t i = 0; i < count; ++i) configuration.choices[order[i]] = space.f32();
  return configuration;
}

}  // namespace

Strategy find_strategy(const std::string& name) {
  std::string all;
  for (const Row& row : kStrategies) {
    if (name == row.name) return row.strategy;
    all += std::string(all.empty() ? "" : ", ") + row.name;
  }
  fail(Code::kInvalidArgument, "there is no strategy \"", name, "\", expected one of ", all);
}

Configuration draw(const Space& space, std::mt19937& random) {
  Configuration drawn = space.all(0);
  drawn.variant = below(random, space.variants().size());
  const size_t percent = below(random, 101);
  for (size_t& choice : drawn.choices) {
    choice = below(random, 100) < percent ? space.f32() : below(random, space.f32());
  }
  return drawn;
}

std::vector<size_t> by_decreasing(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] > values[b]; });
  return order;
}

Configuration fall_back(Tuner& tuner, const Configuration& from, const std::vector<size_t>& order) {
  const auto attempt = [&](size_t count) { return with_fallbacks(tuner.space(), from, order, count); };
  size_t missed = 0, met = 1;
  while (met < order.size() && !tuner.evaluate(attempt(met)).met) {
    missed = met;
    met = std::min(2 * met, order.size());
  }
  if (met == order.size() && !tuner.evaluate(attempt(met)).met) return attempt(met);
  while (met - missed > 1) {
    const size_t middle = missed + (met - missed) / 2;
    (tuner.evaluate(attempt(middle)).met ? met : missed) = middle;
  }
  return attempt(met);
}

}  // namespace neural_engine
