// Configurations at random, until a bound is reached. The part of the operations that are f32 is drawn first, so that
// every part is as likely.
#include "compressor/tune/tuner.h"

namespace neural_engine {

void tune_random(Tuner& tuner) {
  // A space that is small is used up: then so many draws in a row bring nothing new.
  constexpr int kPatience = 1000;
  for (int repeated = 0; repeated < kPatience; ++repeated) {
    const Configuration drawn = draw(tuner.space(), tuner.random());
    const size_t before = tuner.trials().size();
    tuner.evaluate(drawn);
    if (tuner.trials().size() > before) repeated = -1;
  }
}

}  // namespace neural_engine
