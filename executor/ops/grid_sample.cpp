// GridSample and AffineGrid, for any number of spatial axes.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/dtype.h"
#include "executor/ops/image_run.h"
#include "executor/ops/resample.h"
#include "executor/ops/run_helpers.h"

namespace neural_engine {

namespace {

enum class Mode { kNearest, kLinear, kCubic };
enum class Padding { kZeros, kBorder, kReflection };

struct Sampling {
  Mode mode;
  Padding padding;
  bool align_corners;
};

Sampling sampling_of(const Node& node) {
  const std::string &mode = node.attr<std::string>("mode"), &padding = node.attr<std::string>("padding_mode");
  return {mode == "nearest" ? Mode::kNearest
          : mode == "cubic" ? Mode::kCubic
                            : Mode::kLinear,
          padding == "zeros"    ? Padding::kZeros
          : padding == "border" ? Padding::kBorder
                                : Padding::kReflection,
          node.attr<int64_t>("align_corners") != 0};
}

// A triangle wave between the borders.
double reflect(double x, double low, double high) {
  const double range = high - low;
  if (!(range > 0)) return low;
  const double phase = std::fmod(std::abs(x - low), 2 * range);
  return low + (phase > range ? 2 * range - phase : phase);
}

// What one spatial axis contributes to a sample.
struct AxisTaps {
  int count = 0;
  std::array<int64_t, 4> index = {};  // -1: a zero
  std::array<double, 4> weight = {};
};

int64_t padded_index(const Sampling& sampling, int64_t i, int64_t size) {
  if (i >= 0 && i < size) return i;
  if (sampling.padding == Padding::kZeros) return -1;
  if (sampling.padding == Padding::kBorder) return std::clamp<int64_t>(i, 0, size - 1);
  const double low = sampling.align_corners ? 0 : -0.5;
  const double x = reflect(static_cast<double>(i), low, static_cast<double>(size - 1) - low);
  return std::clamp<int64_t>(static_cast<int64_t>(x), 0, size - 1);
}

AxisTaps axis_taps(const Sampling& sampling, double position, int64_t size) {
  // From [-1, 1] to pixels; in float, as the specification's reference does, so that halves round alike.
  const double length = static_cast<double>(size);
  double x = static_cast<double>(static_cast<float>(sampling.align_corners ? (position + 1) / 2 * (length - 1)
                                                                           : ((position + 1) * length - 1) / 2));
  if (!(std::abs(x) < 1e15)) x = -1e15;  // NaN and what integers do not hold: far outside
  if (sampling.mode == Mode::kNearest) x = std::nearbyint(x);
  const double low = sampling.align_corners ? 0 : -0.5, high = length - 1 - low;
  if (x < low || x > high) {
    if (sampling.padding == Padding::kBorder) x = std::clamp(x, 0.0, length - 1);
    if (sampling.padding == Padding::kReflection) x = reflect(x, low, high);
  }
  AxisTaps taps;
  const int64_t floor = static_cast<int64_t>(std::floor(x));
  const double fraction = x - static_cast<double>(floor);
  taps.count = sampling.mode == Mode::kNearest ? 1 : sampling.mode == Mode::kLinear ? 2 : 4;
  for (int k = 0; k < taps.count; ++k) {
    const size_t tap = static_cast<size_t>(k);
    const int64_t step = sampling.mode == Mode::kCubic ? k - 1 : k;
    // A reflected nearest position may lie between pixels: it is truncated.
    const int64_t i = sampling.mode == Mode::kNearest ? static_cast<int64_t>(x) : floor + step;
    taps.index[tap] = padded_index(sampling, i, size);
    const double distance = static_cast<double>(step) - fraction;
    taps.weight[tap] = sampling.mode == Mode::kNearest  ? 1
                       : sampling.mode == Mode::kLinear ? linear_weight(distance)
                                                        : cubic_weight(distance, -0.75);
  }
  return taps;
}

// One term of the weighted sum: offset within a channel, weight.
struct Term {
  int64_t offset;
  double weight;
};

// The product of the axes' taps.
void expand_terms(const std::vector<AxisTaps>& axes, const std::vector<int64_t>& strides, std::vector<Term>& terms) {
  terms.assign(1, {0, 1});
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    std::vector<Term> next;
    for (const Term& term : terms) {
      for (int k = 0; k < axes[axis].count; ++k) {
        const int64_t index = axes[axis].index[static_cast<size_t>(k)];
        if (index < 0) continue;
        next.push_back({term.offset + index * strides[axis], term.weight * axes[axis].weight[static_cast<size_t>(k)]});
      }
    }
    terms = std::move(next);
  }
}

template <class T, class G>
void sample(const Sampling& sampling, const Tensor& src, const Tensor& grid, Tensor& dst, Parallel& parallel) {
  const Shape spatial(src.shape().begin() + 2, src.shape().end());
  const std::vector<int64_t> strides = dense_strides(spatial);
  const int64_t channels = src.dim(1), in = elems_between(spatial, 0), out = elems_between(dst.shape(), 2);
  const size_t rank = spatial.size();
  parallel.ranges(dst.dim(0) * out, 64, [&](int64_t begin, int64_t end) {
    std::vector<AxisTaps> axes(rank);
    std::vector<Term> terms;
    for (int64_t point = begin; point < end; ++point) {
      const G* position = grid.data<G>() + point * static_cast<int64_t>(rank);
      // Positions list the innermost axis first.
      for (size_t i = 0; i < rank; ++i) {
        axes[i] = axis_taps(sampling, static_cast<double>(position[rank - 1 - i]), spatial[i]);
      }
      expand_terms(axes, strides, terms);
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t plane = point / out * channels + c;
        const T* from = src.data<T>() + plane * in;
        double sum = 0;
        for (const Term& term : terms) sum += term.weight * static_cast<double>(from[term.offset]);
        dst.data<T>()[plane * out + point % out] = to_element<T>(sum);
      }
    }
  });
}

// The coordinate in [-1, 1] of pixel i of `size`.
double normalized(int64_t i, int64_t size, bool align_corners) {
  const double x = static_cast<double>(i), length = static_cast<double>(size);
  if (!align_corners) return (2 * x + 1) / length - 1;
  return size == 1 ? -1 : 2 * x / (length - 1) - 1;
}

}  // namespace

void run_grid_sample(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  if (dst.elems() == 0) return;
  require(elems_between(src.shape(), 2) > 0, Code::kInvalidData, "an image of shape ", to_string(src.shape()),
          " has no pixels to sample");
  require(src.rank() <= 2 + 8, Code::kUnsupported, "an image of rank ", src.rank(), ", supported: up to 10");
  const Sampling sampling = sampling_of(node);
  dispatch_floating(op.input(1).dtype(), [&](auto grid_tag) {
    dispatch_dtype(src.dtype(), [&](auto tag) {
      sample<typename decltype(tag)::type, typename decltype(grid_tag)::type>(sampling, src, op.input(1), dst,
                                                                              op.parallel);
    });
  });
}

void run_affine_grid(const Node& node, OpContext& op) {
  define_outputs(node, op);
  Tensor& dst = op.output(0);
  const bool align_corners = node.attr<int64_t>("align_corners") != 0;
  const size_t rank = static_cast<size_t>(dst.rank()) - 2;
  const int64_t points = elems_between(dst.shape(), 1, rank + 1), row = static_cast<int64_t>(rank) + 1;
  dispatch_floating(dst.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* theta = op.input(0).data<T>();
    op.parallel.ranges(dst.dim(0) * points, 512, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        // x, y, (z,) 1: the innermost axis first
        std::array<double, 4> position = {};
        int64_t rest = p % points;
        for (size_t i = 0; i < rank; ++i) {
          const int64_t size = dst.shape()[rank - i];
          position[i] = normalized(rest % size, size, align_corners);
          rest /= size;
        }
        position[rank] = 1;
        const T* matrix = theta + p / points * static_cast<int64_t>(rank) * row;
        for (size_t i = 0; i < rank; ++i) {
          double sum = 0;
          for (size_t k = 0; k <= rank; ++k) {
            sum += static_cast<double>(matrix[static_cast<int64_t>(i) * row + static_cast<int64_t>(k)]) * position[k];
          }
          dst.data<T>()[p * static_cast<int64_t>(rank) + static_cast<int64_t>(i)] = static_cast<T>(sum);
        }
      }
    });
  });
}

}  // namespace neural_engine
