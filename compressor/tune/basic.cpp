// The default: the best guess, then what may help the whole model, then as few operations in f32 as meet the goal,
// those first that do most harm when they alone are int8.
#include "compressor/tune/tuner.h"

namespace neural_engine {

void tune_basic(Tuner& tuner) {
  const Space& space = tuner.space();
  Configuration best = space.all(0);
  double most = 0;
  for (size_t variant = 0; variant < space.variants().size(); ++variant) {
    Configuration whole = space.all(0);
    whole.variant = variant;
    const Trial& trial = tuner.evaluate(whole);
    if (trial.met) return;
    if (variant == 0 || trial.evaluation.value > most) {
      most = trial.evaluation.value;
      best = whole;
    }
  }
  fall_back(tuner, best, by_decreasing(tuner.sensitivities()));
}

}  // namespace neural_engine
