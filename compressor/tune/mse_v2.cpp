// One operation after the other goes back to f32: the one that then leaves the least error in the model's results,
// found anew each time, as operations make up for each other's errors or add to them.
#include "compressor/tune/tuner.h"

namespace neural_engine {

void tune_mse_v2(Tuner& tuner) {
  const Space& space = tuner.space();
  Configuration current = space.all(0);
  while (!tuner.evaluate(current).met) {
    std::optional<Configuration> best;
    double least = 0;
    for (size_t i = 0; i < space.units().size(); ++i) {
      if (current.choices[i] == space.f32()) continue;
      Configuration candidate = current;
      candidate.choices[i] = space.f32();
      const double error = tuner.output_error(candidate);
      if (best && error >= least) continue;
      least = error;
      best = candidate;
    }
    if (!best) return;  // all are f32
    current = *best;
  }
}

}  // namespace neural_engine
