// What strategies work with: they propose configurations, the tuner tries them.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "compressor/tune/journal.h"
#include "compressor/tune/space.h"
#include "neural_engine/tune.h"

namespace neural_engine {

// Thrown through a strategy when a bound is reached.
struct StopTuning {
  std::string reason;
  bool interrupted = false;  // by the user, who may want to go on later
};

class Tuner {
 public:
  Tuner(const Model& model, const Tuning& tuning, std::span<const std::vector<Tensor>> samples,
        const Evaluate& evaluate);

  const Space& space() const { return *space_; }
  std::mt19937& random() { return random_; }
  const std::vector<Trial>& trials() const { return trials_; }
  const std::vector<Configuration>& tried() const { return tried_; }

  // The trial of the configuration. One that was tried is not tried again.
  const Trial& evaluate(const Configuration& configuration);
  // Mean squared difference of the model's results to the f32 model's on the first samples, as a part of their mean
  // square.
  double output_error(const Configuration& configuration);
  // The error of the values that each unit makes, alike; 0 for those that no longer are one node.
  std::vector<double> layer_errors(const Configuration& configuration);
  // The median time of a run.
  double latency_ms(const Configuration& configuration);
  // By unit, the output error when nothing else is int8.
  std::vector<double> sensitivities();

  // How good a trial is, without times: above 0 when it met the goal, then by the part of the units that are int8; else
  // by how much it missed.
  double utility(const Trial& trial, const Configuration& configuration) const;

  Model convert(const Configuration& configuration);
  // What is in the result so far.
  TuneResult result(const std::string& ended);
  void discard_journal() { journal_->discard(); }

 private:
  using Clock = std::chrono::steady_clock;

  void calibrate();
  void measure_baseline();
  void check_bounds(bool trial);
  Cost cost_of(const Model& model) const;
  double score_of(const Cost& cost) const;
  Trial try_out(const Configuration& configuration);

  const Model model_;
  const Tuning& tuning_;
  const std::span<const std::vector<Tensor>> samples_;
  const Evaluate& evaluate_;
  const Clock::time_point start_ = Clock::now();
  PreparedModel prepared_;
  std::unique_ptr<Space> space_;
  std::unique_ptr<Journal> journal_;
  std::mt19937 random_;
  Evaluation baseline_;
  Cost baseline_cost_;
  double needed_ = 0;
  std::vector<std::vector<Tensor>> expected_;  // the f32 model's results on the first samples
  std::vector<Trial> trials_;
  std::vector<Configuration> tried_;
  WeightCache weights_;
};

// The search of that name. Error(kInvalidArgument) names those that there are.
using Strategy = void (*)(Tuner& tuner);
Strategy find_strategy(const std::string& name);

// One file each. They return when they have found what they look for, and are stopped by StopTuning.
void tune_basic(Tuner& tuner);
void tune_conservative(Tuner& tuner);
void tune_mse(Tuner& tuner);
void tune_mse_v2(Tuner& tuner);
void tune_random(Tuner& tuner);
void tune_exhaustive(Tuner& tuner);
void tune_bayesian(Tuner& tuner);
void tune_tpe(Tuner& tuner);
void tune_front(Tuner& tuner);

// A configuration at random: the part of the operations that are f32 is drawn first.
Configuration draw(const Space& space, std::mt19937& random);
// A number below `count`. The standard's distributions differ from library to library.
inline size_t below(std::mt19937& random, size_t count) { return random() % count; }
// Indices, the greatest value first.
std::vector<size_t> by_decreasing(const std::vector<double>& values);
// Takes units of `order` back to f32, as few as meet the goal, found by doubling and halving. The configuration that
// did; all f32 when nothing less does.
Configuration fall_back(Tuner& tuner, const Configuration& from, const std::vector<size_t>& order);

}  // namespace neural_engine
