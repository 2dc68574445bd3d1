// Tuning: the search for a compressed model that keeps its accuracy.
//
//   Tuning tuning;                                     // at most 1 % (relative) below the f32 model
//   TuneResult result = autotune(model, tuning, samples, [&](const Model& each, double) {
//     return Evaluation{.value = accuracy_of(each)};
//   });
//   if (result.model) save(*result.model, "model.ne");
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "neural_engine/compress.h"
#include "neural_engine/export.h"

namespace neural_engine {

struct Evaluation {
  double value = 0;      // more is better
  double margin = 0;     // half the 95 % interval of the difference to the f32 model; 0: not known
  int64_t rows = 0;      // that were evaluated
  bool stopped = false;  // before the last row: `needed` was out of reach
};
// The user's metric. It may stop once the value that is `needed` is out of reach beyond doubt. The f32 model comes
// first, with `needed` -infinity.
using Evaluate = std::function<Evaluation(const Model& model, double needed)>;

// What a model costs, and what is minimized among those that keep the accuracy: the weighted mean of the costs, each as
// a part of the f32 model's.
struct Cost {
  double latency_ms = 0;    // the median of runs on this machine
  size_t weight_bytes = 0;  // of the model
  size_t peak_bytes = 0;    // of memory while it runs, predicted
};
struct Objective {
  double latency = 1, size = 0, memory = 0;
};

struct Trial {
  int number = 0;  // from 1
  std::string what;
  std::vector<std::string> fallbacks;  // the operations that stay f32
  Evaluation evaluation;
  bool met = false;  // the goal
  Cost cost;
  double score = 0;  // the objective; less is better
  double seconds = 0;
  bool resumed = false;  // its results are from the journal
  Recipe recipe;         // quantizes the model to this trial's
};

// What one operation alone does to the model's results when it is quantized and nothing else is.
struct Sensitivity {
  std::string name;
  std::string type;
  double error = 0;  // mean squared difference of the results, as a part of their mean square
};

struct Tuning {
  // The goal: a loss of at most max_loss, as a part of the f32 model's value or (not relative) as a difference; or a
  // value of at least `target`.
  double max_loss = 0.01;
  bool relative = true;
  std::optional<double> target = {};
  Objective objective = {};
  // basic, conservative, mse, mse_v2, random, exhaustive, bayesian, tpe or front (docs/COMPRESSION.md).
  std::string strategy = "basic";
  // Bounds; 0: none. A trial that has begun is finished.
  double timeout_s = 0;
  int max_trials = 100;
  uint32_t seed = 1;
  // What all trials have in common; what it leaves at f32 stays f32.
  Recipe recipe = {};
  // A file to which each result is appended as it comes, and from which an earlier run that was cut off is continued.
  // Error(kInvalidData) when it is of another model, other samples or other settings. Empty: none.
  std::string journal = {};
  std::string data_name = {};  // says in the journal what `evaluate` evaluates on
  // What latency is measured on; empty: the first of the samples.
  std::vector<Tensor> latency_inputs = {};
  SessionOptions session = {};
  // Asked between trials; true ends the search, and what was found so far is the result.
  std::function<bool()> interrupted = {};
  std::function<void(const Trial&)> on_trial = {};
};

struct TuneResult {
  std::optional<Model> model;  // the best of those that met the goal; none: no trial did
  int best = 0;                // its trial's number
  Evaluation baseline;         // of the f32 model
  Cost baseline_cost;
  double needed = 0;  // the goal as a value
  std::vector<Trial> trials;
  std::vector<OpReport> operations;        // of the best
  std::vector<Sensitivity> sensitivities;  // the greatest first; empty when the search was interrupted
  std::string ended;                       // why it ended
};

// `samples` are inputs to calibrate on. The same seed, model and samples give the same trials (but for strategy front,
// which goes by measured time). Error(kInvalidArgument) for a recipe that does not fit, or without samples.
NEURAL_ENGINE_EXPORT TuneResult autotune(const Model& model, const Tuning& tuning,
                                         std::span<const std::vector<Tensor>> samples, const Evaluate& evaluate);

}  // namespace neural_engine
