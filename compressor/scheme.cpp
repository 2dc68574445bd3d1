#include "compressor/scheme.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "compressor/names.h"

namespace neural_engine {

namespace {

bool starts_at_zero(Scheme scheme) {
  return scheme == Scheme::kTensorFlow || scheme == Scheme::kIpex || scheme == Scheme::kMxnet;
}

// 2 max|r| / (max - min - 1), or, for PyTorch, max|r| / ((max - min) / 2): the one maps -max|r| to min + 1, the other
// uses the whole width and lets the largest number saturate by half a step.
float symmetric_s8_scale(Scheme scheme, float largest, QuantLimits limits) {
  const float width = static_cast<float>(limits.high - limits.low);
  return scheme == Scheme::kPyTorch ? largest / (width / 2) : 2 * largest / (width - 1);
}

QuantParams symmetric(const QuantSpec& spec, Range range) {
  const float largest = std::max(std::fabs(range.min), std::fabs(range.max));
  const bool falls_to_s8 = spec.dtype == DType::kU8 && starts_at_zero(spec.scheme) && range.min < 0;
  const DType dtype = falls_to_s8 ? DType::kS8 : spec.dtype;
  const QuantLimits limits = limits_of(dtype, spec.reduce_range);
  if (dtype == DType::kS8) {
    return {.dtype = dtype, .scale = symmetric_s8_scale(spec.scheme, largest, limits), .zero_point = 0};
  }
  const float width = static_cast<float>(limits.high - limits.low);
  if (starts_at_zero(spec.scheme)) return {.dtype = dtype, .scale = largest / width, .zero_point = 0};
  return {.dtype = dtype, .scale = largest / (width / 2), .zero_point = (limits.low + limits.high + 1) / 2};
}

QuantParams asymmetric(const QuantSpec& spec, Range range) {
  if (starts_at_zero(spec.scheme)) {
    fail(Code::kUnsupported, "scheme ", name_of(kSchemes, spec.scheme),
         " has no asymmetric form, supported with it: symmetric; schemes onnxruntime and pytorch have both");
  }
  const QuantLimits limits = limits_of(spec.dtype, spec.reduce_range);
  const float scale = (range.max - range.min) / static_cast<float>(limits.high - limits.low);
  if (!(scale > 0)) return {.dtype = spec.dtype, .scale = 1, .zero_point = std::max(limits.low, 0)};
  const auto zero_point = static_cast<int32_t>(static_cast<float>(limits.low) - std::nearbyint(range.min / scale));
  return {.dtype = spec.dtype, .scale = scale, .zero_point = std::clamp(zero_point, limits.low, limits.high)};
}

}  // namespace

QuantLimits limits_of(DType dtype, bool reduce_range) {
  if (dtype == DType::kS8) return reduce_range ? QuantLimits{-64, 63} : QuantLimits{-128, 127};
  require(dtype == DType::kU8, Code::kInvalidArgument, "dtype ", to_string(dtype), " found, expected u8 or s8");
  return reduce_range ? QuantLimits{0, 127} : QuantLimits{0, 255};
}

QuantParams quant_params(const QuantSpec& spec, Range range) {
  range.min = std::min(range.min, 0.0f);
  range.max = std::max(range.max, 0.0f);
  require(std::isfinite(range.min) && std::isfinite(range.max), Code::kInvalidData, "the range is ", range.min, " to ",
          range.max, ", expected finite numbers");
  QuantParams params = spec.symmetric ? symmetric(spec, range) : asymmetric(spec, range);
  // A scale that underflowed divides by nothing: all numbers of such a range are 0 for every purpose.
  if (!(params.scale >= std::numeric_limits<float>::min())) params.scale = 1;
  return params;
}

float fake_quantize(float x, const QuantParams& params, QuantLimits limits) {
  const float steps = std::clamp(std::nearbyint(x / params.scale) + static_cast<float>(params.zero_point),
                                 static_cast<float>(limits.low), static_cast<float>(limits.high));
  return (steps - static_cast<float>(params.zero_point)) * params.scale;
}

}  // namespace neural_engine
