#include "executor/ops/norm.h"

#include <cmath>

#include "base/dtype.h"
#include "executor/ops/kernel_choice.h"
#include "executor/ops/strides.h"

namespace neural_engine {

namespace {

// Rows of n elements: the dimensions from the axis on.
struct Rows {
  int64_t count = 0, n = 0;
};

Rows rows_of(const Shape& shape, int64_t axis) {
  const size_t at = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(shape.size()) : axis);
  return {elems_between(shape, 0, at), elems_between(shape, at, shape.size())};
}

// Scale or bias of one row, whatever the row: its shape is that of the normalised dimensions, ones in front aside.
bool is_one_row(const Shape& operand, const Shape& x, int64_t n) {
  if (elems_between(operand, 0, operand.size()) != n || operand.size() > x.size()) return false;
  int64_t trailing = 1;
  for (size_t d = operand.size(), at = x.size(); d-- > 0 && trailing < n;) {
    if (operand[d] != x[--at]) return false;
    trailing *= operand[d];
  }
  return trailing == n;
}

template <class T>
T rounded(double value) {
  return T(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(value));
}

struct LoopNorm {
  bool rms;
  double epsilon;
  Rows rows;
  Shape shape;
  bool scale_is_row = false, bias_is_row = false;
  std::vector<int64_t> scale_strides, bias_strides;  // over the whole shape, read when they are no rows

  // Where element i of x finds its scale and its bias.
  int64_t scale_at(int64_t i) const { return scale_is_row ? i % rows.n : strided_offset(i, shape, scale_strides); }
  int64_t bias_at(int64_t i) const { return bias_is_row ? i % rows.n : strided_offset(i, shape, bias_strides); }
};

// T: of x; Scale: of scale, bias and result. In double, rounded once.
template <class T, class Scale>
void normalise_rows(const LoopNorm& norm, OpContext& context) {
  const T* x = context.input(0).data<T>();
  const Scale* scale = context.input(1).data<Scale>();
  const Scale* bias = context.has_input(2) ? context.input(2).data<Scale>() : nullptr;
  Scale* out = context.output(0).data<Scale>();
  const int64_t n = norm.rows.n;
  context.parallel.ranges(norm.rows.count, 4, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      double mean = 0, square = 0;
      for (int64_t i = 0; i < n && !norm.rms; ++i) mean += static_cast<double>(x[row * n + i]);
      mean /= static_cast<double>(n);
      for (int64_t i = 0; i < n; ++i) {
        const double centred = static_cast<double>(x[row * n + i]) - mean;
        square += centred * centred;
      }
      const double factor = 1.0 / std::sqrt(square / static_cast<double>(n) + norm.epsilon);
      for (int64_t i = row * n; i < (row + 1) * n; ++i) {
        double value = (static_cast<double>(x[i]) - mean) * factor;
        value *= static_cast<double>(scale[norm.scale_at(i)]);
        if (bias) value += static_cast<double>(bias[norm.bias_at(i)]);
        out[i] = rounded<Scale>(value);
      }
      if (context.wants_output(1)) context.output(1).data<float>()[row] = static_cast<float>(mean);
      if (context.wants_output(2)) context.output(2).data<float>()[row] = static_cast<float>(factor);
    }
  });
}

BoundOp bind_loops(const BindContext& context, bool rms, const Rows& rows) {
  const Shape shape = context.shape(0);
  LoopNorm norm{.rms = rms,
                .epsilon = context.attr<float>("epsilon"),
                .rows = rows,
                .shape = shape,
                .scale_is_row = is_one_row(context.shape(1), shape, rows.n),
                .scale_strides = broadcast_strides(context.shape(1), shape),
                .bias_strides = {}};
  if (context.has_input(2)) {
    norm.bias_is_row = is_one_row(context.shape(2), shape, rows.n);
    norm.bias_strides = broadcast_strides(context.shape(2), shape);
  }
  return {.run = [norm](OpContext& op) {
    dispatch_floating(op.input(0).dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      dispatch_floating(op.input(1).dtype(),
                        [&](auto scale_tag) { normalise_rows<T, typename decltype(scale_tag)::type>(norm, op); });
    });
  }};
}

BoundOp bind_row_norm(const BindContext& context, NormDesc::Kind kind) {
  const Shape shape = context.shape(0);
  const Rows rows = rows_of(shape, context.attr<int64_t>("axis"));
  const bool has_bias = context.has_input(2);
  const bool plain = context.dtype(0) == DType::kF32 && context.dtype(1) == DType::kF32 && rows.n > 0 &&
                     !context.wants_output(1) && !context.wants_output(2) &&
                     is_one_row(context.shape(1), shape, rows.n) &&
                     (!has_bias || is_one_row(context.shape(2), shape, rows.n));
  if (!plain) return bind_loops(context, kind == NormDesc::Kind::kRms, rows);
  BoundOp bound;
  const auto kernel = choose_kernel(NormDesc{.kind = kind,
                                             .n = rows.n,
                                             .epsilon = context.attr<float>("epsilon"),
                                             .has_beta = has_bias,
                                             .rows = rows.count},
                                    &bound);
  bound.run = [kernel, rows, has_bias](OpContext& op) {
    kernel->run({.rows = rows.count,
                 .x = op.input(0).raw(),
                 .ldx = rows.n,
                 .gamma = op.input(1).raw(),
                 .beta = has_bias ? op.input(2).raw() : nullptr,
                 .out = op.output(0).raw(),
                 .ld_out = rows.n},
                op.parallel);
  };
  return bound;
}

BoundOp bind_layer_norm(const BindContext& context) { return bind_row_norm(context, NormDesc::Kind::kLayer); }
BoundOp bind_rms_norm(const BindContext& context) { return bind_row_norm(context, NormDesc::Kind::kRms); }

}  // namespace

std::span<const OpBinding> norm_bindings() {
  static constexpr OpBinding kBindings[] = {
      {"Softmax", bind_softmax},
      {"LogSoftmax", bind_log_softmax},
      {"LayerNormalization", bind_layer_norm},
      {"RMSNormalization", bind_rms_norm},
      {"BatchNormalization", bind_simple<run_batch_norm>},
      {"InstanceNormalization", bind_simple<run_instance_norm>},
      {"GroupNormalization", bind_simple<run_group_norm>},
      {"LRN", bind_simple<run_lrn>},
      {"LpNormalization", bind_simple<run_lp_norm>},
      {"MeanVarianceNormalization", bind_simple<run_mean_variance_norm>},
  };
  return kBindings;
}

}  // namespace neural_engine
