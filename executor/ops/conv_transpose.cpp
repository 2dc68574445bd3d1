#include "executor/ops/conv.h"
#include "executor/ops/window_loop.h"

namespace neural_engine {

namespace {

struct Plan {
  std::vector<WindowAxis> axes;                                      // `in` of the image, `out` of the result
  int64_t batch = 0, groups = 1, in_channels = 0, out_channels = 0;  // channels of one group
  int64_t inputs = 0, outputs = 0, taps = 0;
};

// Calls body(tap, input) for each input position that the tap spreads to output position `out`.
template <class Body>
void for_each_source(const std::vector<WindowAxis>& axes, int64_t out, int64_t taps, Body&& body) {
  for (int64_t tap = 0; tap < taps; ++tap) {
    int64_t rest_out = out, rest_tap = tap, input = 0, step = 1;
    bool hit = true;
    for (size_t d = axes.size(); d-- > 0;) {
      const WindowAxis& axis = axes[d];
      const int64_t at = rest_out % axis.out + axis.begin - rest_tap % axis.kernel * axis.dilation;
      hit = hit && at >= 0 && at % axis.stride == 0 && at / axis.stride < axis.in;
      input += at / axis.stride * step;
      step *= axis.in;
      rest_out /= axis.out;
      rest_tap /= axis.kernel;
    }
    if (hit) body(tap, input);
  }
}

template <class T>
void run(const Plan& plan, OpContext& context) {
  const T* x = context.input(0).data<T>();
  const T* w = context.input(1).data<T>();
  const T* bias = context.has_input(2) ? context.input(2).data<T>() : nullptr;
  T* out = context.output(0).data<T>();
  const int64_t planes = plan.groups * plan.out_channels;
  context.parallel.ranges(plan.batch * planes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const int64_t m = plane % planes, group = m / plan.out_channels;
      const T* image = x + (plane / planes * plan.groups + group) * plan.in_channels * plan.inputs;
      // The weight is [C, M/g, taps].
      const T* weight = w + (group * plan.in_channels * plan.out_channels + m % plan.out_channels) * plan.taps;
      for (int64_t o = 0; o < plan.outputs; ++o) {
        double sum = bias ? static_cast<double>(bias[m]) : 0.0;
        for_each_source(plan.axes, o, plan.taps, [&](int64_t tap, int64_t input) {
          for (int64_t c = 0; c < plan.in_channels; ++c) {
            sum += static_cast<double>(image[c * plan.inputs + input]) *
                   static_cast<double>(weight[c * plan.out_channels * plan.taps + tap]);
          }
        });
        out[plane * plan.outputs + o] = round_from_double<T>(sum);
      }
    }
  });
}

}  // namespace

BoundOp bind_conv_transpose(const BindContext& context) {
  Plan plan;
  const Shape x = context.shape(0), w = context.shape(1);
  const SymShape kernel = symbolic({w.begin() + 2, w.end()});
  const Window window(context.node().attrs, x.size() - 2, kernel);
  for (size_t i = 0; i < window.axes(); ++i) plan.axes.push_back(window.resolve_transposed(i, x[i + 2]));
  plan.batch = x[0];
  plan.groups = context.attr<int64_t>("group");
  plan.in_channels = w[0] / plan.groups;
  plan.out_channels = w[1];
  plan.inputs = inputs_of(plan.axes);
  plan.outputs = outputs_of(plan.axes);
  plan.taps = taps_of(plan.axes);
  return {.run = [plan](OpContext& op) {
    dispatch_floating(op.input(0).dtype(), [&](auto tag) { run<typename decltype(tag)::type>(plan, op); });
  }};
}

}  // namespace neural_engine
