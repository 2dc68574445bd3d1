// Resize. Every mode is separable: an output coordinate of an axis is a weighted sum of a few input coordinates (its
// taps). Axes are resampled one after the other, the last first, in float or (where elements need it) double.
#include <algorithm>
#include <cmath>

#include "base/dtype.h"
#include "executor/ops/image_run.h"
#include "executor/ops/resample.h"
#include "executor/ops/run_helpers.h"
#include "ops/resize_axes.h"

namespace neural_engine {

namespace {

// The input coordinate of output coordinate x.
double source_coordinate(const std::string& mode, const ResizeAxis& axis, int64_t x_out) {
  const double x = static_cast<double>(x_out), in = static_cast<double>(axis.in);
  if (mode == "align_corners") return axis.out_length == 1 ? 0 : x * (in - 1) / (axis.out_length - 1);
  if (mode == "asymmetric") return x / axis.scale;
  if (mode == "tf_half_pixel_for_nn") return (x + 0.5) / axis.scale;
  if (mode == "pytorch_half_pixel" && axis.out_length == 1) return -0.5;
  if (mode == "tf_crop_and_resize") {
    const double span = (axis.roi_end - axis.roi_start) * (in - 1), start = axis.roi_start * (in - 1);
    return start + (axis.out_length == 1 ? span / 2 : x * span / (axis.out_length - 1));
  }
  const double half_pixel = (x + 0.5) / axis.scale - 0.5;
  if (mode != "half_pixel_symmetric") return half_pixel;
  // The fraction of a pixel that rounding the length cut off is taken from both sides.
  return in / 2 * (1 - static_cast<double>(axis.out) / axis.out_length) + half_pixel;
}

double nearest_coordinate(const std::string& mode, double x) {
  if (mode == "floor") return std::floor(x);
  if (mode == "ceil") return std::ceil(x);
  return mode == "round_prefer_floor" ? std::ceil(x - 0.5) : std::floor(x + 0.5);
}

struct Taps {
  int64_t count = 1;             // per output coordinate
  std::vector<int64_t> index;    // input coordinates, clamped
  std::vector<double> weight;    // sums to 1 per output coordinate
  std::vector<uint8_t> outside;  // tf_crop_and_resize: the coordinate is not in the input
  bool identity = false;
};

int64_t clamp_index(double x, int64_t size) {
  return static_cast<int64_t>(std::clamp(x, 0.0, static_cast<double>(size - 1)));
}

// Weights around x: a kernel of radius `radius` (1 linear, 2 cubic), stretched by 1 / shrink when antialiasing.
void weigh(const Node& node, const ResizeAxis& axis, double x, double shrink, int64_t first, double* weights,
           int64_t count) {
  const bool cubic = node.attr<std::string>("mode") == "cubic";
  const bool exclude = node.attr<int64_t>("exclude_outside") != 0;
  const double a = static_cast<double>(node.attr<float>("cubic_coeff_a"));
  double sum = 0;
  for (int64_t k = 0; k < count; ++k) {
    const double distance = (static_cast<double>(first + k) - x) * shrink;
    weights[k] = cubic ? cubic_weight(distance, a) : linear_weight(distance);
    if (exclude && (first + k < 0 || first + k >= axis.in)) weights[k] = 0;
    sum += weights[k];
  }
  if (sum != 0) std::for_each(weights, weights + count, [sum](double& weight) { weight /= sum; });
}

Taps taps_of(const Node& node, const ResizeAxis& axis) {
  const std::string& mode = node.attr<std::string>("mode");
  const std::string& coordinates = node.attr<std::string>("coordinate_transformation_mode");
  const bool nearest = mode == "nearest", crops = coordinates == "tf_crop_and_resize";
  const double shrink = node.attr<int64_t>("antialias") ? std::min(axis.scale, 1.0) : 1;
  const int64_t reach = static_cast<int64_t>(std::ceil((mode == "cubic" ? 2 : 1) / shrink));  // to either side
  Taps taps;
  taps.count = nearest ? 1 : 2 * reach;
  require(axis.out <= INT32_MAX && taps.count <= INT32_MAX / std::max<int64_t>(axis.out, 1), Code::kUnsupported,
          "resizing ", axis.in, " to ", axis.out, " needs too many weights");
  taps.index.resize(static_cast<size_t>(axis.out * taps.count));
  taps.weight.resize(taps.index.size(), 1);
  taps.outside.resize(static_cast<size_t>(axis.out), 0);
  for (int64_t o = 0; o < axis.out; ++o) {
    const double x = source_coordinate(coordinates, axis, o);
    taps.outside[static_cast<size_t>(o)] = crops && !(x >= 0 && x <= static_cast<double>(axis.in - 1));
    int64_t* index = taps.index.data() + o * taps.count;
    if (nearest) {
      *index = clamp_index(nearest_coordinate(node.attr<std::string>("nearest_mode"), x), axis.in);
      continue;
    }
    // Far outside, all taps are the border anyway.
    const double bounded = std::clamp(x, -1e9, 1e9);
    const int64_t first = static_cast<int64_t>(std::floor(bounded)) - reach + 1;
    weigh(node, axis, bounded, shrink, first, taps.weight.data() + o * taps.count, taps.count);
    for (int64_t k = 0; k < taps.count; ++k) index[k] = clamp_index(static_cast<double>(first + k), axis.in);
  }
  taps.identity = axis.in == axis.out;
  for (int64_t o = 0; taps.identity && o < axis.out; ++o) {
    double own = 0;  // the weight of the coordinate itself
    for (int64_t k = o * taps.count; k < (o + 1) * taps.count; ++k) {
      if (taps.index[static_cast<size_t>(k)] == o) own += taps.weight[static_cast<size_t>(k)];
    }
    taps.identity = own == 1 && !taps.outside[static_cast<size_t>(o)];
  }
  return taps;
}

// Resamples the axis of a [outer, in, inner] buffer.
template <class Acc>
std::vector<Acc> resample(const std::vector<Acc>& src, int64_t outer, int64_t in, int64_t inner, const Taps& taps,
                          Parallel& parallel) {
  const int64_t out = static_cast<int64_t>(taps.outside.size());
  std::vector<Acc> dst(static_cast<size_t>(outer * out * inner), Acc(0));
  parallel.ranges(outer * out, std::max<int64_t>(1, 4096 / std::max<int64_t>(1, inner * taps.count)),
                  [&](int64_t begin, int64_t end) {
                    for (int64_t row = begin; row < end; ++row) {
                      Acc* to = dst.data() + row * inner;
                      for (int64_t k = 0; k < taps.count; ++k) {
                        const size_t tap = static_cast<size_t>(row % out * taps.count + k);
                        const Acc weight = static_cast<Acc>(taps.weight[tap]);
                        // Not 0 * x: an infinite neighbour without weight must not turn the sum into NaN.
                        if (weight == 0) continue;
                        const Acc* from = src.data() + (row / out * in + taps.index[tap]) * inner;
                        for (int64_t i = 0; i < inner; ++i) to[i] += weight * from[i];
                      }
                    }
                  });
  return dst;
}

template <class T, class Acc>
void interpolate(const Tensor& src, Tensor& dst, const std::vector<Taps>& taps, Parallel& parallel) {
  const T* from = src.data<T>();
  std::vector<Acc> buffer(from, from + src.elems());
  Shape shape = src.shape();
  for (size_t axis = shape.size(); axis-- > 0;) {
    if (taps[axis].identity) continue;
    buffer = resample(buffer, elems_between(shape, 0, axis), shape[axis], elems_between(shape, axis + 1), taps[axis],
                      parallel);
    shape[axis] = dst.shape()[axis];
  }
  T* to = dst.data<T>();
  for (int64_t i = 0; i < dst.elems(); ++i) to[i] = to_element<T>(static_cast<double>(buffer[static_cast<size_t>(i)]));
}

void extrapolate(const Node& node, const std::vector<Taps>& taps, Tensor& dst) {
  const auto has_outside = [](const Taps& axis) {
    return std::any_of(axis.outside.begin(), axis.outside.end(), [](uint8_t flag) { return flag != 0; });
  };
  if (std::none_of(taps.begin(), taps.end(), has_outside)) return;
  const double value = static_cast<double>(node.attr<float>("extrapolation_value"));
  dispatch_dtype(dst.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T element = to_element<T>(value);
    for (int64_t i = 0; i < dst.elems(); ++i) {
      int64_t rest = i;
      bool outside = false;
      for (size_t axis = taps.size(); axis-- > 0;) {
        outside |= taps[axis].outside[static_cast<size_t>(rest % dst.shape()[axis])] != 0;
        rest /= dst.shape()[axis];
      }
      if (outside) dst.data<T>()[i] = element;
    }
  });
}

Tensor operand(const OpContext& op, int input) { return op.has_input(input) ? op.input(input) : Tensor(); }

}  // namespace

void run_resize(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  if (dst.elems() == 0) return;
  std::vector<Taps> taps;
  std::vector<std::vector<int64_t>> tables;
  for (const ResizeAxis& axis : resize_axes(node.attrs, src.shape(), operand(op, 1), operand(op, 2), operand(op, 3))) {
    require(axis.in > 0, Code::kInvalidData, "an empty axis cannot be resized to ", axis.out);
    taps.push_back(taps_of(node, axis));
    tables.push_back(taps.back().index);
  }
  if (node.attr<std::string>("mode") == "nearest") {
    copy_by_tables(src, dst, tables, op.parallel);
  } else {
    dispatch_dtype(dst.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      using Acc = std::conditional_t<(sizeof(T) > 4 || std::is_same_v<T, int32_t>), double, float>;
      interpolate<T, Acc>(src, dst, taps, op.parallel);
    });
  }
  extrapolate(node, taps, dst);
}

}  // namespace neural_engine
