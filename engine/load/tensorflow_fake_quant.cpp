// What quantization-aware training leaves in a graph: tensors rounded to a grid and back. A constant becomes integers
// and a DequantizeLinear; anything else a QuantizeLinear and a DequantizeLinear.
//
// The range is nudged so that 0 is on the grid, as TensorFlow does it: with qmin = 1 (narrow_range) or 0 and qmax =
// 2^bits - 1, the zero point is round(qmin - min / scale), clamped to qmin .. qmax.
#include <cmath>

#include "load/tensorflow_quantize.h"

namespace neural_engine {

namespace {

struct FakeGrid {
  float scale;
  int64_t zero;  // among the unsigned integers
  float low;     // the nudged range
  float high;
};

struct Levels {
  int64_t min;
  int64_t max;
};

Levels take_levels(TfNode& n) {
  const int64_t bits = n.take_int("num_bits", 8);
  if (bits != 8) n.unsupported("num_bits ", bits, " found, 8 is supported");
  return {n.take_bool("narrow_range", false) ? 1 : 0, 255};
}

FakeGrid nudged(TfNode& n, float min, float max, const Levels& levels) {
  if (!std::isfinite(min) || !std::isfinite(max) || min >= max) n.invalid("the range is ", min, " to ", max);
  FakeGrid grid;
  grid.scale = (max - min) / static_cast<float>(levels.max - levels.min);
  const float from_min = static_cast<float>(levels.min) - min / grid.scale;
  grid.zero = from_min < static_cast<float>(levels.min)   ? levels.min
              : from_min > static_cast<float>(levels.max) ? levels.max
                                                          : static_cast<int64_t>(std::round(from_min));
  grid.low = static_cast<float>(levels.min - grid.zero) * grid.scale;
  grid.high = static_cast<float>(levels.max - grid.zero) * grid.scale;
  return grid;
}

// A grid that is symmetric around 0 is written in signed integers, which products of ours like for weights.
bool is_symmetric(const FakeGrid& grid) { return grid.zero == 128; }

int64_t level_of(float x, const FakeGrid& grid, const Levels& levels) {
  const float clamped = std::min(std::max(x, grid.low), grid.high);
  const float inverse = 1.f / grid.scale;
  const int64_t level = levels.min + static_cast<int64_t>(std::floor((clamped - grid.low) * inverse + 0.5f));
  return std::min(std::max(level, levels.min), levels.max);
}

// The integers of a constant, by channel of the last dimension or, with one grid, all alike.
ValueId constant_levels(TfNode& n, const Tensor& x, const std::vector<FakeGrid>& grids, const Levels& levels,
                        bool is_signed) {
  Tensor result(is_signed ? DType::kS8 : DType::kU8, x.shape());
  const float* from = x.data<float>();
  uint8_t* to = static_cast<uint8_t*>(result.raw());
  for (int64_t i = 0; i < x.elems(); ++i) {
    const FakeGrid& grid = grids[static_cast<size_t>(i) % grids.size()];
    if (std::isnan(from[i])) n.invalid("element ", i, " of a constant is no number");
    const int64_t level = level_of(from[i], grid, levels);
    to[i] = static_cast<uint8_t>(is_signed ? level - 128 : level);
  }
  return n.constant(std::move(result));
}

void fake_quant(TfNode& n, ValueId x, const std::vector<FakeGrid>& grids, const Levels& levels, bool by_channel) {
  if (n.dtype(x) != DType::kF32) n.unsupported("dtype ", to_string(n.dtype(x)), " found, f32 is supported");
  bool is_signed = true;
  for (const FakeGrid& grid : grids) is_signed = is_signed && is_symmetric(grid);
  const Tensor constant = n.facts(x).constant;
  const int64_t count = static_cast<int64_t>(grids.size());
  const Shape shape = by_channel ? Shape{count} : Shape{};
  Tensor scales(DType::kF32, shape), zeros(is_signed ? DType::kS8 : DType::kU8, shape);
  Tensor lows(DType::kF32, shape), highs(DType::kF32, shape);
  for (size_t i = 0; i < grids.size(); ++i) {
    scales.data<float>()[i] = grids[i].scale;
    lows.data<float>()[i] = grids[i].low;
    highs.data<float>()[i] = grids[i].high;
    static_cast<uint8_t*>(zeros.raw())[i] = static_cast<uint8_t>(is_signed ? grids[i].zero - 128 : grids[i].zero);
  }
  Attrs attrs;
  if (by_channel) attrs.set("axis", n.required_rank(x) - 1);
  const ValueId scale = n.constant(std::move(scales)), zero = n.constant(std::move(zeros));
  ValueId q = kNoValue;
  if (constant.defined()) {
    q = constant_levels(n, constant, grids, levels, is_signed);
  } else {
    // Without the lowest level the range must be cut before: QuantizeLinear saturates at the integers' own ends.
    if (levels.min != 0)
      x = n.add("Min", {n.add("Max", {x, n.constant(std::move(lows))}), n.constant(std::move(highs))});
    q = n.add("QuantizeLinear", {x, scale, zero}, attrs);
  }
  n.finish("DequantizeLinear", {q, scale, zero}, attrs);
}

}  // namespace

void fake_quant_vars(TfNode& n) {
  const Levels levels = take_levels(n);
  const float min = n.constant_float(1, "the minimum"), max = n.constant_float(2, "the maximum");
  fake_quant(n, n.input(0), {nudged(n, min, max, levels)}, levels, false);
}

void fake_quant_args(TfNode& n) {
  const Levels levels = take_levels(n);
  const float min = n.take_float("min", -6.f), max = n.take_float("max", 6.f);
  fake_quant(n, n.input(0), {nudged(n, min, max, levels)}, levels, false);
}

void fake_quant_per_channel(TfNode& n) {
  const Levels levels = take_levels(n);
  const std::vector<float> mins = n.constant_floats(1, "the minima"), maxs = n.constant_floats(2, "the maxima");
  if (mins.size() != maxs.size() || mins.empty()) n.invalid(mins.size(), " minima and ", maxs.size(), " maxima found");
  const ValueId x = n.input(0);
  const std::optional<SymShape>& shape = n.facts(x).shape;
  if (!shape || shape->empty()) n.unsupported("the shape of the operand is not known while loading");
  const Dim& channels = shape->back();
  if (channels.known() && channels.value() != static_cast<int64_t>(mins.size())) {
    n.invalid(mins.size(), " ranges found, the last dimension is ", channels.value());
  }
  std::vector<FakeGrid> grids;
  for (size_t i = 0; i < mins.size(); ++i) grids.push_back(nudged(n, mins[i], maxs[i], levels));
  fake_quant(n, x, grids, levels, true);
}

// Symmetric around 0: scale = the larger side of the range over the larger side of the integers.
void quantize_and_dequantize(TfNode& n) {
  const bool is_signed = n.take_bool("signed_input", true), narrow = n.take_bool("narrow_range", false);
  if (!n.take_bool("range_given", false))
    n.unsupported("attribute \"range_given\" is false: the range is not constant");
  if (n.take_int("axis", -1) != -1) n.unsupported("quantization by slices (attribute \"axis\") is not supported");
  const int64_t bits = n.num_inputs() > 3 ? n.constant_int(3, "num_bits") : n.take_int("num_bits", 8);
  if (bits != 8) n.unsupported("num_bits ", bits, " found, 8 is supported");
  const std::string ties = n.take_string("round_mode", "HALF_TO_EVEN");
  if (ties != "HALF_TO_EVEN" && ties != "HALF_UP") {
    n.invalid("round_mode ", ties, " found, expected HALF_TO_EVEN or HALF_UP");
  }
  const float min = n.constant_float(1, "the minimum"), max = n.constant_float(2, "the maximum");
  if (!std::isfinite(min) || !std::isfinite(max) || min > max) n.invalid("the range is ", min, " to ", max);
  float scale = max / (is_signed ? 127.f : 255.f);
  if (is_signed) scale = std::max(scale, min / (narrow ? -127.f : -128.f));
  const Grid grid = {.scale = scale, .zero = 0, .dtype = is_signed ? DType::kS8 : DType::kU8};
  const ValueId x = rounded(n, n.input(0), grid, ties == "HALF_UP" ? Ties::kUp : Ties::kEven, 0);
  n.set_output(0, dequantize(n, quantize(n, x, grid), grid));
}

}  // namespace neural_engine
