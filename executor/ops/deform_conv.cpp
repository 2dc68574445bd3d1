#include <cmath>

#include "executor/ops/conv.h"
#include "executor/ops/window_loop.h"

namespace neural_engine {

namespace {

struct Plan {
  WindowAxis rows, columns;
  int64_t batch = 0, groups = 1, in_channels = 0, out_channels = 0;  // channels of one group
  int64_t offset_groups = 1;
};

// Bilinear, zero outside the image.
template <class T>
double sample(const T* plane, int64_t height, int64_t width, double y, double x) {
  // Also keeps the conversion to integers defined.
  if (!(y > -1 && y < static_cast<double>(height) && x > -1 && x < static_cast<double>(width))) return 0;
  const double top = std::floor(y), left = std::floor(x);
  const int64_t row = static_cast<int64_t>(top), column = static_cast<int64_t>(left);
  const auto at = [&](int64_t i, int64_t j) {
    return i < 0 || i >= height || j < 0 || j >= width ? 0.0 : static_cast<double>(plane[i * width + j]);
  };
  const double down = y - top, right = x - left;
  return (1 - down) * ((1 - right) * at(row, column) + right * at(row, column + 1)) +
         down * ((1 - right) * at(row + 1, column) + right * at(row + 1, column + 1));
}

// The operands of one run: offset is [N, offset_groups, taps, 2, out], mask [N, offset_groups, taps, out].
template <class T>
struct Operands {
  const T *x, *w, *offset, *bias, *mask;
};

// One output element: image `n`, output channel `m`, position (i, j).
template <class T>
double convolve(const Plan& plan, const Operands<T>& operands, int64_t n, int64_t m, int64_t i, int64_t j) {
  const WindowAxis &rows = plan.rows, &columns = plan.columns;
  const int64_t taps = rows.kernel * columns.kernel, outputs = rows.out * columns.out, position = i * columns.out + j;
  const int64_t channels = plan.groups * plan.in_channels, plane = rows.in * columns.in;
  double sum = operands.bias ? static_cast<double>(operands.bias[m]) : 0.0;
  for (int64_t c = 0; c < plan.in_channels; ++c) {
    const int64_t channel = m / plan.out_channels * plan.in_channels + c;
    const int64_t samples = (n * plan.offset_groups + channel / (channels / plan.offset_groups)) * taps;
    for (int64_t tap = 0; tap < taps; ++tap) {
      const int64_t at = (samples + tap) * 2 * outputs + position;
      const double y = static_cast<double>(i * rows.stride - rows.begin + tap / columns.kernel * rows.dilation) +
                       static_cast<double>(operands.offset[at]);
      const double x =
          static_cast<double>(j * columns.stride - columns.begin + tap % columns.kernel * columns.dilation) +
          static_cast<double>(operands.offset[at + outputs]);
      double value = sample(operands.x + (n * channels + channel) * plane, rows.in, columns.in, y, x) *
                     static_cast<double>(operands.w[(m * plan.in_channels + c) * taps + tap]);
      if (operands.mask) value *= static_cast<double>(operands.mask[(samples + tap) * outputs + position]);
      sum += value;
    }
  }
  return sum;
}

template <class T>
void run(const Plan& plan, OpContext& context) {
  const auto data = [&](int i) { return context.has_input(i) ? context.input(i).data<T>() : nullptr; };
  const Operands<T> operands{data(0), data(1), data(2), data(3), data(4)};
  T* out = context.output(0).data<T>();
  const int64_t planes = plan.groups * plan.out_channels;
  context.parallel.ranges(plan.batch * planes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      for (int64_t i = 0; i < plan.rows.out; ++i) {
        for (int64_t j = 0; j < plan.columns.out; ++j) {
          out[(plane * plan.rows.out + i) * plan.columns.out + j] =
              round_from_double<T>(convolve(plan, operands, plane / planes, plane % planes, i, j));
        }
      }
    }
  });
}

}  // namespace

BoundOp bind_deform_conv(const BindContext& context) {
  const Shape x = context.shape(0), w = context.shape(1);
  const std::vector<WindowAxis> axes = window_axes(context, 1);
  Plan plan{.rows = axes[0], .columns = axes[1]};
  plan.batch = x[0];
  plan.groups = context.attr<int64_t>("group");
  plan.offset_groups = context.attr<int64_t>("offset_group");
  plan.in_channels = w[1];
  plan.out_channels = w[0] / plan.groups;
  return {.run = [plan](OpContext& op) {
    dispatch_floating(op.input(0).dtype(), [&](auto tag) { run<typename decltype(tag)::type>(plan, op); });
  }};
}

}  // namespace neural_engine
