// Quantization: TensorFlow's ranges become the scale and zero point of QuantizeLinear and DequantizeLinear.
//
// A quantized tensor is three edges in TensorFlow: the integers and the two ends of the range that they stand for. The
// ends must be constants here. A product of quantized tensors becomes DequantizeLinear, MatMul and, where it gives
// integers of 8 bits, QuantizeLinear: the form that the lowering turns into integer kernels. Its 32-bit result is known
// by what it means only (TfValue::real).
#include <algorithm>
#include <cmath>

#include "load/tensorflow_ops.h"
#include "load/tensorflow_products.h"
#include "load/tensorflow_quantize.h"

namespace neural_engine {

namespace {

struct Range {
  float min;
  float max;
};

Range constant_range(TfNode& n, size_t min, size_t max) {
  const Range range = {n.constant_float(min, "the minimum"), n.constant_float(max, "the maximum")};
  if (!std::isfinite(range.min) || !std::isfinite(range.max) || range.min > range.max) {
    n.invalid("the range is ", range.min, " to ", range.max);
  }
  return range;
}

int64_t lowest(DType dtype) { return dtype == DType::kS8 ? -128 : dtype == DType::kS16 ? -32768 : 0; }
int64_t highest(DType dtype) {
  return dtype == DType::kS8 ? 127 : dtype == DType::kU8 ? 255 : dtype == DType::kS16 ? 32767 : 65535;
}

void require_small(TfNode& n, DType dtype) {
  if (dtype != DType::kS8 && dtype != DType::kU8) {
    n.unsupported("integers of dtype ", to_string(dtype), " found, supported are qint8 and quint8");
  }
}

// x = scale * q, the range's larger side being the integers' end.
Grid scaled_grid(DType dtype, Range range, bool narrow) {
  const float low = static_cast<float>(lowest(dtype) + (narrow && lowest(dtype) < 0)),
              high = static_cast<float>(highest(dtype));
  float scale = range.max / high;
  if (low < 0) scale = std::max(scale, range.min / low);
  return {.scale = scale, .zero = 0, .dtype = dtype};
}

// x = scale * (q - zero), the range's ends being the integers' ends. Zero must be one of them, as near as makes no
// difference; for MIN_FIRST TensorFlow rounds it itself.
Grid affine_grid(TfNode& n, DType dtype, Range range, bool rounds) {
  const float scale = (range.max - range.min) / static_cast<float>(highest(dtype) - lowest(dtype));
  const float zero = scale > 0 ? static_cast<float>(lowest(dtype)) - range.min / scale : 0;
  if (!rounds && std::abs(zero - std::round(zero)) > 0.01f) {
    n.unsupported("a quantized range of ", range.min, " to ", range.max, " does not hold 0 exactly");
  }
  return {.scale = scale, .zero = static_cast<int64_t>(std::round(zero)), .dtype = dtype};
}

Grid grid_of(TfNode& n, const std::string& mode, DType dtype, Range range, bool narrow) {
  require_small(n, dtype);
  if (mode == "SCALED") return scaled_grid(dtype, range, narrow);
  if (mode == "MIN_FIRST" || mode == "MIN_COMBINED") return affine_grid(n, dtype, range, mode == "MIN_FIRST");
  n.invalid("mode ", mode, " found, expected MIN_COMBINED, MIN_FIRST or SCALED");
}

void check_grid(TfNode& n, const Grid& grid) {
  if (!(grid.scale > 0) || !std::isfinite(grid.scale)) n.unsupported("a quantized range is empty");
  if (grid.zero < lowest(grid.dtype) || grid.zero > highest(grid.dtype)) {
    n.unsupported("a quantized range does not hold 0");
  }
}

ValueId zero_point(TfNode& n, const Grid& grid) { return n.scalar(static_cast<double>(grid.zero), grid.dtype); }

}  // namespace

ValueId quantize(TfNode& n, ValueId x, const Grid& grid) {
  check_grid(n, grid);
  return n.add("QuantizeLinear", {x, n.scalar(grid.scale, DType::kF32), zero_point(n, grid)});
}
ValueId dequantize(TfNode& n, ValueId q, const Grid& grid) {
  check_grid(n, grid);
  return n.add("DequantizeLinear", {q, n.scalar(grid.scale, DType::kF32), zero_point(n, grid)});
}

ValueId rounded(TfNode& n, ValueId x, const Grid& grid, Ties ties, int64_t origin) {
  check_grid(n, grid);
  if (ties == Ties::kEven) return x;
  const auto number = [&](double value) { return n.scalar(value, DType::kF32); };
  const auto nearest = [&](ValueId value) { return n.add("Floor", {n.add("Add", {value, number(0.5)})}); };
  ValueId steps = n.add("Div", {x, number(grid.scale)});
  const double shift = static_cast<double>(grid.zero - origin);
  if (shift != 0) steps = n.add("Add", {steps, number(shift)});
  steps = ties == Ties::kUp ? nearest(steps) : n.add("Mul", {n.add("Sign", {steps}), nearest(n.add("Abs", {steps}))});
  if (shift != 0) steps = n.add("Sub", {steps, number(shift)});
  return n.add("Mul", {steps, number(grid.scale)});
}

namespace {

// The integers of x, their meaning, and the ends of their range as outputs 0, 1 and 2.
void set_quantized(TfNode& n, ValueId x, const Grid& grid) {
  const ValueId q = quantize(n, x, grid);
  n.set_output(0, TfValue::quantized(q, dequantize(n, q, grid)));
  const auto meaning = [&](int64_t number) { return grid.scale * static_cast<float>(number - grid.zero); };
  n.set_output(1, n.scalar(meaning(lowest(grid.dtype)), DType::kF32));
  n.set_output(2, n.scalar(meaning(highest(grid.dtype)), DType::kF32));
}

// The range as TensorFlow widens it before use.
Range widened(Range range, float ensured) {
  range.min = std::min(0.f, range.min);
  const float epsilon = std::max({1.f, std::abs(range.min), std::abs(range.max)}) * ensured;
  range.max = std::max({0.f, range.max, range.min + epsilon});
  return range;
}

void quantize_v2(TfNode& n) {
  const DType dtype = n.take_dtype("T");
  const std::string mode = n.take_string("mode", "MIN_COMBINED");
  if (n.take_int("axis", -1) != -1) n.unsupported("quantization by slices (attribute \"axis\") is not supported");
  const std::string ties = n.take_string("round_mode", "HALF_AWAY_FROM_ZERO");
  if (ties != "HALF_AWAY_FROM_ZERO" && ties != "HALF_TO_EVEN") {
    n.invalid("round_mode ", ties, " found, expected HALF_AWAY_FROM_ZERO or HALF_TO_EVEN");
  }
  if (ties == "HALF_TO_EVEN" && mode != "SCALED") n.invalid("round_mode HALF_TO_EVEN found with mode ", mode);
  const bool narrow = n.take_bool("narrow_range", false);
  const Range range = widened(constant_range(n, 1, 2), n.take_float("ensure_minimum_range", 0.01f));
  const Grid grid = grid_of(n, mode, dtype, range, narrow);
  // MIN_COMBINED rounds the integer itself, the others its distance from the zero point.
  const int64_t origin = mode == "MIN_COMBINED" ? 0 : grid.zero;
  const ValueId x = rounded(n, n.input(0), grid, ties == "HALF_TO_EVEN" ? Ties::kEven : Ties::kAway, origin);
  set_quantized(n, x, grid);
}

// The range of a 32-bit product, inputs i and i + 1, is not known as numbers: it must be the product's own.
void require_own_range(TfNode& n, const TfValue& product, size_t i) {
  for (const size_t end : {i, i + 1}) {
    const TfValue& found = n.value(end);
    if (!found.is(TfValue::Kind::kOpaque) || found.real != product.real) {
      n.unsupported("input ", end, " is not an end of the range of input 0, a quantized product of 32 bits");
    }
  }
}

void dequantize_node(TfNode& n) {
  const TfValue& q = n.value(0);
  const std::string mode = n.take_string("mode", "MIN_COMBINED");
  const bool narrow = n.take_bool("narrow_range", false);
  if (n.take_int("axis", -1) != -1) n.unsupported("quantization by slices (attribute \"axis\") is not supported");
  if (n.take_dtype("dtype", DType::kF32) != DType::kF32) n.unsupported("a result other than DT_FLOAT");
  n.ignore({"T"});
  if (q.id == kNoValue && q.real != kNoValue) {  // 32-bit integers
    require_own_range(n, q, 1);
    return n.set_output(0, q.real);
  }
  const ValueId x = n.input(0);
  n.set_output(0, dequantize(n, x, grid_of(n, mode, n.dtype(x), constant_range(n, 1, 2), narrow)));
}

// What the integers of a product's operand mean. Weights are symmetric; activations as input_quant_mode says.
ValueId real_operand(TfNode& n, size_t i, Range range, const std::string& mode) {
  const ValueId q = n.input(i);
  const DType dtype = n.dtype(q);
  require_small(n, dtype);
  if (mode == "MIN_FIRST" && dtype == DType::kU8) return dequantize(n, q, affine_grid(n, dtype, range, true));
  const float largest = std::max(std::abs(range.min), std::abs(range.max));
  return dequantize(n, q, {.scale = largest / static_cast<float>(highest(dtype)), .zero = 0, .dtype = dtype});
}

// A bias of 32-bit integers has the scale of the product.
ValueId real_bias(TfNode& n, size_t i, Range a, Range b, DType dtype_a) {
  const ValueId bias = n.input(i);
  if (n.dtype(bias) == DType::kF32) return bias;
  if (n.dtype(bias) != DType::kS32) n.unsupported("a bias of dtype ", to_string(n.dtype(bias)));
  const float scale_a = std::max(std::abs(a.min), std::abs(a.max)) / static_cast<float>(highest(dtype_a));
  const float scale_b = std::max(std::abs(b.min), std::abs(b.max)) / 127.f;
  return n.add("Mul", {n.cast(bias, DType::kF32), n.scalar(scale_a * scale_b, DType::kF32)});
}

// QuantizedMatMulWithBias[AndRelu][AndRequantize|AndDequantize]: a, b, bias, the ranges of a and b, and that of the
// result where it is given.
void quantized_matmul(TfNode& n) {
  const std::string& op = n.op();
  const auto has = [&](const char* part) { return op.find(part) != std::string::npos; };
  const bool biased = has("WithBias");
  const std::string mode = biased ? n.take_string("input_quant_mode", "MIN_FIRST") : std::string("MIN_FIRST");
  // TensorFlow's own answers for the other mode (and a bias in float) are not what the ranges mean.
  if (biased && mode != "SCALED") n.unsupported("input_quant_mode ", mode, " found, SCALED is supported");
  n.ignore({"Tactivation", "Tbias"});
  const size_t ranges = biased ? 3 : 2;
  const Range a = constant_range(n, ranges, ranges + 1), b = constant_range(n, ranges + 2, ranges + 3);
  const DType out = n.take_dtype("Toutput", DType::kS32);
  const ValueId left = real_operand(n, 0, a, mode), right = real_operand(n, 1, b, biased ? "SCALED" : "MIN_FIRST");
  ValueId y = product(n, left, right, n.take_bool("transpose_a", false), n.take_bool("transpose_b", false));
  if (biased) y = n.add("Add", {y, real_bias(n, 2, a, b, n.dtype(n.input(0)))});
  if (has("Relu")) y = n.add("Relu", {y});
  if (has("Dequantize")) {
    n.ignore_input(ranges + 4), n.ignore_input(ranges + 5);  // the range of integers that nobody sees
    return n.set_output(0, y);
  }
  if (!has("Requantize")) {
    n.set_output(0, TfValue{.kind = TfValue::Kind::kTensor, .id = kNoValue, .real = y});
    TfValue range = TfValue::opaque("the range of a quantized product of 32 bits");
    range.real = y;
    n.set_output(1, range), n.set_output(2, range);
    return;
  }
  require_small(n, out);
  const Range range = constant_range(n, ranges + 4, ranges + 5);
  const float largest = std::max(std::abs(range.min), std::abs(range.max));
  set_quantized(n, y, {.scale = largest / static_cast<float>(highest(out)), .zero = 0, .dtype = out});
}

void requantize(TfNode& n) {
  const TfValue& x = n.value(0);
  if (x.real == kNoValue) n.unsupported("input 0 is no product of quantized tensors");
  n.ignore({"Tinput"});
  require_own_range(n, x, 1);
  const DType out = n.take_dtype("out_type");
  require_small(n, out);
  const Range range = constant_range(n, 3, 4);
  set_quantized(n, x.real, out == DType::kU8 ? affine_grid(n, out, range, true) : scaled_grid(out, range, false));
}

// Another shape of the same integers.
void quantized_reshape(TfNode& n) {
  const TfValue x = n.value(0);
  const ValueId target = n.as_vector(1);
  const auto reshaped = [&](ValueId value) { return value == kNoValue ? value : n.add("Reshape", {value, target}); };
  n.set_output(0, TfValue::quantized(reshaped(x.id), reshaped(x.real)));
  n.set_output(1, n.value(2));
  n.set_output(2, n.value(3));
}

}  // namespace

std::span<const TfOp> tf_quantize_ops() {
  static constexpr const char* kRanged = "output,output_min,output_max";
  static constexpr const char* kProduct = "out,min_out,max_out";
  static constexpr TfOp kOps[] = {
      {"FakeQuantWithMinMaxVars", fake_quant_vars, ""},
      {"FakeQuantWithMinMaxArgs", fake_quant_args, ""},
      {"FakeQuantWithMinMaxVarsPerChannel", fake_quant_per_channel, ""},
      {"QuantizeAndDequantizeV2", quantize_and_dequantize, "T=*"},
      {"QuantizeAndDequantizeV3", quantize_and_dequantize, "T=0,1,2"},
      {"QuantizeAndDequantizeV4", quantize_and_dequantize, "T=*"},
      {"QuantizeV2", quantize_v2, "", kRanged},
      {"Dequantize", dequantize_node, ""},
      {"Requantize", requantize, "", kRanged},
      {"QuantizedReshape", quantized_reshape, "T=0;Tshape=1", kRanged},
      {"QuantizedMatMul", quantized_matmul, "T1=0;T2=1", kProduct},
      {"QuantizedMatMulWithBias", quantized_matmul, "T1=0;T2=1", kProduct},
      {"QuantizedMatMulWithBiasAndRelu", quantized_matmul, "T1=0;T2=1", kProduct},
      {"QuantizedMatMulWithBiasAndRequantize", quantized_matmul, "T1=0;T2=1", kProduct},
      {"QuantizedMatMulWithBiasAndReluAndRequantize", quantized_matmul, "T1=0;T2=1", kProduct},
      {"QuantizedMatMulWithBiasAndDequantize", quantized_matmul, "T1=0;T2=1"},
  };
  return kOps;
}

}  // namespace neural_engine
