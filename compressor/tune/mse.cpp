// Falls back the operations whose own values, with everything in int8, are furthest from the f32 model's.
#include "compressor/tune/tuner.h"

namespace neural_engine {

void tune_mse(Tuner& tuner) {
  const Configuration whole = tuner.space().all(0);
  if (tuner.evaluate(whole).met) return;
  fall_back(tuner, whole, by_decreasing(tuner.layer_errors(whole)));
}

}  // namespace neural_engine
