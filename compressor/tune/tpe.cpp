// Tree-structured Parzen estimator (Bergstra and others, 2011), for independent categories: of what was tried, the
// better quarter and the rest each give a probability to every choice of every operation; candidates are drawn from the
// better ones' and the one with the greatest ratio of both is tried.
#include <algorithm>
#include <cmath>

#include "compressor/tune/tuner.h"

namespace neural_engine {

namespace {

constexpr size_t kStart = 10;       // trials at random
constexpr size_t kCandidates = 24;  // drawn for each trial

// How often each dimension, the variant last, had each value; each value counts once without having been seen.
class Counts {
 public:
  explicit Counts(const Space& space)
      : counts_(space.units().size(), std::vector<double>(space.choices().size(), 1.0)) {
    counts_.emplace_back(space.variants().size(), 1.0);
  }

  void add(const Configuration& configuration) {
    for (size_t i = 0; i < configuration.choices.size(); ++i) counts_[i][configuration.choices[i]] += 1;
    counts_.back()[configuration.variant] += 1;
  }

  double log_probability(const Configuration& configuration) const {
    double sum = part(counts_.back(), configuration.variant);
    for (size_t i = 0; i < configuration.choices.size(); ++i) sum += part(counts_[i], configuration.choices[i]);
    return sum;
  }

  Configuration draw(std::mt19937& random) const {
    Configuration drawn;
    for (size_t i = 0; i + 1 < counts_.size(); ++i) drawn.choices.push_back(draw_one(counts_[i], random));
    drawn.variant = draw_one(counts_.back(), random);
    return drawn;
  }

 private:
  static double total(const std::vector<double>& counts) {
    double sum = 0;
    for (double each : counts) sum += each;
    return sum;
  }
  static double part(const std::vector<double>& counts, size_t value) {
    return std::log(counts[value] / total(counts));
  }
  static size_t draw_one(const std::vector<double>& counts, std::mt19937& random) {
    double left = total(counts) * static_cast<double>(random()) / 4294967296.0;
    for (size_t i = 0; i + 1 < counts.size(); ++i) {
      if (left < counts[i]) return i;
      left -= counts[i];
    }
    return counts.size() - 1;
  }

  std::vector<std::vector<double>> counts_;
};

Configuration propose(Tuner& tuner) {
  std::vector<double> utilities;
  for (size_t i = 0; i < tuner.trials().size(); ++i) {
    utilities.push_back(tuner.utility(tuner.trials()[i], tuner.tried()[i]));
  }
  const std::vector<size_t> order = by_decreasing(utilities);
  const size_t good = std::max<size_t>(1, order.size() / 4);
  Counts better(tuner.space()), worse(tuner.space());
  for (size_t i = 0; i < order.size(); ++i) (i < good ? better : worse).add(tuner.tried()[order[i]]);
  Configuration best;
  double most = -INFINITY;
  for (size_t i = 0; i < kCandidates; ++i) {
    Configuration candidate = better.draw(tuner.random());
    const double ratio = better.log_probability(candidate) - worse.log_probability(candidate);
    if (ratio <= most) continue;
    most = ratio;
    best = std::move(candidate);
  }
  return best;
}

}  // namespace

void tune_tpe(Tuner& tuner) {
  constexpr int kPatience = 100;  // proposals in a row that were tried before: the search has settled
  for (int repeated = 0; repeated < kPatience; ++repeated) {
    const size_t before = tuner.trials().size();
    tuner.evaluate(before == 0       ? tuner.space().all(0)
                   : before < kStart ? draw(tuner.space(), tuner.random())
                                     : propose(tuner));
    if (tuner.trials().size() > before) repeated = -1;
  }
}

}  // namespace neural_engine
