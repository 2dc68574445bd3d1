// What the reductions do to a sequence of numbers. V is the type of the elements as they are read: double for the
// floating dtypes, int64_t or uint64_t for the integers, whose sums and products wrap.
//
// Each has: Acc, the state; start, before any element; step, with one more; combine, of two states; finish.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace neural_engine::reducers {

// Bounds of the tensor's own dtype, and the number of elements that one result is made of.
template <class V>
struct Params {
  V lowest, highest;
  int64_t count;
};

template <class V>
V wrapping_add(V a, V b) {
  if constexpr (std::is_floating_point_v<V>) {
    return a + b;
  } else {
    return static_cast<V>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
}
template <class V>
V wrapping_mul(V a, V b) {
  if constexpr (std::is_floating_point_v<V>) {
    return a * b;
  } else {
    return static_cast<V>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
}

template <class V>
struct Sum {
  using Acc = V;
  static Acc start(const Params<V>&) { return V(0); }
  static Acc step(Acc acc, V x) { return wrapping_add(acc, x); }
  static Acc combine(Acc a, Acc b) { return wrapping_add(a, b); }
  static V finish(Acc acc, const Params<V>&) { return acc; }
};

template <class V>
struct Mean : Sum<V> {
  static V finish(V acc, const Params<V>& params) { return acc / static_cast<V>(params.count); }
};

template <class V>
struct SumSquare : Sum<V> {
  static V step(V acc, V x) { return wrapping_add(acc, wrapping_mul(x, x)); }
};

template <class V>
struct L2 : SumSquare<V> {
  static V finish(V acc, const Params<V>&) { return std::sqrt(acc); }
};

template <class V>
struct L1 : Sum<V> {
  static V step(V acc, V x) {
    if constexpr (std::is_floating_point_v<V>) {
      return acc + std::fabs(x);
    } else {
      return x < V(0) ? static_cast<V>(static_cast<uint64_t>(acc) - static_cast<uint64_t>(x)) : wrapping_add(acc, x);
    }
  }
};

template <class V>
struct LogSum : Sum<V> {
  static V finish(V acc, const Params<V>&) { return std::log(acc); }
};

template <class V>
struct Prod {
  using Acc = V;
  static Acc start(const Params<V>&) { return V(1); }
  static Acc step(Acc acc, V x) { return wrapping_mul(acc, x); }
  static Acc combine(Acc a, Acc b) { return wrapping_mul(a, b); }
  static V finish(Acc acc, const Params<V>&) { return acc; }
};

// NaN if any element is.
template <class V>
struct Max {
  using Acc = V;
  static Acc start(const Params<V>& params) { return params.lowest; }
  static Acc step(Acc acc, V x) { return x > acc || x != x ? x : acc; }
  static Acc combine(Acc a, Acc b) { return step(a, b); }
  static V finish(Acc acc, const Params<V>&) { return acc; }
};
template <class V>
struct Min {
  using Acc = V;
  static Acc start(const Params<V>& params) { return params.highest; }
  static Acc step(Acc acc, V x) { return x < acc || x != x ? x : acc; }
  static Acc combine(Acc a, Acc b) { return step(a, b); }
  static V finish(Acc acc, const Params<V>&) { return acc; }
};

// log of the sum of e^x, with the largest x so far taken out of the sum: sum e^(x - max) cannot overflow.
struct LogSumExp {
  struct Acc {
    double max, sum;
  };
  static Acc start(const Params<double>&) { return {-std::numeric_limits<double>::infinity(), 0}; }
  static Acc step(Acc acc, double x) { return combine(acc, {x, 1}); }
  static Acc combine(Acc a, Acc b) {
    if (a.max == b.max) return {a.max, a.sum + b.sum};  // two infinities have no difference
    if (a.max < b.max) return combine(b, a);
    return {a.max, a.sum + b.sum * std::exp(b.max - a.max)};
  }
  static double finish(Acc acc, const Params<double>&) { return acc.max + std::log(acc.sum); }
};

}  // namespace neural_engine::reducers
