#include "compressor/tune/space.h"

#include <algorithm>

#include "base/error.h"

namespace neural_engine {

namespace {

SmoothSettings smoothing(SmoothSettings::Alpha alpha) { return {.enabled = true, .alpha = alpha, .value = 0.5}; }

// A pattern that matches the name and nothing that contains it.
std::string exactly(const std::string& name) {
  std::string pattern = "^";
  for (char each : name) {
    if (std::string_view("\\^$.|?*+()[]{}/").find(each) != std::string_view::npos) pattern += '\\';
    pattern += each;
  }
  return pattern + "$";
}

}  // namespace

Space::Space(const PreparedModel::Impl& prepared) : prepared_(prepared) {
  choices_ = {{"int8", {}},
              {"int8 percentile", {.observer = Observer::kPercentile}},
              {"int8 mse", {.observer = Observer::kMse}},
              {"int8 dynamic_per_token",
               {.approach = Approach::kDynamicPerToken,
                .activation_dtype = DType::kS8,
                .activation_symmetric = true,
                .activation_reduce_range = false}},
              {"fp32", {.precision = OpPrecision::kF32}}};
  const Recipe& common = prepared.recipe;
  variants_ = {{"as the recipe", common.smooth, common.bias_correction},
               {"bias correction", common.smooth, true},
               {"smooth per_layer", smoothing(SmoothSettings::Alpha::kPerLayer), common.bias_correction},
               {"smooth 0.5", smoothing(SmoothSettings::Alpha::kFixed), common.bias_correction}};
  for (size_t i = 0; i < prepared.operations.size(); ++i) {
    if (prepared.settings[i].precision != OpPrecision::kInt8) continue;
    const Target& target = prepared.operations[i].target;
    const auto same =
        std::find_if(units_.begin(), units_.end(), [&](const Unit& unit) { return unit.name == target.name; });
    if (same == units_.end()) {
      units_.push_back({.name = target.name, .kind = target.kind, .operations = {i}});
    } else {
      same->operations.push_back(i);
    }
  }
  require(!units_.empty(), Code::kInvalidArgument,
          "nothing can be tuned: the recipe leaves all operations at fp32 or "
          "bf16, or the model has none that can be quantized");
}

std::string Space::key(const Configuration& configuration) const {
  std::string key = std::to_string(configuration.variant) + ":";
  for (size_t choice : configuration.choices) key += static_cast<char>('0' + choice);
  return key;
}

std::string Space::describe(const Configuration& configuration) const {
  std::string text;
  for (size_t choice = 0; choice < choices_.size(); ++choice) {
    const auto count = std::count(configuration.choices.begin(), configuration.choices.end(), choice);
    if (count == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + choices_[choice].name;
  }
  if (configuration.variant != 0) text += std::string("; ") + variants_[configuration.variant].name;
  return text;
}

std::vector<std::string> Space::fallbacks(const Configuration& configuration) const {
  std::vector<std::string> names;
  for (size_t i = 0; i < units_.size(); ++i) {
    if (configuration.choices[i] == f32()) names.push_back(units_[i].name);
  }
  return names;
}

ConvertRequest Space::request(const Configuration& configuration) const {
  const Variant& variant = variants_[configuration.variant];
  ConvertRequest request{
      .settings = prepared_.settings, .smooth = variant.smooth, .bias_correction = variant.bias_correction};
  for (size_t i = 0; i < units_.size(); ++i) {
    for (size_t operation : units_[i].operations) {
      apply(choices_[configuration.choices[i]].settings, request.settings[operation]);
    }
  }
  return request;
}

Recipe Space::recipe(const Configuration& configuration) const {
  Recipe recipe = prepared_.recipe;
  recipe.smooth = variants_[configuration.variant].smooth;
  recipe.bias_correction = variants_[configuration.variant].bias_correction;
  for (size_t i = 0; i < units_.size(); ++i) {
    const OpSettings& settings = choices_[configuration.choices[i]].settings;
    if (settings != OpSettings()) recipe.set_local(exactly(units_[i].name), settings);
  }
  return recipe;
}

}  // namespace neural_engine
