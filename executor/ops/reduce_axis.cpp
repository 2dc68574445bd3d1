// CumSum, TopK, Hardmax along one axis; Trilu and Det on the last two.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/dtype.h"
#include "executor/ops/axis_layout.h"
#include "executor/ops/convert.h"

namespace neural_engine {

namespace {

int64_t lane_grain(const AxisLayout& layout) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(layout.size, 1)); }

// Sums are made in double or, wrapping, in uint64_t.
template <class T>
using CumulativeAcc = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;

template <class T>
T round_sum(CumulativeAcc<T> sum) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return T(round_to_odd(sum));
  } else {
    return static_cast<T>(sum);
  }
}

template <class T>
void cumulate(const T* x, T* y, const AxisLayout& layout, int64_t lane, bool exclusive, bool reverse) {
  CumulativeAcc<T> sum = 0;
  for (int64_t i = 0; i < layout.size; ++i) {
    const int64_t at = layout.first(lane) + (reverse ? layout.size - 1 - i : i) * layout.inner;
    const auto element = static_cast<CumulativeAcc<T>>(x[at]);
    if (!exclusive) sum += element;
    y[at] = round_sum<T>(sum);
    if (exclusive) sum += element;
  }
}

void run_cumsum(const Node& node, OpContext& context) {
  const Tensor& x = context.input(0);
  const AxisLayout layout = axis_layout(x.shape(), scalar_operand(context, 1));
  const bool exclusive = node.attr<int64_t>("exclusive") != 0, reverse = node.attr<int64_t>("reverse") != 0;
  dispatch_dtype(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (!std::is_same_v<T, bool>) {
      const T* src = x.data<T>();
      T* dst = context.output(0).data<T>();
      context.parallel.ranges(layout.lanes(), lane_grain(layout), [&](int64_t begin, int64_t end) {
        for (int64_t lane = begin; lane < end; ++lane) cumulate(src, dst, layout, lane, exclusive, reverse);
      });
    }
  });
}

// Does element a come before b: a strict order. Of equals the one with the lower index; NaN is the largest number.
template <class T>
bool precedes(const T* lane, int64_t stride, int64_t a, int64_t b, bool largest) {
  const T x = lane[a * stride], y = lane[b * stride];
  if constexpr (!std::is_integral_v<T>) {
    if (x != x || y != y) {
      if (x != x && y != y) return a < b;
      return largest == (x != x);
    }
  }
  if (x == y) return a < b;
  return largest ? x > y : x < y;
}

struct TopK {
  AxisLayout layout;
  int64_t k;
  bool largest;
};

template <class T>
void select_lane(const TopK& top, const T* x, int64_t lane, int64_t* order, T* values, int64_t* indices) {
  const AxisLayout& layout = top.layout;
  const T* data = x + layout.first(lane);
  std::iota(order, order + layout.size, int64_t{0});
  std::partial_sort(order, order + top.k, order + layout.size,
                    [&](int64_t a, int64_t b) { return precedes(data, layout.inner, a, b, top.largest); });
  const int64_t first = lane / layout.inner * top.k * layout.inner + lane % layout.inner;
  for (int64_t i = 0; i < top.k; ++i) {
    if (values != nullptr) values[first + i * layout.inner] = data[order[i] * layout.inner];
    if (indices != nullptr) indices[first + i * layout.inner] = order[i];
  }
}

// Sorted in any case, which `sorted` = 0 permits.
void run_topk(const Node& node, OpContext& context) {
  const Tensor& x = context.input(0);
  TopK top{axis_layout(x.shape(), node.attr<int64_t>("axis")), scalar_operand(context, 1),
           node.attr<int64_t>("largest") != 0};
  require(top.k >= 0 && top.k <= top.layout.size, Code::kInvalidData, "k is ", top.k, ", the axis has ",
          top.layout.size);
  Shape shape = x.shape();
  const int64_t axis = node.attr<int64_t>("axis");
  shape[static_cast<size_t>(axis < 0 ? axis + x.rank() : axis)] = top.k;
  Tensor* values = context.wants_output(0) ? &define_output(context, 0, x.dtype(), shape) : nullptr;
  Tensor* indices = context.wants_output(1) ? &define_output(context, 1, DType::kS64, shape) : nullptr;
  auto* orders = reinterpret_cast<int64_t*>(context.scratch);
  dispatch_dtype(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* src = x.data<T>();
    T* best = values != nullptr ? values->data<T>() : nullptr;
    int64_t* where = indices != nullptr ? indices->data<int64_t>() : nullptr;
    const int64_t lanes = top.layout.lanes(), grain = lane_grain(top.layout);
    context.parallel.run((lanes + grain - 1) / grain, [&](int64_t task, int worker) {
      for (int64_t lane = task * grain; lane < std::min((task + 1) * grain, lanes); ++lane) {
        select_lane(top, src, lane, orders + worker * top.layout.size, best, where);
      }
    });
  });
}

BoundOp bind_topk(const BindContext& context) {
  BoundOp bound = bind_simple<run_topk>(context);
  // The order of one lane for each thread.
  const AxisLayout layout = axis_layout(context.shape(0), context.attr<int64_t>("axis"));
  bound.scratch_bytes = static_cast<size_t>(layout.size) * sizeof(int64_t) * static_cast<size_t>(context.threads);
  return bound;
}

void run_hardmax(const Node& node, OpContext& context) {
  const Tensor& x = context.input(0);
  const AxisLayout layout = axis_layout(x.shape(), node.attr<int64_t>("axis"));
  dispatch_floating(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* src = x.data<T>();
    T* dst = context.output(0).data<T>();
    context.parallel.ranges(layout.lanes(), lane_grain(layout), [&](int64_t begin, int64_t end) {
      for (int64_t lane = begin; lane < end && layout.size > 0; ++lane) {
        const int64_t first = layout.first(lane);
        int64_t best = 0;
        for (int64_t i = 1; i < layout.size; ++i) {
          if (precedes(src + first, layout.inner, i, best, /*largest=*/true)) best = i;
        }
        for (int64_t i = 0; i < layout.size; ++i) dst[first + i * layout.inner] = T(i == best ? 1.0f : 0.0f);
      }
    });
  });
}

void run_trilu(const Node& node, OpContext& context) {
  const Tensor& x = context.input(0);
  const bool upper = node.attr<int64_t>("upper") != 0;
  const int64_t k = context.has_input(1) ? scalar_operand(context, 1) : 0;
  const int64_t rows = x.dim(-2), columns = x.dim(-1);
  const auto size = static_cast<size_t>(bits_of(x.dtype()) / 8);
  const auto* src = static_cast<const std::byte*>(x.raw());
  auto* dst = static_cast<std::byte*>(context.output(0).raw());
  if (x.elems() == 0) return;
  context.parallel.ranges(x.elems() / columns, std::max<int64_t>(1, 8192 / columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      // The diagonal's column in this row, kept by both; k may be any number at all.
      const int64_t in_matrix = row % rows;
      const int64_t diagonal = k > columns ? columns : k < -rows ? -1 : std::clamp(in_matrix + k, int64_t{-1}, columns);
      const int64_t first = upper ? std::max<int64_t>(diagonal, 0) : 0;
      const int64_t last = upper ? columns : std::min(diagonal + 1, columns);
      std::byte* out = dst + static_cast<size_t>(row * columns) * size;
      std::memset(out, 0, static_cast<size_t>(columns) * size);
      std::memcpy(out + static_cast<size_t>(first) * size, src + static_cast<size_t>(row * columns + first) * size,
                  static_cast<size_t>(std::max<int64_t>(last - first, 0)) * size);
    }
  });
}

// By elimination with partial pivoting; `a` is destroyed.
double determinant(double* a, int64_t n) {
  double result = 1;
  for (int64_t column = 0; column < n; ++column) {
    int64_t pivot = column;
    for (int64_t row = column + 1; row < n; ++row) {
      if (std::fabs(a[row * n + column]) > std::fabs(a[pivot * n + column])) pivot = row;
    }
    if (a[pivot * n + column] == 0) return 0;
    if (pivot != column) {
      std::swap_ranges(a + pivot * n, a + pivot * n + n, a + column * n);
      result = -result;
    }
    result *= a[column * n + column];
    for (int64_t row = column + 1; row < n; ++row) {
      const double factor = a[row * n + column] / a[column * n + column];
      for (int64_t i = column; i < n; ++i) a[row * n + i] -= factor * a[column * n + i];
    }
  }
  return result;
}

void run_det(const Node&, OpContext& context) {
  const Tensor& x = context.input(0);
  Tensor& y = context.output(0);
  const int64_t n = x.dim(-1);
  require(x.dim(-2) == n, Code::kInvalidData, "shape ", to_string(x.shape()), " found, expected square matrices");
  auto* matrices = reinterpret_cast<double*>(context.scratch);
  context.parallel.run(y.elems(), [&](int64_t i, int worker) {
    double* matrix = matrices + worker * n * n;
    load(x.dtype(), x.raw(), i * n * n, n * n, matrix);
    const double result = determinant(matrix, n);
    store(y.dtype(), &result, 1, y.raw(), i);
  });
}

BoundOp bind_det(const BindContext& context) {
  BoundOp bound = bind_simple<run_det>(context);
  const auto n = static_cast<size_t>(context.shape(0).back());
  bound.scratch_bytes = n * n * sizeof(double) * static_cast<size_t>(context.threads);
  return bound;
}

}  // namespace

std::span<const OpBinding> axis_bindings() {
  static constexpr OpBinding kBindings[] = {
      {"CumSum", bind_simple<run_cumsum>}, {"TopK", bind_topk}, {"Hardmax", bind_simple<run_hardmax>},
      {"Trilu", bind_simple<run_trilu>},   {"Det", bind_det},
  };
  return kBindings;
}

}  // namespace neural_engine
