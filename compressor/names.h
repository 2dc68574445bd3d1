// The names by which recipes, flags and reports call settings.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "neural_engine/compress.h"

namespace neural_engine {

template <class T>
struct Named {
  const char* name;
  T value;
};

inline constexpr Named<OpPrecision> kPrecisions[] = {
    {"fp32", OpPrecision::kF32}, {"bf16", OpPrecision::kBF16}, {"int8", OpPrecision::kInt8}};
inline constexpr Named<Approach> kApproaches[] = {
    {"static", Approach::kStatic}, {"dynamic", Approach::kDynamic}, {"dynamic_per_token", Approach::kDynamicPerToken}};
inline constexpr Named<Scheme> kSchemes[] = {{"onnxruntime", Scheme::kOnnxRuntime},
                                             {"pytorch", Scheme::kPyTorch},
                                             {"tensorflow", Scheme::kTensorFlow},
                                             {"ipex", Scheme::kIpex},
                                             {"mxnet", Scheme::kMxnet}};
inline constexpr Named<Observer> kObservers[] = {{"min_max", Observer::kMinMax},
                                                 {"moving_average", Observer::kMovingAverage},
                                                 {"percentile", Observer::kPercentile},
                                                 {"entropy", Observer::kEntropy},
                                                 {"mse", Observer::kMse}};
inline constexpr Named<DType> kActivationDtypes[] = {{"u8", DType::kU8}, {"s8", DType::kS8}};
inline constexpr Named<bool> kGranularities[] = {{"per_channel", true}, {"per_tensor", false}};

template <class T>
std::string names_of(std::span<const Named<T>> table) {
  std::string all;
  for (const Named<T>& each : table) all += std::string(all.empty() ? "" : ", ") + each.name;
  return all;
}

template <class T, size_t N>
const char* name_of(const Named<T> (&table)[N], T value) {
  for (const Named<T>& each : table) {
    if (each.value == value) return each.name;
  }
  return "?";
}

// `what` is the setting's name, for the message.
template <class T, size_t N>
T parse_name(const Named<T> (&table)[N], std::string_view name, std::string_view what) {
  for (const Named<T>& each : table) {
    if (name == each.name) return each.value;
  }
  fail(Code::kInvalidArgument, what, " is \"", name, "\", expected one of ",
       names_of(std::span<const Named<T>>(table)));
}

}  // namespace neural_engine
