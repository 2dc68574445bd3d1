#include <algorithm>
#include <cmath>

#include "base/dtype.h"
#include "executor/ops/kernel_choice.h"
#include "executor/ops/norm.h"
#include "executor/ops/strides.h"

namespace neural_engine {

namespace {

// x seen as [outer, n, inner], normalised over n.
struct Split {
  int64_t outer = 1, n = 1, inner = 1;
};

Split split_at(const Shape& shape, int64_t axis) {
  if (shape.empty()) return {};
  const size_t at = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(shape.size()) : axis);
  return {elems_between(shape, 0, at), shape[at], elems_between(shape, at + 1, shape.size())};
}

// In double, rounded once.
template <class T>
void normalise(const T* x, T* out, int64_t n, int64_t step, bool logarithm) {
  double max = -HUGE_VAL, sum = 0;
  for (int64_t i = 0; i < n; ++i) max = std::max(max, static_cast<double>(x[i * step]));
  for (int64_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(x[i * step]) - max);
  const double log_sum = std::log(sum);
  for (int64_t i = 0; i < n; ++i) {
    const double shifted = static_cast<double>(x[i * step]) - max;
    const double value = logarithm ? shifted - log_sum : std::exp(shifted) / sum;
    out[i * step] = T(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(value));
  }
}

void run_loops(OpContext& context, const Split& split, bool logarithm) {
  dispatch_floating(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* x = context.input(0).data<T>();
    T* out = context.output(0).data<T>();
    context.parallel.ranges(split.outer * split.inner, 16, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t at = row / split.inner * split.n * split.inner + row % split.inner;
        normalise(x + at, out + at, split.n, split.inner, logarithm);
      }
    });
  });
}

BoundOp bind_loops(const Split& split, bool logarithm) {
  return {.run = [split, logarithm](OpContext& op) { run_loops(op, split, logarithm); }};
}

}  // namespace

BoundOp bind_softmax(const BindContext& context) {
  const Split split = split_at(context.shape(0), context.attr<int64_t>("axis"));
  if (context.dtype(0) != DType::kF32 || split.inner != 1) return bind_loops(split, false);
  BoundOp bound;
  const auto kernel = choose_kernel(SoftmaxDesc{.rows = split.outer, .n = split.n}, &bound);
  bound.run = [kernel, split](OpContext& op) {
    if (split.n == 0) return;
    kernel->run({.rows = split.outer,
                 .n = split.n,
                 .x = op.input(0).raw(),
                 .ldx = split.n,
                 .out = op.output(0).raw(),
                 .ld_out = split.n},
                op.parallel);
  };
  return bound;
}

BoundOp bind_log_softmax(const BindContext& context) {
  return bind_loops(split_at(context.shape(0), context.attr<int64_t>("axis")), true);
}

}  // namespace neural_engine
