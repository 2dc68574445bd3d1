// Every configuration, those first that have the fewest operations other than the recipe's int8.
#include "compressor/tune/tuner.h"

namespace neural_engine {

namespace {

// All ways to give the chosen units choices other than the first.
void try_choices(Tuner& tuner, Configuration& configuration, std::span<const size_t> units) {
  if (units.empty()) {
    for (size_t variant = 0; variant < tuner.space().variants().size(); ++variant) {
      configuration.variant = variant;
      tuner.evaluate(configuration);
    }
    return;
  }
  // f32 first: what it does not help, nothing else does.
  for (size_t choice = tuner.space().f32(); choice > 0; --choice) {
    configuration.choices[units[0]] = choice;
    try_choices(tuner, configuration, units.subspan(1));
  }
  configuration.choices[units[0]] = 0;
}

// All sets of `count` units from `first` on, beside those that are chosen.
void try_sets(Tuner& tuner, Configuration& configuration, std::vector<size_t>& chosen, size_t first, size_t count) {
  if (count == 0) return try_choices(tuner, configuration, chosen);
  for (size_t unit = first; unit + count <= configuration.choices.size(); ++unit) {
    chosen.push_back(unit);
    try_sets(tuner, configuration, chosen, unit + 1, count - 1);
    chosen.pop_back();
  }
}

}  // namespace

void tune_exhaustive(Tuner& tuner) {
  Configuration configuration = tuner.space().all(0);
  std::vector<size_t> chosen;
  for (size_t count = 0; count <= configuration.choices.size(); ++count) {
    try_sets(tuner, configuration, chosen, 0, count);
  }
}

}  // namespace neural_engine
