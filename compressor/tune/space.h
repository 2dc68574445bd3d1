// What a search can choose from.
#pragma once

#include <string>
#include <vector>

#include "compressor/prepared.h"
#include "compressor/quantize/converter.h"

namespace neural_engine {

// How one operation is done.
struct Choice {
  const char* name;
  OpSettings settings;  // over those of the common recipe
};
// How the whole model is.
struct Variant {
  const char* name;
  SmoothSettings smooth;
  bool bias_correction;
};

// A point of the space: indices. Of choices, the first is the common recipe's int8, the last f32.
struct Configuration {
  size_t variant = 0;
  std::vector<size_t> choices;  // by unit

  friend bool operator==(const Configuration&, const Configuration&) = default;
};

class Space {
 public:
  // A unit is what one node does: operations that are settled together.
  struct Unit {
    std::string name;
    TargetKind kind;
    std::vector<size_t> operations;
  };

  explicit Space(const PreparedModel::Impl& prepared);

  const std::vector<Unit>& units() const { return units_; }
  const std::vector<Choice>& choices() const { return choices_; }
  const std::vector<Variant>& variants() const { return variants_; }
  size_t f32() const { return choices_.size() - 1; }

  // All int8, or all f32.
  Configuration all(size_t choice) const {
    return {.variant = 0, .choices = std::vector<size_t>(units_.size(), choice)};
  }
  // One line that tells configurations apart, for the journal.
  std::string key(const Configuration& configuration) const;
  // For people.
  std::string describe(const Configuration& configuration) const;
  std::vector<std::string> fallbacks(const Configuration& configuration) const;
  ConvertRequest request(const Configuration& configuration) const;
  // Prepared with it and calibrated alike, the model converts to the same.
  Recipe recipe(const Configuration& configuration) const;

 private:
  const PreparedModel::Impl& prepared_;
  std::vector<Unit> units_;
  std::vector<Choice> choices_;
  std::vector<Variant> variants_;
};

}  // namespace neural_engine
