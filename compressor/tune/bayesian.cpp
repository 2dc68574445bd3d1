// Bayesian optimization: a Gaussian process over what was tried says how good a configuration may be, and the one with
// the greatest expected improvement over the best so far is tried.
//
// Two configurations are as far apart as the number of operations that they treat differently, f32 against int8
// counting whole and two kinds of int8 a quarter; the covariance is exp(-distance / length). That is the Laplace kernel
// of a product of categories, so it is positive definite.
#include <algorithm>
#include <cmath>

#include "compressor/tune/tuner.h"

namespace neural_engine {

namespace {

constexpr size_t kStart = 8;         // trials at random
constexpr size_t kCandidates = 400;  // of which half are neighbours of the best
constexpr double kNoise = 1e-4;      // of a utility: what an evaluation wavers

using Matrix = std::vector<std::vector<double>>;

double covariance(const Space& space, const Configuration& a, const Configuration& b) {
  double distance = a.variant == b.variant ? 0 : 0.5;
  for (size_t i = 0; i < a.choices.size(); ++i) {
    if (a.choices[i] == b.choices[i]) continue;
    distance += a.choices[i] == space.f32() || b.choices[i] == space.f32() ? 1 : 0.25;
  }
  const double length = std::max(1.0, static_cast<double>(a.choices.size()) / 4);
  return std::exp(-distance / length);
}

// The process given what was tried: the mean of the utilities, and K = L L^T.
class Process {
 public:
  Process(const Tuner& tuner) : space_(tuner.space()), tried_(tuner.tried()) {
    const size_t n = tried_.size();
    for (size_t i = 0; i < n; ++i) utilities_.push_back(tuner.utility(tuner.trials()[i], tried_[i]));
    for (double each : utilities_) mean_ += each / static_cast<double>(n);
    double variance = 0;
    for (double each : utilities_) variance += (each - mean_) * (each - mean_) / static_cast<double>(n);
    variance_ = std::max(variance, 1e-6);
    factorize();
    std::vector<double> centered;
    for (double each : utilities_) centered.push_back(each - mean_);
    weights_ = solve_transposed(solve(centered));
  }

  double best() const { return *std::max_element(utilities_.begin(), utilities_.end()); }
  const Configuration& best_configuration() const {
    return tried_[static_cast<size_t>(std::max_element(utilities_.begin(), utilities_.end()) - utilities_.begin())];
  }

  double expected_improvement(const Configuration& candidate) const {
    std::vector<double> k;
    for (const Configuration& each : tried_) k.push_back(variance_ * covariance(space_, candidate, each));
    double mean = mean_, variance = variance_;
    for (size_t i = 0; i < k.size(); ++i) mean += k[i] * weights_[i];
    for (double each : solve(k)) variance -= each * each;
    const double deviation = std::sqrt(std::max(variance, 1e-12));
    const double z = (mean - best()) / deviation;
    const double density = std::exp(-z * z / 2) / std::sqrt(2 * M_PI), below_z = std::erfc(-z / std::sqrt(2.0)) / 2;
    return deviation * (z * below_z + density);
  }

 private:
  void factorize() {
    const size_t n = tried_.size();
    lower_.assign(n, std::vector<double>(n, 0));
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        double sum = variance_ * covariance(space_, tried_[i], tried_[j]) + (i == j ? kNoise * variance_ : 0);
        for (size_t m = 0; m < j; ++m) sum -= lower_[i][m] * lower_[j][m];
        lower_[i][j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / lower_[j][j];
      }
    }
  }
  std::vector<double> solve(std::vector<double> b) const {
    for (size_t i = 0; i < b.size(); ++i) {
      for (size_t j = 0; j < i; ++j) b[i] -= lower_[i][j] * b[j];
      b[i] /= lower_[i][i];
    }
    return b;
  }
  std::vector<double> solve_transposed(std::vector<double> b) const {
    for (size_t i = b.size(); i-- > 0;) {
      for (size_t j = i + 1; j < b.size(); ++j) b[i] -= lower_[j][i] * b[j];
      b[i] /= lower_[i][i];
    }
    return b;
  }

  const Space& space_;
  const std::vector<Configuration>& tried_;
  std::vector<double> utilities_, weights_;
  double mean_ = 0, variance_ = 0;
  Matrix lower_;
};

// One to three dimensions are drawn anew.
Configuration neighbour(const Space& space, Configuration from, std::mt19937& random) {
  for (size_t changes = 1 + below(random, 3); changes > 0; --changes) {
    const size_t dimension = below(random, from.choices.size() + 1);
    if (dimension == from.choices.size()) {
      from.variant = below(random, space.variants().size());
    } else {
      from.choices[dimension] = below(random, 2) == 0 ? space.f32() : below(random, space.f32());
    }
  }
  return from;
}

Configuration propose(Tuner& tuner) {
  const Process process(tuner);
  const Space& space = tuner.space();
  Configuration best;
  double most = -1;
  for (size_t i = 0; i < kCandidates; ++i) {
    Configuration candidate =
        i % 2 == 0 ? draw(space, tuner.random()) : neighbour(space, process.best_configuration(), tuner.random());
    if (std::find(tuner.tried().begin(), tuner.tried().end(), candidate) != tuner.tried().end()) continue;
    const double improvement = process.expected_improvement(candidate);
    if (improvement <= most) continue;
    most = improvement;
    best = std::move(candidate);
  }
  return best.choices.empty() ? draw(space, tuner.random()) : best;
}

}  // namespace

void tune_bayesian(Tuner& tuner) {
  constexpr int kPatience = 100;  // proposals in a row that were tried before: the space is used up
  for (int repeated = 0; repeated < kPatience; ++repeated) {
    const size_t before = tuner.trials().size();
    tuner.evaluate(before == 0       ? tuner.space().all(0)
                   : before < kStart ? draw(tuner.space(), tuner.random())
                                     : propose(tuner));
    if (tuner.trials().size() > before) repeated = -1;
  }
}

}  // namespace neural_engine
