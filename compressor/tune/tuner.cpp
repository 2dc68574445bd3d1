#include "compressor/tune/tuner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "compressor/report/comparison.h"
#include "compressor/tune/fingerprint.h"

namespace neural_engine {

namespace {

using nlohmann::json;
constexpr size_t kErrorSamples = 2;  // samples that sensitivities are measured on
constexpr int kPlans = 4;

SessionOptions limited(SessionOptions options) {
  options.max_plans = std::min(options.max_plans, kPlans);
  return options;
}

struct Squares {
  double signal = 0, difference = 0;
};

void add_squares(const Tensor& expected, const Tensor& found, Squares& squares) {
  if (expected.dtype() != DType::kF32 || found.shape() != expected.shape()) return;
  for (int64_t i = 0; i < expected.elems(); ++i) {
    const double p = static_cast<double>(expected.data<float>()[i]), q = static_cast<double>(found.data<float>()[i]);
    if (!std::isfinite(p) && !std::isfinite(q)) continue;
    squares.signal += p * p;
    squares.difference += (p - q) * (p - q);
  }
}

json to_json(const Trial& trial) {
  return {{"value", trial.evaluation.value},     {"margin", trial.evaluation.margin},
          {"rows", trial.evaluation.rows},       {"stopped", trial.evaluation.stopped},
          {"latency_ms", trial.cost.latency_ms}, {"weight_bytes", trial.cost.weight_bytes},
          {"peak_bytes", trial.cost.peak_bytes}, {"seconds", trial.seconds}};
}

void from_json(const json& from, Trial& trial) {
  try {
    trial.evaluation = {
        .value = from.at("value"), .margin = from.at("margin"), .rows = from.at("rows"), .stopped = from.at("stopped")};
    trial.cost = {.latency_ms = from.at("latency_ms"),
                  .weight_bytes = from.at("weight_bytes"),
                  .peak_bytes = from.at("peak_bytes")};
    trial.seconds = from.at("seconds");
  } catch (const json::exception& error) {
    fail(Code::kInvalidData, "the tuning journal has a trial that lacks something: ", error.what());
  }
}

}  // namespace

Tuner::Tuner(const Model& model, const Tuning& tuning, std::span<const std::vector<Tensor>> samples,
             const Evaluate& evaluate)
    : model_(model),
      tuning_(tuning),
      samples_(samples),
      evaluate_(evaluate),
      prepared_(prepare(model, tuning.recipe, limited(tuning.session))),
      random_(tuning.seed) {
  require(!samples.empty(), Code::kInvalidArgument, "there are no samples to calibrate on");
  space_ = std::make_unique<Space>(prepared_.impl());
  journal_ = std::make_unique<Journal>(tuning.journal, fingerprint(model, tuning, samples));
  calibrate();
  measure_baseline();
}

void Tuner::calibrate() {
  for (size_t i = 0; i < samples_.size(); ++i) {
    check_bounds(/*trial=*/false);
    std::vector<Tensor> results = prepared_.run(samples_[i]);
    if (i < kErrorSamples) expected_.push_back(std::move(results));
  }
}

void Tuner::measure_baseline() {
  baseline_ = evaluate_(model_, -std::numeric_limits<double>::infinity());
  check_bounds(/*trial=*/false);
  require(std::isfinite(baseline_.value), Code::kInvalidData, "the f32 model's value is ", baseline_.value);
  baseline_cost_ = cost_of(model_);
  const double loss = tuning_.relative ? tuning_.max_loss * std::fabs(baseline_.value) : tuning_.max_loss;
  needed_ = tuning_.target.value_or(baseline_.value - loss);
}

void Tuner::check_bounds(bool trial) {
  if (tuning_.interrupted && tuning_.interrupted()) throw StopTuning{"interrupted", true};
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  if (tuning_.timeout_s > 0 && seconds >= tuning_.timeout_s) throw StopTuning{"the timeout was reached"};
  if (trial && tuning_.max_trials > 0 && static_cast<int>(trials_.size()) >= tuning_.max_trials) {
    throw StopTuning{"the number of trials was reached"};
  }
}

Model Tuner::convert(const Configuration& configuration) {
  Converter converter(prepared_.impl(), space_->request(configuration), &weights_);
  return Model(converter.run(nullptr));
}

Cost Tuner::cost_of(const Model& model) const {
  Session session(model, limited(tuning_.session));
  const std::vector<Tensor>& inputs = tuning_.latency_inputs.empty() ? samples_[0] : tuning_.latency_inputs;
  session.run(inputs);  // plans and packs
  std::vector<double> times;
  const Clock::time_point begin = Clock::now();
  const auto elapsed = [&](Clock::time_point since) {
    return std::chrono::duration<double, std::milli>(Clock::now() - since).count();
  };
  while (times.size() < 3 || (times.size() < 31 && elapsed(begin) < 400)) {
    const Clock::time_point start = Clock::now();
    session.run(inputs);
    times.push_back(elapsed(start));
  }
  std::nth_element(times.begin(), times.begin() + static_cast<int64_t>(times.size() / 2), times.end());
  return {.latency_ms = times[times.size() / 2],
          .weight_bytes = model.weight_bytes(),
          .peak_bytes = session.memory().predicted_peak_bytes};
}

double Tuner::score_of(const Cost& cost) const {
  const Objective& weights = tuning_.objective;
  const auto part = [](double of, double whole) { return whole > 0 ? of / whole : 1; };
  const double sum =
      weights.latency * part(cost.latency_ms, baseline_cost_.latency_ms) +
      weights.size * part(static_cast<double>(cost.weight_bytes), static_cast<double>(baseline_cost_.weight_bytes)) +
      weights.memory * part(static_cast<double>(cost.peak_bytes), static_cast<double>(baseline_cost_.peak_bytes));
  return sum / (weights.latency + weights.size + weights.memory);
}

Trial Tuner::try_out(const Configuration& configuration) {
  Trial trial;
  const std::string key = space_->key(configuration);
  if (const json* known = journal_->find("trial", key)) {
    from_json(*known, trial);
    trial.resumed = true;
    return trial;
  }
  const Clock::time_point start = Clock::now();
  const Model candidate = convert(configuration);
  trial.evaluation = evaluate_(candidate, needed_);
  // Half an evaluation because the search was interrupted is no result.
  check_bounds(/*trial=*/false);
  trial.cost = cost_of(candidate);
  trial.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  journal_->add("trial", key, to_json(trial));
  return trial;
}

const Trial& Tuner::evaluate(const Configuration& configuration) {
  const auto known = std::find(tried_.begin(), tried_.end(), configuration);
  if (known != tried_.end()) return trials_[static_cast<size_t>(known - tried_.begin())];
  check_bounds(/*trial=*/true);
  Trial trial = try_out(configuration);
  trial.number = static_cast<int>(trials_.size()) + 1;
  trial.what = space_->describe(configuration);
  trial.fallbacks = space_->fallbacks(configuration);
  trial.met = !trial.evaluation.stopped && trial.evaluation.value >= needed_;
  trial.score = score_of(trial.cost);
  trial.recipe = space_->recipe(configuration);
  trials_.push_back(std::move(trial));
  tried_.push_back(configuration);
  if (tuning_.on_trial) tuning_.on_trial(trials_.back());
  return trials_.back();
}

double Tuner::utility(const Trial& trial, const Configuration& configuration) const {
  const double f32 =
      static_cast<double>(std::count(configuration.choices.begin(), configuration.choices.end(), space_->f32()));
  if (trial.met) return 1 - f32 / static_cast<double>(configuration.choices.size());
  const double scale = std::max(std::fabs(baseline_.value), 1e-9);
  return std::max(-1.0, (trial.evaluation.value - needed_) / scale - 1e-6);
}

// ---- measurements

double Tuner::output_error(const Configuration& configuration) {
  const std::string key = space_->key(configuration);
  if (const json* known = journal_->find("error", key); known != nullptr && known->is_number()) return *known;
  check_bounds(/*trial=*/false);
  Session session(convert(configuration), limited(tuning_.session));
  Squares squares;
  for (size_t i = 0; i < expected_.size(); ++i) {
    const std::vector<Tensor> found = session.run(samples_[i]);
    for (size_t output = 0; output < found.size(); ++output) add_squares(expected_[i][output], found[output], squares);
  }
  const double error = squares.signal > 0 ? squares.difference / squares.signal : squares.difference;
  journal_->add("error", key, error);
  return error;
}

std::vector<double> Tuner::layer_errors(const Configuration& configuration) {
  const std::string key = space_->key(configuration);
  if (const json* known = journal_->find("layers", key)) {
    require(known->is_array() && known->size() == space_->units().size(), Code::kInvalidData,
            "the tuning journal has errors of other layers");
    return known->get<std::vector<double>>();
  }
  check_bounds(/*trial=*/false);
  Comparison comparison(model_, convert(configuration), tuning_.recipe.mask_input, tuning_.session);
  for (size_t i = 0; i < expected_.size(); ++i) comparison.run(samples_[i]);
  std::map<std::string, double> by_name;
  for (const LayerError& each : comparison.layers()) by_name[each.name] = std::pow(10.0, -each.sqnr_db / 10);
  std::vector<double> errors;
  for (const Space::Unit& unit : space_->units()) errors.push_back(by_name[unit.name]);
  journal_->add("layers", key, errors);
  return errors;
}

double Tuner::latency_ms(const Configuration& configuration) {
  const std::string key = space_->key(configuration);
  if (const json* known = journal_->find("latency", key); known != nullptr && known->is_number()) return *known;
  check_bounds(/*trial=*/false);
  const double latency = cost_of(convert(configuration)).latency_ms;
  journal_->add("latency", key, latency);
  return latency;
}

std::vector<double> Tuner::sensitivities() {
  std::vector<double> errors;
  for (size_t i = 0; i < space_->units().size(); ++i) {
    Configuration alone = space_->all(space_->f32());
    alone.choices[i] = 0;
    errors.push_back(output_error(alone));
  }
  return errors;
}

// ---- the result

TuneResult Tuner::result(const std::string& ended) {
  TuneResult result{.model = {},
                    .best = 0,
                    .baseline = baseline_,
                    .baseline_cost = baseline_cost_,
                    .needed = needed_,
                    .trials = trials_,
                    .sensitivities = {},
                    .ended = ended};
  double least = std::numeric_limits<double>::infinity();
  for (const Trial& trial : trials_) {
    if (!trial.met || trial.score >= least) continue;
    least = trial.score;
    result.best = trial.number;
  }
  if (result.best > 0) {
    Converter converter(prepared_.impl(), space_->request(tried_[static_cast<size_t>(result.best) - 1]), &weights_);
    result.model = Model(converter.run(&result.operations));
  }
  return result;
}

}  // namespace neural_engine
