#include <algorithm>
#include <cmath>

#include "base/dtype.h"
#include "executor/ops/norm.h"
#include "executor/ops/strides.h"

namespace neural_engine {

namespace {

template <class T>
T rounded(double value) {
  return T(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(value));
}

// Element i of a floating-point tensor of any width.
double value_at(const Tensor& tensor, int64_t i) {
  return dispatch_floating(
      tensor.dtype(), [&](auto tag) { return static_cast<double>(tensor.data<typename decltype(tag)::type>()[i]); });
}

void store(Tensor* tensor, int64_t i, double value) {
  dispatch_floating(tensor->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    tensor->data<T>()[i] = rounded<T>(value);
  });
}

struct Moments {
  double mean = 0, variance = 0;
};

// Over `count` runs of `length` elements that lie `step` apart.
template <class T>
Moments moments_of(const T* x, int64_t count, int64_t step, int64_t length) {
  Moments result;
  const double total = static_cast<double>(count * length);
  for (int64_t run = 0; run < count; ++run) {
    for (int64_t i = 0; i < length; ++i) result.mean += static_cast<double>(x[run * step + i]);
  }
  result.mean /= total;
  for (int64_t run = 0; run < count; ++run) {
    for (int64_t i = 0; i < length; ++i) {
      const double centred = static_cast<double>(x[run * step + i]) - result.mean;
      result.variance += centred * centred;
    }
  }
  result.variance /= total;
  return result;
}

// x as [batch, channels, inner].
struct Planes {
  int64_t batch, channels, inner;
};
Planes planes_of(const Tensor& x) {
  const int64_t channels = x.rank() < 2 ? 1 : x.dim(1);
  return {x.rank() < 1 ? 1 : x.dim(0), channels, elems_between(x.shape(), 2, x.shape().size())};
}

// A window of channels around each, as ONNX defines it: size/2 (rounded down) before, the rest after.
template <class T>
void lrn(const Node& node, OpContext& context) {
  const Planes planes = planes_of(context.input(0));
  const int64_t size = node.attr<int64_t>("size");
  const double alpha = node.attr<float>("alpha"), beta = node.attr<float>("beta"), bias = node.attr<float>("bias");
  const T* x = context.input(0).data<T>();
  T* out = context.output(0).data<T>();
  context.parallel.ranges(planes.batch * planes.channels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const int64_t c = plane % planes.channels;
      const int64_t first = std::max<int64_t>(0, c - (size - 1) / 2);
      const int64_t last = std::min(planes.channels - 1, c + size / 2);
      for (int64_t i = 0; i < planes.inner; ++i) {
        double sum = 0;
        for (int64_t j = first; j <= last; ++j) {
          const double value = static_cast<double>(x[(plane - c + j) * planes.inner + i]);
          sum += value * value;
        }
        const int64_t at = plane * planes.inner + i;
        out[at] =
            rounded<T>(static_cast<double>(x[at]) / std::pow(bias + alpha / static_cast<double>(size) * sum, beta));
      }
    }
  });
}

template <class T>
void lp_norm(const Node& node, OpContext& context) {
  const Shape& shape = context.input(0).shape();
  const int64_t axis = node.attr<int64_t>("axis");
  const size_t at = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(shape.size()) : axis);
  const int64_t inner = elems_between(shape, at + 1, shape.size()), n = shape[at];
  const bool squares = node.attr<int64_t>("p") == 2;
  const T* x = context.input(0).data<T>();
  T* out = context.output(0).data<T>();
  context.parallel.ranges(elems_between(shape, 0, at) * inner, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t first = row / inner * n * inner + row % inner;
      double norm = 0;
      for (int64_t i = 0; i < n; ++i) {
        const double value = static_cast<double>(x[first + i * inner]);
        norm += squares ? value * value : std::fabs(value);
      }
      if (squares) norm = std::sqrt(norm);
      // A row of zeros stays one.
      if (norm == 0) norm = 1;
      for (int64_t i = 0; i < n; ++i) {
        out[first + i * inner] = rounded<T>(static_cast<double>(x[first + i * inner]) / norm);
      }
    }
  });
}

// (x - mean) / (deviation + 1e-9), as ONNX's function has it, over the given axes.
template <class T>
void mean_variance_norm(const Node& node, OpContext& context) {
  const Tensor& input = context.input(0);
  Shape groups = input.shape();
  for (const int64_t axis : node.attr<std::vector<int64_t>>("axes")) {
    groups[static_cast<size_t>(axis < 0 ? axis + input.rank() : axis)] = 1;
  }
  const std::vector<int64_t> strides = broadcast_strides(groups, input.shape());
  const size_t count = static_cast<size_t>(elems_between(groups, 0, groups.size()));
  std::vector<double> mean(count, 0.0), square(count, 0.0);
  const T* x = input.data<T>();
  const double size = static_cast<double>(input.elems()) / static_cast<double>(count);
  const auto group = [&](int64_t i) { return static_cast<size_t>(strided_offset(i, input.shape(), strides)); };
  for (int64_t i = 0; i < input.elems(); ++i) mean[group(i)] += static_cast<double>(x[i]) / size;
  for (int64_t i = 0; i < input.elems(); ++i) {
    const double centred = static_cast<double>(x[i]) - mean[group(i)];
    square[group(i)] += centred * centred / size;
  }
  T* out = context.output(0).data<T>();
  for (int64_t i = 0; i < input.elems(); ++i) {
    out[i] = rounded<T>((static_cast<double>(x[i]) - mean[group(i)]) / (std::sqrt(square[group(i)]) + 1e-9));
  }
}

// One affine map for each channel: out = x * factor + shift.
template <class T>
void apply_per_channel(OpContext& context, const std::vector<double>& factor, const std::vector<double>& shift) {
  const Planes planes = planes_of(context.input(0));
  const T* x = context.input(0).data<T>();
  T* out = context.output(0).data<T>();
  context.parallel.ranges(planes.batch * planes.channels, 4, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const size_t c = static_cast<size_t>(plane % planes.channels);
      for (int64_t i = plane * planes.inner; i < (plane + 1) * planes.inner; ++i) {
        out[i] = rounded<T>(static_cast<double>(x[i]) * factor[c] + shift[c]);
      }
    }
  });
}

template <class T>
void batch_norm(const Node& node, OpContext& context) {
  const Planes planes = planes_of(context.input(0));
  const bool training = node.attr<int64_t>("training_mode") != 0;
  const double epsilon = node.attr<float>("epsilon"), momentum = node.attr<float>("momentum");
  std::vector<double> factor(static_cast<size_t>(planes.channels)), shift(factor.size());
  for (int64_t c = 0; c < planes.channels; ++c) {
    Moments moments{value_at(context.input(3), c), value_at(context.input(4), c)};
    if (training) {
      const Moments running = moments;
      moments = moments_of(context.input(0).data<T>() + c * planes.inner, planes.batch, planes.channels * planes.inner,
                           planes.inner);
      const auto blend = [&](double old, double now) { return old * momentum + now * (1 - momentum); };
      if (context.wants_output(1)) store(&context.output(1), c, blend(running.mean, moments.mean));
      if (context.wants_output(2)) store(&context.output(2), c, blend(running.variance, moments.variance));
    }
    const size_t at = static_cast<size_t>(c);
    factor[at] = value_at(context.input(1), c) / std::sqrt(moments.variance + epsilon);
    shift[at] = value_at(context.input(2), c) - moments.mean * factor[at];
  }
  apply_per_channel<T>(context, factor, shift);
}

// Groups of channels of each batch; scale and bias of a channel, or of its group where they have one for each group.
template <class T>
void group_norm(OpContext& context, int64_t groups, double epsilon) {
  const Planes planes = planes_of(context.input(0));
  const int64_t members = planes.channels / groups, length = members * planes.inner;
  const int64_t scale_step = context.input(1).elems() == planes.channels ? 1 : members;
  const int64_t bias_step = context.input(2).elems() == planes.channels ? 1 : members;
  const T* x = context.input(0).data<T>();
  const T* scale = context.input(1).data<T>();
  const T* bias = context.input(2).data<T>();
  T* out = context.output(0).data<T>();
  context.parallel.ranges(planes.batch * groups, 1, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const Moments moments = moments_of(x + index * length, 1, 0, length);
      const double factor = 1.0 / std::sqrt(moments.variance + epsilon);
      for (int64_t i = 0; i < length; ++i) {
        const int64_t c = index % groups * members + i / planes.inner;
        const double normal = (static_cast<double>(x[index * length + i]) - moments.mean) * factor;
        out[index * length + i] =
            rounded<T>(normal * static_cast<double>(scale[c / scale_step]) + static_cast<double>(bias[c / bias_step]));
      }
    }
  });
}

template <class Body>
void for_dtype(OpContext& context, Body&& body) {
  if (context.output(0).elems() == 0) return;
  dispatch_floating(context.input(0).dtype(), body);
}

}  // namespace

void run_batch_norm(const Node& node, OpContext& context) {
  dispatch_floating(context.input(0).dtype(),
                    [&](auto tag) { batch_norm<typename decltype(tag)::type>(node, context); });
}

void run_instance_norm(const Node& node, OpContext& context) {
  for_dtype(context, [&](auto tag) {
    group_norm<typename decltype(tag)::type>(context, context.input(0).dim(1), node.attr<float>("epsilon"));
  });
}

void run_group_norm(const Node& node, OpContext& context) {
  for_dtype(context, [&](auto tag) {
    group_norm<typename decltype(tag)::type>(context, node.attr<int64_t>("num_groups"), node.attr<float>("epsilon"));
  });
}

void run_lrn(const Node& node, OpContext& context) {
  for_dtype(context, [&](auto tag) { lrn<typename decltype(tag)::type>(node, context); });
}

void run_lp_norm(const Node& node, OpContext& context) {
  for_dtype(context, [&](auto tag) { lp_norm<typename decltype(tag)::type>(node, context); });
}

void run_mean_variance_norm(const Node& node, OpContext& context) {
  for_dtype(context, [&](auto tag) { mean_variance_norm<typename decltype(tag)::type>(node, context); });
}

}  // namespace neural_engine
