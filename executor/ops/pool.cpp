#include <algorithm>
#include <cmath>
#include <limits>

#include "executor/ops/conv.h"
#include "executor/ops/strides.h"
#include "executor/ops/window_loop.h"

namespace neural_engine {

namespace {

// Calls body(plane, output position) for every element of the output, planes shared out.
template <class Body>
void for_each_output(OpContext& context, int64_t outputs, Body&& body) {
  if (outputs == 0) return;
  context.parallel.ranges(context.output(0).elems() / outputs, 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      for (int64_t o = 0; o < outputs; ++o) body(plane, o);
    }
  });
}

// The position in a plane counted column by column: the first spatial axis fastest.
int64_t column_major(int64_t position, const std::vector<WindowAxis>& axes) {
  int64_t result = 0, step = inputs_of(axes);
  for (size_t d = axes.size(); d-- > 0; position /= axes[d].in) {
    step /= axes[d].in;
    result += position % axes[d].in * step;
  }
  return result;
}

template <class T>
void max_pool(const std::vector<WindowAxis>& axes, bool columns_first, OpContext& context) {
  const T* x = context.input(0).data<T>();
  T* out = context.output(0).data<T>();
  int64_t* indices = context.wants_output(1) ? context.output(1).data<int64_t>() : nullptr;
  const int64_t inputs = inputs_of(axes), outputs = outputs_of(axes);
  T lowest{};
  if constexpr (std::is_integral_v<T>) {
    lowest = std::numeric_limits<T>::lowest();
  } else {
    lowest = T(-std::numeric_limits<float>::infinity());
  }
  for_each_output(context, outputs, [&](int64_t plane, int64_t o) {
    T best = lowest;
    int64_t at = -1;
    for_each_tap(axes, o, [&](int64_t, int64_t input) {
      const T value = x[plane * inputs + input];
      // The first of equal ones; a NaN wins and stays.
      if (at < 0 || value > best || value != value) {
        best = value;
        at = input;
      }
    });
    out[plane * outputs + o] = best;
    if (indices) {
      indices[plane * outputs + o] =
          plane * inputs + (columns_first ? column_major(std::max<int64_t>(at, 0), axes) : std::max<int64_t>(at, 0));
    }
  });
}

// Taps of the window at output position `out` that lie in the image or its padding: ceil_mode lets the last window
// reach beyond, which does not count.
int64_t padded_taps(const std::vector<WindowAxis>& axes, int64_t out) {
  int64_t count = 1;
  for (size_t d = axes.size(); d-- > 0; out /= axes[d].out) {
    const WindowAxis& axis = axes[d];
    const int64_t room = axis.in + axis.end - (out % axis.out * axis.stride - axis.begin);
    count *= std::min(axis.kernel, (room + axis.dilation - 1) / axis.dilation);
  }
  return count;
}

template <class T>
void average_pool(const std::vector<WindowAxis>& axes, bool count_padding, OpContext& context) {
  const T* x = context.input(0).data<T>();
  T* out = context.output(0).data<T>();
  const int64_t inputs = inputs_of(axes), outputs = outputs_of(axes);
  for_each_output(context, outputs, [&](int64_t plane, int64_t o) {
    double sum = 0;
    int64_t count = 0;
    for_each_tap(axes, o, [&](int64_t, int64_t input) {
      sum += static_cast<double>(x[plane * inputs + input]);
      ++count;
    });
    if (count_padding) count = padded_taps(axes, o);
    out[plane * outputs + o] = round_from_double<T>(sum / static_cast<double>(count));
  });
}

class PowerSum {
 public:
  explicit PowerSum(int64_t p) : p_(p) {}
  void add(double value) { sum_ += p_ == 2 ? value * value : p_ == 1 ? std::fabs(value) : power(std::fabs(value)); }
  double root() const {
    return p_ == 2 ? std::sqrt(sum_) : p_ == 1 ? sum_ : std::pow(sum_, 1.0 / static_cast<double>(p_));
  }

 private:
  double power(double value) const { return std::pow(value, static_cast<double>(p_)); }
  int64_t p_;
  double sum_ = 0;
};

template <class T>
void lp_pool(const std::vector<WindowAxis>& axes, int64_t p, OpContext& context) {
  const T* x = context.input(0).data<T>();
  T* out = context.output(0).data<T>();
  const int64_t inputs = inputs_of(axes), outputs = outputs_of(axes);
  for_each_output(context, outputs, [&](int64_t plane, int64_t o) {
    PowerSum sum(p);
    for_each_tap(axes, o, [&](int64_t, int64_t input) { sum.add(static_cast<double>(x[plane * inputs + input])); });
    out[plane * outputs + o] = round_from_double<T>(sum.root());
  });
}

// result(values, count): of one plane.
template <class Result>
void reduce_planes(OpContext& context, Result&& result) {
  const Tensor& x = context.input(0);
  const int64_t inner = elems_between(x.shape(), 2, x.shape().size());
  dispatch_floating(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* values = x.data<T>();
    T* out = context.output(0).data<T>();
    context.parallel.ranges(context.output(0).elems(), 4, [&](int64_t begin, int64_t end) {
      for (int64_t plane = begin; plane < end; ++plane) {
        out[plane] = round_from_double<T>(result(values + plane * inner, inner));
      }
    });
  });
}

}  // namespace

BoundOp bind_max_pool(const BindContext& context) {
  const bool columns_first = context.attr<int64_t>("storage_order") == 1;
  return {.run = [axes = window_axes(context), columns_first](OpContext& op) {
    switch (op.input(0).dtype()) {
      case DType::kS8: return max_pool<int8_t>(axes, columns_first, op);
      case DType::kU8: return max_pool<uint8_t>(axes, columns_first, op);
      default:
        dispatch_floating(op.input(0).dtype(),
                          [&](auto tag) { max_pool<typename decltype(tag)::type>(axes, columns_first, op); });
    }
  }};
}

BoundOp bind_average_pool(const BindContext& context) {
  const bool count_padding = context.attr<int64_t>("count_include_pad") != 0;
  return {.run = [axes = window_axes(context), count_padding](OpContext& op) {
    dispatch_floating(op.input(0).dtype(),
                      [&](auto tag) { average_pool<typename decltype(tag)::type>(axes, count_padding, op); });
  }};
}

BoundOp bind_lp_pool(const BindContext& context) {
  return {.run = [axes = window_axes(context), p = context.attr<int64_t>("p")](OpContext& op) {
    dispatch_floating(op.input(0).dtype(), [&](auto tag) { lp_pool<typename decltype(tag)::type>(axes, p, op); });
  }};
}

void run_global_average_pool(const Node&, OpContext& context) {
  reduce_planes(context, [](const auto* values, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]);
    return sum / static_cast<double>(count);
  });
}

void run_global_max_pool(const Node&, OpContext& context) {
  reduce_planes(context, [](const auto* values, int64_t count) {
    double max = -HUGE_VAL;
    for (int64_t i = 0; i < count; ++i) {
      const double value = static_cast<double>(values[i]);
      if (value > max || std::isnan(value)) max = value;
    }
    return max;
  });
}

void run_global_lp_pool(const Node& node, OpContext& context) {
  const int64_t p = node.attr<int64_t>("p");
  reduce_planes(context, [p](const auto* values, int64_t count) {
    PowerSum sum(p);
    for (int64_t i = 0; i < count; ++i) sum.add(static_cast<double>(values[i]));
    return sum.root();
  });
}

}  // namespace neural_engine
