// A recipe applied to a graph: the settings of each operation.
#pragma once

#include <string>
#include <vector>

#include "compressor/scheme.h"
#include "compressor/targets.h"
#include "neural_engine/compress.h"

namespace neural_engine {

// Every setting said.
struct Settings {
  OpPrecision precision = OpPrecision::kInt8;
  Approach approach = Approach::kStatic;
  QuantSpec activation;
  Observer observer = Observer::kMinMax;
  double percentile = 0;
  QuantSpec weight;
  bool weight_per_channel = true;

  friend bool operator==(const Settings&, const Settings&) = default;
};

// What a recipe that says nothing means for operations of this kind.
OpSettings default_settings(TargetKind kind);

// What is said replaces what was settled. The result is not checked.
void apply(const OpSettings& said, Settings& settings);

// One entry per target. Error(kInvalidArgument) for an unknown type, a bad regular expression, a type or pattern that
// matches no target, or settings that exclude each other.
std::vector<Settings> resolve(const Recipe& recipe, const std::vector<Target>& targets);

}  // namespace neural_engine
