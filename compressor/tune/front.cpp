// The front of accuracy and time. Each operation's error (when it alone is int8) and its time (what f32 adds to the
// run) are measured here; operations go back to f32 in the order of error per time until the goal is met, and then
// forward again, the slowest first, where the goal stays met.
#include <algorithm>

#include "compressor/tune/tuner.h"

namespace neural_engine {

namespace {

// What each unit's int8 saves, in ms: at least a hundredth of the even share, as small times drown in noise.
std::vector<double> savings(Tuner& tuner) {
  const Configuration whole = tuner.space().all(0);
  const double base = tuner.latency_ms(whole);
  const double least = base / static_cast<double>(100 * whole.choices.size());
  std::vector<double> result;
  for (size_t i = 0; i < whole.choices.size(); ++i) {
    Configuration without = whole;
    without.choices[i] = tuner.space().f32();
    result.push_back(std::max(tuner.latency_ms(without) - base, least));
  }
  return result;
}

}  // namespace

void tune_front(Tuner& tuner) {
  const Space& space = tuner.space();
  const Configuration whole = space.all(0);
  if (tuner.evaluate(whole).met) return;
  const std::vector<double> errors = tuner.sensitivities(), saved = savings(tuner);
  std::vector<double> ratio;
  for (size_t i = 0; i < errors.size(); ++i) ratio.push_back(errors[i] / saved[i]);
  Configuration current = fall_back(tuner, whole, by_decreasing(ratio));
  for (size_t unit : by_decreasing(saved)) {
    if (current.choices[unit] != space.f32()) continue;
    Configuration forward = current;
    forward.choices[unit] = 0;
    if (tuner.evaluate(forward).met) current = forward;
  }
}

}  // namespace neural_engine
