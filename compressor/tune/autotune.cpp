#include <optional>

#include "base/error.h"
#include "compressor/tune/tuner.h"

namespace neural_engine {

namespace {

void check(const Tuning& tuning) {
  require(tuning.max_loss >= 0, Code::kInvalidArgument, "the loss allowed is ", tuning.max_loss,
          ", expected 0 or more");
  const Objective& objective = tuning.objective;
  const bool weighed = objective.latency >= 0 && objective.size >= 0 && objective.memory >= 0 &&
                       objective.latency + objective.size + objective.memory > 0;
  require(weighed, Code::kInvalidArgument, "the objective's weights are ", objective.latency, ", ", objective.size,
          " and ", objective.memory, ", expected none negative and one positive");
}

std::vector<Sensitivity> ranked(const Space& space, const std::vector<double>& errors) {
  std::vector<Sensitivity> result;
  for (size_t unit : by_decreasing(errors)) {
    result.push_back(
        {.name = space.units()[unit].name, .type = to_string(space.units()[unit].kind), .error = errors[unit]});
  }
  return result;
}

}  // namespace

TuneResult autotune(const Model& model, const Tuning& tuning, std::span<const std::vector<Tensor>> samples,
                    const Evaluate& evaluate) {
  check(tuning);
  const Strategy strategy = find_strategy(tuning.strategy);
  std::optional<Tuner> tuner;
  std::string ended = "the strategy came to its end";
  bool interrupted = false;
  // Whether the body came to its end.
  const auto run = [&](const auto& body) {
    try {
      body();
      return true;
    } catch (const StopTuning& stop) {
      ended = stop.reason;
      interrupted = interrupted || stop.interrupted;
      return false;
    }
  };
  if (!run([&] { tuner.emplace(model, tuning, samples, evaluate); })) {
    TuneResult nothing;
    nothing.ended = ended + " before the first trial";
    return nothing;
  }
  run([&] { strategy(*tuner); });
  const std::string why = ended;
  std::vector<Sensitivity> sensitivities;
  // Whatever the strategy goes by: the report says which operations were the reason.
  if (!interrupted) run([&] { sensitivities = ranked(tuner->space(), tuner->sensitivities()); });
  TuneResult result = tuner->result(why);
  result.sensitivities = std::move(sensitivities);
  if (!interrupted) tuner->discard_journal();
  return result;
}

}  // namespace neural_engine
