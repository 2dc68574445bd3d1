// Convolutions of quantized images, exact in int32. What the padding holds is the image's zero point: it adds nothing.
#include <algorithm>
#include <cmath>

#include "executor/ops/convert.h"
#include "executor/ops/quantize_value.h"
#include "executor/ops/window_loop.h"

namespace neural_engine {

namespace {

// Operands of the node, which are at other places in the two ops.
struct Operands {
  int x, x_zero, w, w_zero;
};
constexpr Operands kConvInteger{0, 2, 1, 3};
constexpr Operands kQLinearConv{0, 2, 3, 5};

struct Geometry {
  std::vector<WindowAxis> axes;
  int64_t inputs = 0, outputs = 0, taps = 0;  // elements of a plane of the image, of the result, of the weight
  int64_t batch = 0, channels = 0;            // of the result
  int64_t depth = 0, groups = 0;              // channels of the image per group
};

Geometry geometry_of(const BindContext& context, const Operands& operands) {
  Geometry geometry;
  const Shape x = context.shape(operands.x), w = context.shape(operands.w);
  geometry.axes = window_axes(context, operands.w);
  geometry.inputs = inputs_of(geometry.axes);
  geometry.outputs = outputs_of(geometry.axes);
  geometry.taps = taps_of(geometry.axes);
  geometry.batch = x[0];
  geometry.channels = w[0];
  geometry.depth = w[1];
  geometry.groups = context.attr<int64_t>("group");
  return geometry;
}

// Element i of an operand, or its only one; 0 where it is absent.
int64_t parameter(const OpContext& context, int input, int64_t i) {
  if (!context.has_input(input)) return 0;
  const Tensor& tensor = context.input(input);
  int64_t value = 0;
  load(tensor.dtype(), tensor.raw(), tensor.elems() == 1 ? 0 : i, 1, &value);
  return value;
}

// The row of the image that a tap of the kernel's outer axes sees from a line of the result; -1 in the padding.
int64_t input_row(const Geometry& geometry, int64_t line, int64_t tap) {
  int64_t row = 0, step = 1;
  for (size_t d = geometry.axes.size() - 1; d-- > 0;) {
    const WindowAxis& axis = geometry.axes[d];
    const int64_t at = line % axis.out * axis.stride - axis.begin + tap % axis.kernel * axis.dilation;
    if (at < 0 || at >= axis.in) return -1;
    row += at * step;
    step *= axis.in;
    line /= axis.out;
    tap /= axis.kernel;
  }
  return row;
}

// One weight times one plane of the image, moved by the tap's place, added to a plane of sums.
template <class T>
void add_tap(const Geometry& geometry, const T* plane, int64_t tap, int32_t weight, int32_t zero, int32_t* sums) {
  const WindowAxis& last = geometry.axes.back();
  const int64_t shift = tap % last.kernel * last.dilation - last.begin;
  // Columns of the result whose element lies in the image.
  const int64_t first = shift >= 0 ? 0 : (-shift + last.stride - 1) / last.stride;
  const int64_t end = shift >= last.in ? 0 : std::min(last.out, (last.in - shift + last.stride - 1) / last.stride);
  const int64_t lines = last.out == 0 ? 0 : geometry.outputs / last.out;
  for (int64_t line = 0; line < lines; ++line) {
    const int64_t row = input_row(geometry, line, tap / last.kernel);
    if (row < 0) continue;
    const T* src = plane + row * last.in;
    int32_t* dst = sums + line * last.out;
    for (int64_t column = first; column < end; ++column) {
      const int32_t product = weight * (int32_t{src[column * last.stride + shift]} - zero);  // at most 255 * 255
      dst[column] = static_cast<int32_t>(static_cast<uint32_t>(dst[column]) + static_cast<uint32_t>(product));
    }
  }
}

// The sums of plane `plane` of all batch * channels planes of the result, starting from `bias`.
template <class T>
void convolve(const OpContext& context, const Geometry& geometry, const Operands& operands, int64_t plane, int32_t bias,
              int32_t* sums) {
  const int64_t channel = plane % geometry.channels, image = plane / geometry.channels;
  const int64_t group = channel / (geometry.channels / geometry.groups);
  const T* x =
      context.input(operands.x).data<T>() + (image * geometry.groups + group) * geometry.depth * geometry.inputs;
  const Tensor& w = context.input(operands.w);
  const auto x_zero = static_cast<int32_t>(parameter(context, operands.x_zero, 0));
  const int64_t w_zero = parameter(context, operands.w_zero, channel);
  std::fill(sums, sums + geometry.outputs, bias);
  for (int64_t c = 0; c < geometry.depth; ++c) {
    for (int64_t tap = 0; tap < geometry.taps; ++tap) {
      int64_t weight = 0;
      load(w.dtype(), w.raw(), (channel * geometry.depth + c) * geometry.taps + tap, 1, &weight);
      add_tap(geometry, x + c * geometry.inputs, tap, static_cast<int32_t>(weight - w_zero), x_zero, sums);
    }
  }
}

void convolve(const OpContext& context, const Geometry& geometry, const Operands& operands, int64_t plane, int32_t bias,
              int32_t* sums) {
  if (context.input(operands.x).dtype() == DType::kS8) {
    convolve<int8_t>(context, geometry, operands, plane, bias, sums);
  } else {
    convolve<uint8_t>(context, geometry, operands, plane, bias, sums);
  }
}

BoundOp bind_conv_integer(const BindContext& context) {
  return {.run = [geometry = geometry_of(context, kConvInteger)](OpContext& op) {
    int32_t* y = op.output(0).data<int32_t>();
    op.parallel.run(geometry.batch * geometry.channels, [&](int64_t plane, int) {
      convolve(op, geometry, kConvInteger, plane, 0, y + plane * geometry.outputs);
    });
  }};
}

// Scale i, or the only one, which must be one to divide by.
float scale_of(const OpContext& context, int input, int64_t i) {
  const Tensor& tensor = context.input(input);
  return tensor.data<float>()[tensor.elems() == 1 ? 0 : i];
}
void check_scales(const OpContext& context, int input) {
  for (int64_t i = 0; i < context.input(input).elems(); ++i) {
    const float scale = scale_of(context, input, i);
    require(std::isfinite(scale) && scale != 0.0f, Code::kInvalidData, "input ", input, " holds the scale ", scale,
            ", expected a finite number other than 0");
  }
}

BoundOp bind_qlinear_conv(const BindContext& context) {
  BoundOp bound;
  const Geometry geometry = geometry_of(context, kQLinearConv);
  bound.scratch_bytes = static_cast<size_t>(geometry.outputs) * sizeof(int32_t) * static_cast<size_t>(context.threads);
  bound.run = [geometry](OpContext& op) {
    for (int input : {1, 4, 6}) check_scales(op, input);
    Tensor& y = op.output(0);
    const IntRange range = int_range(y.dtype());
    const auto zero = static_cast<int32_t>(parameter(op, 7, 0));
    auto* memory = reinterpret_cast<int32_t*>(op.scratch);
    op.parallel.run(geometry.batch * geometry.channels, [&](int64_t plane, int worker) {
      const int64_t channel = plane % geometry.channels;
      int32_t* sums = memory + worker * geometry.outputs;
      const int32_t bias = op.has_input(8) ? op.input(8).data<int32_t>()[channel] : 0;
      convolve(op, geometry, kQLinearConv, plane, bias, sums);
      const float multiplier = scale_of(op, 1, 0) * scale_of(op, 4, channel) / scale_of(op, 6, 0);
      for (int64_t i = 0; i < geometry.outputs; ++i) {
        const int64_t value = quantize_value(static_cast<float>(sums[i]) * multiplier, zero, range);
        store(y.dtype(), &value, 1, y.raw(), plane * geometry.outputs + i);
      }
    });
  };
  return bound;
}

}  // namespace

std::span<const OpBinding> integer_conv_bindings() {
  static constexpr OpBinding kBindings[] = {
      {"ConvInteger", bind_conv_integer},
      {"QLinearConv", bind_qlinear_conv},
  };
  return kBindings;
}

}  // namespace neural_engine
