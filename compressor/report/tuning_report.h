// What a search did and why, as JSON and as one HTML page that needs nothing but itself.
#pragma once

#include <string>

#include "neural_engine/tune.h"

namespace neural_engine {

struct TuningTitle {
  std::string model, data, metric, strategy;
  uint32_t seed = 0;
};

std::string tuning_json(const TuneResult& result, const TuningTitle& title);
std::string tuning_html(const TuneResult& result, const TuningTitle& title);

}  // namespace neural_engine
