#include "compressor/recipe.h"

#include <algorithm>
#include <regex>

#include "base/error.h"
#include "compressor/names.h"

namespace neural_engine {

namespace {

template <class T>
void overlay(std::optional<T>& under, const std::optional<T>& over) {
  if (over) under = over;
}

void overlay(OpSettings& under, const OpSettings& over) {
  overlay(under.precision, over.precision);
  overlay(under.approach, over.approach);
  overlay(under.scheme, over.scheme);
  overlay(under.activation_dtype, over.activation_dtype);
  overlay(under.activation_symmetric, over.activation_symmetric);
  overlay(under.activation_reduce_range, over.activation_reduce_range);
  overlay(under.observer, over.observer);
  overlay(under.percentile, over.percentile);
  overlay(under.weight_per_channel, over.weight_per_channel);
  overlay(under.weight_reduce_range, over.weight_reduce_range);
}

void check(const OpSettings& settings) {
  if (const auto& dtype = settings.activation_dtype; dtype && *dtype != DType::kU8 && *dtype != DType::kS8) {
    fail(Code::kInvalidArgument, "the activation dtype is ", to_string(*dtype), ", expected u8 or s8");
  }
  if (const auto& percentile = settings.percentile; percentile && !(*percentile > 50 && *percentile <= 100)) {
    fail(Code::kInvalidArgument, "percentile is ", *percentile, ", expected more than 50 and at most 100");
  }
}

bool has_asymmetric_form(Scheme scheme) { return scheme == Scheme::kOnnxRuntime || scheme == Scheme::kPyTorch; }

// What the operators that quantize at run time can do.
void check_dynamic(const OpSettings& said) {
  const Approach approach = said.approach.value_or(Approach::kStatic);
  if (approach == Approach::kStatic) return;
  const bool per_token = approach == Approach::kDynamicPerToken;
  const bool fits =
      said.activation_dtype.value_or(per_token ? DType::kS8 : DType::kU8) == (per_token ? DType::kS8 : DType::kU8) &&
      said.activation_symmetric.value_or(per_token) == per_token && !said.activation_reduce_range.value_or(false);
  require(fits, Code::kInvalidArgument, "activations are ",
          per_token ? "symmetric s8 with approach dynamic_per_token" : "asymmetric u8 with approach dynamic",
          ", in all 8 bits; something else was asked for");
}

Settings complete(OpSettings all, const OpSettings& said) {
  check_dynamic(said);
  overlay(all, said);
  Settings result;
  result.precision = *all.precision;
  result.approach = *all.approach;
  const Scheme scheme = *all.scheme;
  // A scheme without an asymmetric form is symmetric unless something else was asked for, which is refused.
  const bool symmetric = all.activation_symmetric.value_or(!has_asymmetric_form(scheme));
  require(symmetric || has_asymmetric_form(scheme), Code::kInvalidArgument, "scheme ", name_of(kSchemes, scheme),
          " has no asymmetric form: say symmetric, or scheme onnxruntime or pytorch");
  result.activation = {.scheme = scheme,
                       .dtype = *all.activation_dtype,
                       .symmetric = symmetric,
                       .reduce_range = *all.activation_reduce_range};
  result.observer = *all.observer;
  result.percentile = *all.percentile;
  result.weight = {.scheme = scheme, .dtype = DType::kS8, .symmetric = true, .reduce_range = *all.weight_reduce_range};
  result.weight_per_channel = *all.weight_per_channel;
  return result;
}

class NamePattern {
 public:
  explicit NamePattern(const std::string& pattern) : text_(pattern) {
    try {
      regex_ = std::regex(pattern, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& error) {
      fail(Code::kInvalidArgument, "\"", pattern, "\" is no regular expression: ", error.what());
    }
  }

  bool matches(const Target& target) const {
    return matches(target.name) || std::any_of(target.aliases.begin(), target.aliases.end(),
                                               [&](const std::string& alias) { return matches(alias); });
  }

 private:
  bool matches(const std::string& name) const { return name == text_ || std::regex_search(name, regex_); }

  std::string text_;
  std::regex regex_;
};

TargetKind parse_kind(const std::string& type) {
  std::string all;
  for (int i = 0; i < static_cast<int>(std::size(kTargetKinds)); ++i) {
    if (type == kTargetKinds[i]) return static_cast<TargetKind>(i);
    all += std::string(all.empty() ? "" : ", ") + kTargetKinds[i];
  }
  fail(Code::kInvalidArgument, "\"", type, "\" is no type of operation, expected one of ", all);
}

}  // namespace

void Recipe::set_global(const OpSettings& settings) {
  check(settings);
  overlay(global_, settings);
}

void Recipe::set_type(const std::string& type, const OpSettings& settings) {
  parse_kind(type);
  check(settings);
  types_.emplace_back(type, settings);
}

void Recipe::set_local(const std::string& pattern, const OpSettings& settings) {
  const NamePattern checked(pattern);
  check(settings);
  locals_.emplace_back(pattern, settings);
}

OpSettings default_settings(TargetKind kind) {
  OpSettings settings;
  settings.precision = kind == TargetKind::kResidual ? OpPrecision::kF32 : OpPrecision::kInt8;
  settings.approach = Approach::kStatic;
  settings.scheme = Scheme::kOnnxRuntime;
  settings.activation_dtype = DType::kU8;
  settings.activation_reduce_range = false;
  settings.observer = Observer::kMinMax;
  settings.percentile = 99.999;
  settings.weight_per_channel = true;
  settings.weight_reduce_range = false;
  return settings;
}

void apply(const OpSettings& said, Settings& settings) {
  settings.precision = said.precision.value_or(settings.precision);
  settings.approach = said.approach.value_or(settings.approach);
  settings.observer = said.observer.value_or(settings.observer);
  settings.percentile = said.percentile.value_or(settings.percentile);
  QuantSpec& activation = settings.activation;
  activation.dtype = said.activation_dtype.value_or(activation.dtype);
  activation.symmetric = said.activation_symmetric.value_or(activation.symmetric);
  activation.reduce_range = said.activation_reduce_range.value_or(activation.reduce_range);
  activation.scheme = settings.weight.scheme = said.scheme.value_or(activation.scheme);
  settings.weight.reduce_range = said.weight_reduce_range.value_or(settings.weight.reduce_range);
  settings.weight_per_channel = said.weight_per_channel.value_or(settings.weight_per_channel);
}

std::vector<Settings> resolve(const Recipe& recipe, const std::vector<Target>& targets) {
  std::vector<OpSettings> found(targets.size(), recipe.global());
  for (const auto& [type, settings] : recipe.types()) {
    const TargetKind kind = parse_kind(type);
    bool matched = false;
    for (size_t i = 0; i < targets.size(); ++i) {
      if (targets[i].kind != kind) continue;
      overlay(found[i], settings);
      matched = true;
    }
    require(matched, Code::kInvalidArgument, "the recipe has settings for type ", type,
            ", but the model has no such operation");
  }
  for (const auto& [pattern, settings] : recipe.locals()) {
    const NamePattern names(pattern);
    bool matched = false;
    for (size_t i = 0; i < targets.size(); ++i) {
      if (!names.matches(targets[i])) continue;
      overlay(found[i], settings);
      matched = true;
    }
    require(matched, Code::kInvalidArgument, "the recipe's pattern \"", pattern,
            "\" matches no operation of the model");
  }
  std::vector<Settings> result;
  for (size_t i = 0; i < targets.size(); ++i) {
    result.push_back(with_context([&] { return "operation \"" + targets[i].name + "\""; },
                                  [&] { return complete(default_settings(targets[i].kind), found[i]); }));
  }
  return result;
}

}  // namespace neural_engine
