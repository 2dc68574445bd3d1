// Where, Clip and the casts.
#include <algorithm>
#include <limits>

#include "executor/ops/convert.h"
#include "executor/ops/elementwise.h"

namespace neural_engine {

namespace {

// T: any type of the elements' size.
template <class T>
void where_rows(OpContext& context, const Broadcast& plan) {
  const uint8_t* condition = static_cast<const uint8_t*>(context.input(0).raw());
  const T* x = static_cast<const T*>(context.input(1).raw());
  const T* y = static_cast<const T*>(context.input(2).raw());
  T* result = static_cast<T*>(context.output(0).raw());
  const int64_t step_c = plan.step(0), step_x = plan.step(1), step_y = plan.step(2);
  context.parallel.ranges(plan.elems(), kGrain, [&](int64_t begin, int64_t end) {
    plan.walk(begin, end, end - begin, [&](const Broadcast::Piece& piece) {
      const uint8_t* c = condition + piece.in[0];
      const T* a = x + piece.in[1];
      const T* b = y + piece.in[2];
      T* out = result + piece.out;
      for (int64_t i = 0; i < piece.count; ++i) out[i] = c[i * step_c] != 0 ? a[i * step_x] : b[i * step_y];
    });
  });
}

BoundOp bind_where(const BindContext& context) {
  const Broadcast plan({context.shape(0), context.shape(1), context.shape(2)}, context.output_shape(0));
  void (*rows)(OpContext&, const Broadcast&) = nullptr;
  switch (bits_of(context.dtype(1))) {
    case 8: rows = where_rows<uint8_t>; break;
    case 16: rows = where_rows<uint16_t>; break;
    case 32: rows = where_rows<uint32_t>; break;
    default: rows = where_rows<uint64_t>; break;
  }
  return {.run = [plan, rows](OpContext& op) { rows(op, plan); }};
}

// The bounds are read before anything is written: the result may be the memory of a bound, when all are scalars.
template <class T, class Compute>
void clip(OpContext& context) {
  const T* x = context.input(0).data<T>();
  T* y = context.output(0).data<T>();
  using Limits = std::numeric_limits<Compute>;
  Compute low = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
  Compute high = Limits::has_infinity ? Limits::infinity() : Limits::max();
  if (context.has_input(1)) low = static_cast<Compute>(context.input(1).data<T>()[0]);
  if (context.has_input(2)) high = static_cast<Compute>(context.input(2).data<T>()[0]);
  context.parallel.ranges(context.input(0).elems(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Compute value = static_cast<Compute>(x[i]);
      const Compute raised = value < low ? low : value;
      y[i] = static_cast<T>(raised > high ? high : raised);  // `high` where the bounds cross; NaN stays NaN
    }
  });
}

void run_clip(const Node&, OpContext& context) {
  dispatch_dtype(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      clip<T, float>(context);
    } else if constexpr (!std::is_same_v<T, bool>) {
      clip<T, T>(context);
    }
  });
}

void run_cast(const Node& node, OpContext& context) {
  const Tensor& x = context.input(0);
  Tensor& y = context.output(0);
  const bool saturate = node.attr<int64_t>("saturate") != 0;
  // Pairs, so that no two tasks write the halves of one byte.
  context.parallel.ranges((x.elems() + 1) / 2, kGrain / 2, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * 2, last = std::min(end * 2, x.elems());
    convert(x.dtype(), x.raw(), y.dtype(), y.raw(), first, last - first, saturate);
  });
}

}  // namespace

std::span<const OpBinding> select_bindings() {
  static constexpr OpBinding kBindings[] = {
      {"Where", bind_where},
      {"Clip", bind_simple<run_clip>},
      {"Cast", bind_simple<run_cast>},
      {"CastLike", bind_simple<run_cast>},
  };
  return kBindings;
}

}  // namespace neural_engine
