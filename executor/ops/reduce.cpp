// Reductions. The order in which the elements of one result are combined depends on the shape alone: the bits are the
// same for any number of threads. Floating sums are made in double.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/dtype.h"
#include "executor/ops/axis_layout.h"
#include "executor/ops/convert.h"
#include "executor/ops/reducers.h"
#include "executor/ops/strides.h"

namespace neural_engine {

std::span<const OpBinding> axis_bindings();  // reduce_axis.cpp

namespace {

// The dimensions of the input, neighbours of one kind merged: those of the output and those that go.
struct Layout {
  Shape kept, kept_strides, reduced, reduced_strides;
  bool inner_reduced = false;
  int64_t outputs = 1;
  int64_t count = 1;  // elements per output
};

// The offset of an index into the first `rank` dimensions.
int64_t offset_of(int64_t index, const Shape& dims, const Shape& strides, size_t rank) {
  int64_t offset = 0;
  for (size_t i = rank; i-- > 0; index /= dims[i]) offset += index % dims[i] * strides[i];
  return offset;
}

Layout layout_of(const Shape& shape, const std::vector<bool>& reduced) {
  Layout layout;
  const std::vector<int64_t> strides = dense_strides(shape);
  bool merge = false, last_reduced = false;
  for (size_t i = shape.size(); i-- > 0;) {
    (reduced[i] ? layout.count : layout.outputs) *= shape[i];
    if (shape[i] == 1) continue;
    Shape& dims = reduced[i] ? layout.reduced : layout.kept;
    if (merge && reduced[i] == last_reduced) {
      dims.back() *= shape[i];
    } else {
      dims.push_back(shape[i]);
      (reduced[i] ? layout.reduced_strides : layout.kept_strides).push_back(strides[i]);
    }
    if (!merge) layout.inner_reduced = reduced[i];
    merge = true;
    last_reduced = reduced[i];
  }
  for (Shape* part : {&layout.kept, &layout.kept_strides, &layout.reduced, &layout.reduced_strides}) {
    std::reverse(part->begin(), part->end());
  }
  return layout;
}

// The dimensions that the node reduces; none at all when it is told to do nothing.
std::vector<bool> reduced_axes(const Node& node, const OpContext& context) {
  const auto rank = static_cast<int64_t>(context.input(0).shape().size());
  const int64_t count = context.has_input(1) ? context.input(1).elems() : 0;
  if (count == 0) return std::vector<bool>(static_cast<size_t>(rank), node.attr<int64_t>("noop_with_empty_axes") == 0);
  std::vector<bool> reduced(static_cast<size_t>(rank), false);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t axis = context.input(1).data<int64_t>()[i];
    require(axis >= -rank && axis < rank, Code::kInvalidData, "axis ", axis, " found for rank ", rank);
    const auto at = static_cast<size_t>(axis < 0 ? axis + rank : axis);
    require(!reduced[at], Code::kInvalidData, "axis ", axis, " is listed twice");
    reduced[at] = true;
  }
  return reduced;
}

Tensor& output_of(const Node& node, OpContext& context, const std::vector<bool>& reduced) {
  const Shape& shape = context.input(0).shape();
  const bool keep = node.attr<int64_t>("keepdims") != 0;
  Shape result;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!reduced[i]) {
      result.push_back(shape[i]);
    } else if (keep) {
      result.push_back(1);
    }
  }
  return define_output(context, 0, context.input(0).dtype(), result);
}

// A run of neighbours is reduced in this many interleaved sequences: their additions do not wait for each other.
constexpr int64_t kLanes = 8;
static_assert(kBlock % kLanes == 0);

// Results whose elements are runs of neighbours.
template <class V, class R>
void reduce_runs(const Tensor& x, const Layout& layout, const reducers::Params<V>& params, int64_t begin, int64_t end,
                 Tensor* y) {
  const int64_t run = layout.reduced.back();
  const int64_t runs = run == 0 ? 0 : layout.count / run;
  V buffer[kBlock];
  for (int64_t out = begin; out < end; ++out) {
    const int64_t base = offset_of(out, layout.kept, layout.kept_strides, layout.kept.size());
    typename R::Acc lanes[kLanes];
    std::fill(lanes, lanes + kLanes, R::start(params));
    for (int64_t r = 0; r < runs; ++r) {
      const int64_t start = base + offset_of(r, layout.reduced, layout.reduced_strides, layout.reduced.size() - 1);
      for (int64_t at = 0; at < run; at += kBlock) {
        const int64_t n = std::min(kBlock, run - at);
        load(x.dtype(), x.raw(), start + at, n, buffer);
        int64_t i = 0;
        for (; i + kLanes <= n; i += kLanes) {
          for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] = R::step(lanes[lane], buffer[i + lane]);
        }
        for (; i < n; ++i) lanes[i % kLanes] = R::step(lanes[i % kLanes], buffer[i]);
      }
    }
    for (int64_t width = kLanes / 2; width > 0; width /= 2) {
      for (int64_t lane = 0; lane < width; ++lane) lanes[lane] = R::combine(lanes[lane], lanes[lane + width]);
    }
    const V result = R::finish(lanes[0], params);
    store(y->dtype(), &result, 1, y->raw(), out);
  }
}

// Results that are neighbours: a strip of them takes one row of elements at a time.
template <class V, class R>
void reduce_strips(const Tensor& x, const Layout& layout, const reducers::Params<V>& params, int64_t begin, int64_t end,
                   Tensor* y) {
  constexpr int64_t kStrip = 64;
  const int64_t inner = layout.kept.empty() ? 1 : layout.kept.back();
  typename R::Acc acc[kStrip];
  V row[kStrip];
  for (int64_t out = begin; out < end;) {
    const int64_t n = std::min({kStrip, end - out, inner - out % inner});
    const int64_t base = offset_of(out, layout.kept, layout.kept_strides, layout.kept.size());
    std::fill(acc, acc + n, R::start(params));
    for (int64_t r = 0; r < layout.count; ++r) {
      load(x.dtype(), x.raw(), base + offset_of(r, layout.reduced, layout.reduced_strides, layout.reduced.size()), n,
           row);
      for (int64_t i = 0; i < n; ++i) acc[i] = R::step(acc[i], row[i]);
    }
    for (int64_t i = 0; i < n; ++i) row[i] = R::finish(acc[i], params);
    store(y->dtype(), row, n, y->raw(), out);
    out += n;
  }
}

template <class V>
reducers::Params<V> params_of(DType dtype, int64_t count) {
  reducers::Params<V> params{std::numeric_limits<V>::lowest(), std::numeric_limits<V>::max(), count};
  if constexpr (std::is_floating_point_v<V>) {
    params.lowest = -std::numeric_limits<V>::infinity();
    params.highest = std::numeric_limits<V>::infinity();
  } else if (!is_floating(dtype)) {
    dispatch_dtype(dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (std::is_integral_v<T>) {
        params.lowest = static_cast<V>(std::numeric_limits<T>::lowest());
        params.highest = static_cast<V>(std::numeric_limits<T>::max());
      }
    });
  }
  return params;
}

template <class V, class R>
void reduce_as(const Node& node, OpContext& context) {
  const Tensor& x = context.input(0);
  const std::vector<bool> reduced = reduced_axes(node, context);
  Tensor& y = output_of(node, context, reduced);
  if (std::find(reduced.begin(), reduced.end(), true) == reduced.end() &&
      node.attr<int64_t>("noop_with_empty_axes") != 0) {
    std::memcpy(y.raw(), x.raw(), x.bytes());  // ONNX: the output is the input, whatever the reduction
    return;
  }
  const Layout layout = layout_of(x.shape(), reduced);
  const reducers::Params<V> params = params_of<V>(x.dtype(), layout.count);
  const int64_t grain = std::max<int64_t>(1, 8192 / std::max<int64_t>(layout.count, 1));
  context.parallel.ranges(y.elems(), grain, [&](int64_t begin, int64_t end) {
    if (layout.inner_reduced) {
      reduce_runs<V, R>(x, layout, params, begin, end, &y);
    } else {
      reduce_strips<V, R>(x, layout, params, begin, end, &y);
    }
  });
}

// Exact on integers.
template <template <class> class R>
void reduce_exact(const Node& node, OpContext& context) {
  switch (wide_type(context.input(0).dtype())) {
    case DType::kS64: return reduce_as<int64_t, R<int64_t>>(node, context);
    case DType::kU64: return reduce_as<uint64_t, R<uint64_t>>(node, context);
    default: return reduce_as<double, R<double>>(node, context);
  }
}

// A real number in any case, which an integer dtype then truncates.
template <class R>
void reduce_real(const Node& node, OpContext& context) {
  reduce_as<double, R>(node, context);
}

void reduce_mean(const Node& node, OpContext& context) {
  const Tensor& x = context.input(0);
  require(is_floating(x.dtype()) || x.elems() > 0, Code::kInvalidData, "the mean of no elements has no value of dtype ",
          to_string(x.dtype()));
  reduce_exact<reducers::Mean>(node, context);
}

// Whether b replaces a as the extreme. NaN is beyond everything, as in numpy: the first one is the answer.
template <bool kMax, class T>
bool replaces(T a, T b, bool last) {
  if constexpr (!std::is_integral_v<T>) {
    if (a != a) return last && b != b;
    if (b != b) return true;
  }
  return (kMax ? b > a : b < a) || (last && b == a);
}

template <bool kMax>
void run_arg(const Node& node, OpContext& context) {
  const Tensor& x = context.input(0);
  const AxisLayout layout = axis_layout(x.shape(), node.attr<int64_t>("axis"));
  const bool last = node.attr<int64_t>("select_last_index") != 0;
  int64_t* y = context.output(0).data<int64_t>();
  require(layout.size > 0 || layout.lanes() == 0, Code::kInvalidData, "the axis is empty");
  dispatch_dtype(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* data = x.data<T>();
    const int64_t grain = std::max<int64_t>(1, 8192 / std::max<int64_t>(layout.size, 1));
    context.parallel.ranges(layout.lanes(), grain, [&](int64_t begin, int64_t end) {
      for (int64_t lane = begin; lane < end; ++lane) {
        const T* at = data + layout.first(lane);
        int64_t best = 0;
        for (int64_t i = 1; i < layout.size; ++i) {
          if (replaces<kMax>(at[best * layout.inner], at[i * layout.inner], last)) best = i;
        }
        y[lane] = best;
      }
    });
  });
}

}  // namespace

std::span<const OpBinding> reduce_bindings() {
  static const auto* const kBindings = [] {
    auto* all = new std::vector<OpBinding>{
        {"ReduceSum", bind_simple<reduce_exact<reducers::Sum>>},
        {"ReduceProd", bind_simple<reduce_exact<reducers::Prod>>},
        {"ReduceMax", bind_simple<reduce_exact<reducers::Max>>},
        {"ReduceMin", bind_simple<reduce_exact<reducers::Min>>},
        {"ReduceMean", bind_simple<reduce_mean>},
        {"ReduceL1", bind_simple<reduce_exact<reducers::L1>>},
        {"ReduceSumSquare", bind_simple<reduce_exact<reducers::SumSquare>>},
        {"ReduceL2", bind_simple<reduce_real<reducers::L2<double>>>},
        {"ReduceLogSum", bind_simple<reduce_real<reducers::LogSum<double>>>},
        {"ReduceLogSumExp", bind_simple<reduce_real<reducers::LogSumExp>>},
        {"ArgMax", bind_simple<run_arg<true>>},
        {"ArgMin", bind_simple<run_arg<false>>},
    };
    all->insert(all->end(), axis_bindings().begin(), axis_bindings().end());
    return all;
  }();
  return *kBindings;
}

}  // namespace neural_engine
