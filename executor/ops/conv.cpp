// Convolution. f32: the windows of a block of output positions become the columns of a matrix (im2col), which the
// weight [M/g, C/g * taps] multiplies from the left through the kernel table:
//
//     out[M/g, block] = W[M/g, C/g * taps] x columns[C/g * taps, block] + bias
//
// A 1x1 window with stride 1 and no padding needs no columns: the image is the matrix. Channels that are convolved one
// by one (depthwise) and other dtypes run plain loops.
#include "executor/ops/conv.h"

#include <algorithm>
#include <cstring>

#include "executor/ops/kernel_choice.h"
#include "executor/ops/window_loop.h"

namespace neural_engine {

namespace {

struct ConvPlan {
  std::vector<WindowAxis> axes;
  int64_t batch = 0, groups = 1, in_channels = 0, out_channels = 0;  // channels of one group
  int64_t inputs = 0, outputs = 0, taps = 0;                         // positions of a plane, of a window
  bool has_bias = false;
  bool direct = false;  // the image serves as the matrix of columns
  int64_t block = 0;    // output positions at once
  std::shared_ptr<MatmulKernel> kernel;
  size_t work_offset = 0;
};

// Columns of this many bytes stay in the L2 cache while they are multiplied.
constexpr int64_t kColumnBytes = 512 * 1024;

ConvPlan plan_of(const BindContext& context) {
  ConvPlan plan;
  const Shape x = context.shape(0), w = context.shape(1);
  plan.axes = window_axes(context, 1);
  plan.batch = x[0];
  plan.groups = context.attr<int64_t>("group");
  plan.in_channels = w[1];
  plan.out_channels = w[0] / plan.groups;
  plan.inputs = inputs_of(plan.axes);
  plan.outputs = outputs_of(plan.axes);
  plan.taps = taps_of(plan.axes);
  plan.has_bias = context.has_input(2);
  plan.direct = std::all_of(plan.axes.begin(), plan.axes.end(), [](const WindowAxis& axis) {
    return axis.kernel == 1 && axis.stride == 1 && axis.begin == 0 && axis.end == 0;
  });
  return plan;
}

template <class T>
void run_loops(const ConvPlan& plan, OpContext& context) {
  const T* x = context.input(0).data<T>();
  const T* w = context.input(1).data<T>();
  const T* bias = plan.has_bias ? context.input(2).data<T>() : nullptr;
  T* out = context.output(0).data<T>();
  const int64_t planes = plan.groups * plan.out_channels;
  context.parallel.ranges(plan.batch * planes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const int64_t m = plane % planes;
      const T* image = x + (plane / planes * plan.groups + m / plan.out_channels) * plan.in_channels * plan.inputs;
      const T* weight = w + m * plan.in_channels * plan.taps;
      for (int64_t o = 0; o < plan.outputs; ++o) {
        double sum = bias ? static_cast<double>(bias[m]) : 0.0;
        for_each_tap(plan.axes, o, [&](int64_t tap, int64_t input) {
          for (int64_t c = 0; c < plan.in_channels; ++c) {
            sum +=
                static_cast<double>(image[c * plan.inputs + input]) * static_cast<double>(weight[c * plan.taps + tap]);
          }
        });
        out[plane * plan.outputs + o] = round_from_double<T>(sum);
      }
    }
  });
}

// One row of the columns: tap `tap` of a channel's plane at output positions [first, first + count). Along the last
// axis positions advance by one stride, so that only its ends can leave the image.
void fill_row(const ConvPlan& plan, const float* plane, int64_t tap, int64_t first, int64_t count, float* row) {
  const WindowAxis& last = plan.axes.back();
  const int64_t shift = tap % last.kernel * last.dilation - last.begin;
  for (int64_t done = 0; done < count;) {
    const int64_t line = (first + done) / last.out, from = (first + done) % last.out;
    const int64_t length = std::min(count - done, last.out - from);
    int64_t rest_out = line, rest_tap = tap / last.kernel, input = 0, step = last.in;
    bool inside = true;
    for (size_t d = plan.axes.size() - 1; d-- > 0;) {
      const WindowAxis& axis = plan.axes[d];
      const int64_t at = rest_out % axis.out * axis.stride - axis.begin + rest_tap % axis.kernel * axis.dilation;
      inside = inside && at >= 0 && at < axis.in;
      input += at * step;
      step *= axis.in;
      rest_out /= axis.out;
      rest_tap /= axis.kernel;
    }
    float* to = row + done;
    for (int64_t i = 0; i < length; ++i) {
      const int64_t at = (from + i) * last.stride + shift;
      to[i] = inside && at >= 0 && at < last.in ? plane[input + at] : 0.0f;
    }
    done += length;
  }
}

void run_block(const ConvPlan& plan, const float* image, const float* weight, const float* bias, float* out,
               int64_t first, int64_t count, OpContext& context) {
  const int64_t rows = plan.in_channels * plan.taps;
  float* columns = reinterpret_cast<float*>(context.scratch);
  if (!plan.direct) {
    context.parallel.ranges(rows, 8, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        fill_row(plan, image + row / plan.taps * plan.inputs, row % plan.taps, first, count, columns + row * count);
      }
    });
  }
  const EpilogueOperand operand{.data = bias};
  MatmulArgs args{.m = plan.out_channels,
                  .n = count,
                  .k = rows,
                  .a = weight,
                  .lda = rows,
                  .b = plan.direct ? image + first : columns,
                  .ldb = plan.direct ? plan.inputs : count,
                  .c = out + first,
                  .ldc = plan.outputs,
                  .scratch = context.scratch + plan.work_offset};
  if (bias) args.operands = {&operand, 1};
  plan.kernel->run(args, context.parallel);
}

void run_columns(const ConvPlan& plan, OpContext& context) {
  const float* x = context.input(0).data<float>();
  const float* w = context.input(1).data<float>();
  const float* bias = plan.has_bias ? context.input(2).data<float>() : nullptr;
  float* out = context.output(0).data<float>();
  for (int64_t index = 0; index < plan.batch * plan.groups; ++index) {
    const int64_t group = index % plan.groups;
    for (int64_t first = 0; first < plan.outputs; first += plan.block) {
      run_block(plan, x + index * plan.in_channels * plan.inputs,
                w + group * plan.out_channels * plan.in_channels * plan.taps,
                bias ? bias + group * plan.out_channels : nullptr, out + index * plan.out_channels * plan.outputs,
                first, std::min(plan.block, plan.outputs - first), context);
    }
  }
}

BoundOp bind_columns(const BindContext& context, ConvPlan plan) {
  const int64_t rows = plan.in_channels * plan.taps;
  const int64_t bytes = rows * int64_t{sizeof(float)};
  plan.block = plan.direct ? plan.outputs : std::clamp<int64_t>(kColumnBytes / bytes, 64, plan.outputs + 63);
  plan.block = std::min(plan.block, plan.outputs);
  MatmulDesc desc{.m = plan.out_channels, .k = rows, .b_constant = false};
  if (plan.outputs % plan.block == 0) desc.n = plan.block;
  if (plan.has_bias) desc.epilogue = {binary(BinaryOp::kAdd, Spread::kColumn)};
  BoundOp bound;
  plan.kernel = choose_kernel(desc, &bound);
  if (!plan.direct) plan.work_offset = static_cast<size_t>(round_up(bytes * plan.block, kScratchAlignment));
  const MatmulArgs shape{
      .m = plan.out_channels, .n = plan.block, .k = rows, .lda = rows, .ldb = plan.block, .ldc = plan.outputs};
  bound.scratch_bytes = plan.work_offset + static_cast<size_t>(plan.kernel->scratch_bytes(shape, context.threads));
  bound.run = [plan](OpContext& op) { run_columns(plan, op); };
  return bound;
}

}  // namespace

BoundOp bind_conv_plan(const BindContext& context, const ConvPlan& plan) {
  const bool empty = plan.batch == 0 || plan.outputs == 0 || plan.out_channels == 0 || plan.in_channels == 0;
  const bool depthwise = plan.in_channels == 1 && plan.out_channels == 1;
  if (context.dtype(0) == DType::kF32 && !empty && !depthwise) return bind_columns(context, plan);
  return {.run = [plan](OpContext& op) {
    dispatch_floating(op.input(0).dtype(), [&](auto tag) { run_loops<typename decltype(tag)::type>(plan, op); });
  }};
}

BoundOp bind_conv(const BindContext& context) {
  const ConvPlan plan = plan_of(context);
  BoundOp bound = bind_conv_plan(context, plan);
  bound.operations = 2.0 * static_cast<double>(plan.batch * plan.groups * plan.out_channels * plan.outputs) *
                     static_cast<double>(plan.in_channels * plan.taps);
  return bound;
}

std::span<const OpBinding> conv_bindings() {
  static constexpr OpBinding kBindings[] = {{"Conv", bind_conv},
                                            {"ConvTranspose", bind_conv_transpose},
                                            {"DeformConv", bind_deform_conv},
                                            {"MaxPool", bind_max_pool},
                                            {"AveragePool", bind_average_pool},
                                            {"LpPool", bind_lp_pool},
                                            {"GlobalAveragePool", bind_simple<run_global_average_pool>},
                                            {"GlobalMaxPool", bind_simple<run_global_max_pool>},
                                            {"GlobalLpPool", bind_simple<run_global_lp_pool>}};
  return kBindings;
}

}  // namespace neural_engine
