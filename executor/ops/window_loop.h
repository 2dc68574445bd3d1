// Loops over the positions of sliding windows, of any number of spatial axes.
#pragma once

#include <vector>

#include "base/dtype.h"
#include "executor/op_binding.h"
#include "ops/window.h"

namespace neural_engine {

inline int64_t outputs_of(const std::vector<WindowAxis>& axes) {
  int64_t count = 1;
  for (const WindowAxis& axis : axes) count *= axis.out;
  return count;
}
inline int64_t inputs_of(const std::vector<WindowAxis>& axes) {
  int64_t count = 1;
  for (const WindowAxis& axis : axes) count *= axis.in;
  return count;
}
inline int64_t taps_of(const std::vector<WindowAxis>& axes) {
  int64_t count = 1;
  for (const WindowAxis& axis : axes) count *= axis.kernel;
  return count;
}

inline std::vector<WindowAxis> window_axes(const BindContext& context, int weight = -1) {
  const Shape image = context.shape(0);
  SymShape kernel;
  if (weight >= 0) {
    const SymShape shape = symbolic(context.shape(weight));
    kernel.assign(shape.begin() + 2, shape.end());
  }
  return resolve_axes(Window(context.node().attrs, image.size() - 2, kernel), image);
}

// Calls body(tap, input) for each tap of the window at output position `out` (a row-major index) that lies in the
// image; both are row-major indices. Taps come in order.
template <class Body>
void for_each_tap(const std::vector<WindowAxis>& axes, int64_t out, Body&& body) {
  int64_t first[kMaxWindowAxes];
  for (size_t d = axes.size(); d-- > 0; out /= axes[d].out) {
    first[d] = out % axes[d].out * axes[d].stride - axes[d].begin;
  }
  const int64_t taps = taps_of(axes);
  for (int64_t tap = 0; tap < taps; ++tap) {
    int64_t rest = tap, input = 0, step = 1;
    bool inside = true;
    for (size_t d = axes.size(); d-- > 0; rest /= axes[d].kernel) {
      const int64_t at = first[d] + rest % axes[d].kernel * axes[d].dilation;
      inside = inside && at >= 0 && at < axes[d].in;
      input += at * step;
      step *= axes[d].in;
    }
    if (inside) body(tap, input);
  }
}

template <class T>
T round_from_double(double value) {
  return T(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(value));
}

}  // namespace neural_engine
