#include "load/conf_quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace neural_engine {

namespace {

// Below it the old engine took a range for this.
constexpr float kLeastRange = 1e-10f;

std::vector<float> constant_floats(const ConfCall& call, ValueId value, const char* what) {
  const Tensor& tensor = call.w().facts(value).constant;
  if (!tensor.defined() || tensor.dtype() != DType::kF32 || tensor.elems() == 0) {
    fail(Code::kUnsupported, "the ", what, " of a quantized operand is no constant of fp32 numbers");
  }
  std::vector<float> result(static_cast<size_t>(tensor.elems()));
  std::memcpy(result.data(), tensor.raw(), tensor.bytes());
  for (float x : result) {
    if (!std::isfinite(x)) fail(Code::kInvalidModel, "the ", what, " of a quantized operand is ", x);
  }
  return result;
}

struct Bounds {
  std::vector<float> low, high;
};

Bounds bounds(const ConfCall& call, ConfRange range) {
  Bounds result{constant_floats(call, range.min, "minimum"), constant_floats(call, range.max, "maximum")};
  if (result.low.size() != result.high.size()) {
    fail(Code::kInvalidModel, result.low.size(), " minima and ", result.high.size(), " maxima found");
  }
  return result;
}

ValueId zero(const ConfCall& call, DType dtype) {
  if (dtype == DType::kU8) return call.w().constant(Tensor::scalar<uint8_t>(0));
  return call.w().constant(Tensor::scalar<int8_t>(0));
}

DType byte_dtype(const ConfCall& call, ValueId bytes) {
  const DType dtype = call.dtype(bytes);
  if (dtype != DType::kU8 && dtype != DType::kS8) {
    fail(Code::kInvalidModel, "an operand with a minimum and a maximum has dtype ", to_string(dtype),
         ", expected u8 or s8");
  }
  return dtype;
}

ValueId scaled(const ConfCall& call, ValueId bytes, const std::vector<float>& steps, int64_t channel_axis) {
  const ValueId scale =
      call.w().constant(steps.size() == 1 ? Tensor::scalar<float>(steps[0])
                                          : Tensor::of<float>({static_cast<int64_t>(steps.size())}, steps));
  return call.w().add("DequantizeLinear", {bytes, scale}, {{"axis", channel_axis}});
}

// The least byte of each channel.
std::vector<int> channel_minima(const Tensor& bytes, int64_t axis, size_t channels) {
  std::vector<int> least(channels, 127);
  if (channels == 0) return least;
  const auto extent = static_cast<int64_t>(channels);
  int64_t inner = 1;
  for (int64_t i = axis + 1; i < bytes.rank(); ++i) inner *= bytes.dim(static_cast<int>(i));
  const int8_t* data = bytes.data<int8_t>();
  for (int64_t i = 0; i < bytes.elems(); ++i) {
    int& of = least[channels == 1 ? 0 : static_cast<size_t>(i / inner % extent)];
    of = std::min<int>(of, data[i]);
  }
  return least;
}

// Whether each channel's minimum, divided by its step, is its least byte, up to rounding.
bool explains(const std::vector<float>& minima, const std::vector<float>& steps, const std::vector<int>& least) {
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!(std::abs(minima[i] / steps[i] - static_cast<float>(least[i])) <= 1.f)) return false;
  }
  return true;
}

}  // namespace

std::vector<float> conf_steps(const ConfCall& call, ConfRange range, DType dtype) {
  const Bounds b = bounds(call, range);
  std::vector<float> steps;
  for (size_t i = 0; i < b.low.size(); ++i) {
    if (b.high[i] < b.low[i]) fail(Code::kInvalidModel, "a range from ", b.low[i], " to ", b.high[i], " found");
    const bool whole = dtype == DType::kU8;
    const float size = whole ? b.high[i] - b.low[i] : std::max(std::abs(b.low[i]), std::abs(b.high[i]));
    steps.push_back(std::max(size, kLeastRange) / (whole ? 255.f : 127.f));
  }
  return steps;
}

ValueId conf_dequantize(const ConfCall& call, ValueId bytes, ConfRange range, int64_t channel_axis) {
  return scaled(call, bytes, conf_steps(call, range, byte_dtype(call, bytes)), channel_axis);
}

ValueId conf_quantize(const ConfCall& call, ValueId x, ConfRange range, DType dtype, bool with_offset) {
  const std::vector<float> steps = conf_steps(call, range, dtype);
  if (steps.size() != 1) fail(Code::kUnsupported, "a result with ", steps.size(), " ranges found, supported is one");
  GraphWriter& w = call.w();
  ValueId zero_point = zero(call, dtype);
  if (with_offset && dtype == DType::kU8) {
    const float low = constant_floats(call, range.min, "minimum")[0];
    const float place = -low / steps[0];
    const float whole = std::nearbyint(place);
    // Where zero is a byte, which tools see to, this is ONNX's form; else the offset is taken off before.
    if (whole >= 0 && whole <= 255 && std::abs(place - whole) < 1e-3f) {
      zero_point = w.constant(Tensor::scalar<uint8_t>(static_cast<uint8_t>(whole)));
    } else {
      x = w.add("Sub", {x, w.number(low)});
    }
  }
  return w.add("QuantizeLinear", {x, w.number(steps[0]), zero_point});
}

void conf_quantize_dynamically(ConfCall& call, ValueId x, DType dtype) {
  call.expect_outputs({3});
  GraphWriter& w = call.w();
  const Attrs whole = {{"keepdims", int64_t{0}}};
  const ValueId low = w.add("ReduceMin", {x}, whole), high = w.add("ReduceMax", {x}, whole);
  ConfDynamic by;
  ValueId bytes = x;
  if (dtype == DType::kU8) {
    const ValueId size = w.add("Max", {w.add("Sub", {high, low}), w.number(kLeastRange)});
    by = {.scale = w.add("Div", {size, w.number(255.f)}), .offset = low};
    bytes = w.add("QuantizeLinear", {w.add("Sub", {x, low}), by.scale, zero(call, dtype)});
  } else if (dtype == DType::kS8) {
    const ValueId size = w.add("Max", {w.add("Abs", {high}), w.add("Abs", {low}), w.number(kLeastRange)});
    by = {.scale = w.add("Div", {size, w.number(127.f)})};
    bytes = w.add("QuantizeLinear", {x, by.scale, zero(call, dtype)});
  } else if (dtype != DType::kF32) {
    fail(Code::kUnsupported, "three outputs of dtype ", to_string(dtype), " found, supported: u8, s8, fp32");
  }
  const ValueId minimum = w.add("Reshape", {low, w.ints({1})});
  call.set_output(0, bytes);
  call.set_output(1, minimum);
  call.set_output(2, w.add("Reshape", {high, w.ints({1})}));
  if (by.scale != kNoValue) call.scope().dynamic[minimum] = by;
}

ValueId conf_dequantize_dynamic(const ConfCall& call, ValueId bytes, const ConfDynamic& by) {
  byte_dtype(call, bytes);
  const ValueId x = call.w().add("DequantizeLinear", {bytes, by.scale});
  return by.offset == kNoValue ? x : call.w().add("Add", {x, by.offset});
}

ValueId conf_dequantize_weight(const ConfCall& call, ValueId bytes, ConfRange range, int64_t channel_axis) {
  const Tensor& constant = call.w().facts(bytes).constant;
  if (!constant.defined() || constant.dtype() != DType::kS8) {
    return conf_dequantize(call, bytes, range, channel_axis);
  }
  const Bounds b = bounds(call, range);
  if (b.low.size() != 1 && static_cast<int64_t>(b.low.size()) != constant.dim(static_cast<int>(channel_axis))) {
    fail(Code::kInvalidModel, b.low.size(), " ranges found for weights of shape ", to_string(constant.shape()));
  }
  const std::vector<int> least = channel_minima(constant, channel_axis, b.low.size());
  std::vector<float> by_range, by_scale;
  bool positive = true;
  for (size_t i = 0; i < b.low.size(); ++i) {
    by_range.push_back(std::max({std::abs(b.low[i]), std::abs(b.high[i]), kLeastRange}) / 127.f);
    by_scale.push_back(1.f / b.high[i]);
    positive = positive && b.high[i] > 0;
  }
  if (explains(b.low, by_range, least)) return scaled(call, bytes, by_range, channel_axis);
  if (positive && explains(b.low, by_scale, least)) return scaled(call, bytes, by_scale, channel_axis);
  fail(Code::kUnsupported, "the minimum and maximum of the weights do not explain their bytes");
}

}  // namespace neural_engine
