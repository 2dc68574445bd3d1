// Functions of one number: rounding, powers, exponentials, trigonometry. f32 is computed in float, f64 in double.
#include <algorithm>
#include <cmath>

#include "executor/ops/elementwise.h"

namespace neural_engine {

namespace {

struct Floor {
  template <class T>
  static T of(T x, T, T) {
    return std::floor(x);
  }
};
struct Ceil {
  template <class T>
  static T of(T x, T, T) {
    return std::ceil(x);
  }
};
struct Round {  // halves to even, which is the processor's mode
  template <class T>
  static T of(T x, T, T) {
    return std::nearbyint(x);
  }
};
struct Sqrt {
  template <class T>
  static T of(T x, T, T) {
    return std::sqrt(x);
  }
};
struct Reciprocal {
  template <class T>
  static T of(T x, T, T) {
    return T(1) / x;
  }
};
struct Exp {
  template <class T>
  static T of(T x, T, T) {
    return std::exp(x);
  }
};
struct Log {
  template <class T>
  static T of(T x, T, T) {
    return std::log(x);
  }
};
struct Erf {
  template <class T>
  static T of(T x, T, T) {
    return std::erf(x);
  }
};
struct Sin {
  template <class T>
  static T of(T x, T, T) {
    return std::sin(x);
  }
};
struct Cos {
  template <class T>
  static T of(T x, T, T) {
    return std::cos(x);
  }
};
struct Tan {
  template <class T>
  static T of(T x, T, T) {
    return std::tan(x);
  }
};
struct Asin {
  template <class T>
  static T of(T x, T, T) {
    return std::asin(x);
  }
};
struct Acos {
  template <class T>
  static T of(T x, T, T) {
    return std::acos(x);
  }
};
struct Atan {
  template <class T>
  static T of(T x, T, T) {
    return std::atan(x);
  }
};
struct Sinh {
  template <class T>
  static T of(T x, T, T) {
    return std::sinh(x);
  }
};
struct Cosh {
  template <class T>
  static T of(T x, T, T) {
    return std::cosh(x);
  }
};
struct Tanh {
  template <class T>
  static T of(T x, T, T) {
    return std::tanh(x);
  }
};
struct Asinh {
  template <class T>
  static T of(T x, T, T) {
    return std::asinh(x);
  }
};
struct Acosh {
  template <class T>
  static T of(T x, T, T) {
    return std::acosh(x);
  }
};
struct Atanh {
  template <class T>
  static T of(T x, T, T) {
    return std::atanh(x);
  }
};

// Of a signed type; the least integer is its own negative and its own absolute value, as two's complement wraps.
struct Negate {
  template <class T>
  static T of(T x, T, T) {
    if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(uint64_t{0} - static_cast<uint64_t>(x));
    } else {
      return -x;
    }
  }
};
struct Absolute {
  template <class T>
  static T of(T x, T zero, T) {
    if constexpr (std::is_integral_v<T>) {
      return x < T(0) ? Negate::of(x, zero, zero) : x;
    } else {
      return std::fabs(x);
    }
  }
};
struct Sign {  // NaN stays NaN
  template <class T>
  static T of(T x, T, T) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(x)) return x;
    }
    return static_cast<T>((x > T(0)) - (x < T(0)));
  }
};

// Integers, which only Erf has here, are computed in double and truncated.
template <class F>
BoundOp bind_float(const BindContext& context) {
  const DType dtype = context.dtype(0);
  if (dtype == DType::kF64 || is_integer(dtype)) {
    return bind_unary(context, unary_row<double, double, F>, DType::kF64, {});
  }
  return bind_unary(context, unary_row<float, float, F>, DType::kF32, {});
}

template <class F, UnaryOp kOp>
BoundOp bind_float_kernel(const BindContext& context) {
  BoundOp bound = bind_float<F>(context);
  bind_kernel(context, unary(kOp), &bound);
  return bound;
}

// Integers have rows of their own type.
template <class F>
BoundOp bind_number(const BindContext& context) {
  const DType dtype = context.dtype(0);
  if (!is_integer(dtype)) return bind_float<F>(context);
  UnaryRow row = nullptr;
  dispatch_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) row = unary_row<T, T, F>;
  });
  return bind_unary(context, row, dtype, {});
}

template <class F, UnaryOp kOp>
BoundOp bind_number_kernel(const BindContext& context) {
  BoundOp bound = bind_number<F>(context);
  bind_kernel(context, unary(kOp), &bound);
  return bound;
}

}  // namespace

std::span<const OpBinding> math_bindings() {
  static constexpr OpBinding kBindings[] = {
      {"Abs", bind_number_kernel<Absolute, UnaryOp::kAbs>},
      {"Neg", bind_number_kernel<Negate, UnaryOp::kNeg>},
      {"Sign", bind_number<Sign>},
      {"Floor", bind_float<Floor>},
      {"Ceil", bind_float<Ceil>},
      {"Round", bind_float<Round>},
      {"Sqrt", bind_float_kernel<Sqrt, UnaryOp::kSqrt>},
      {"Reciprocal", bind_float_kernel<Reciprocal, UnaryOp::kReciprocal>},
      {"Exp", bind_float_kernel<Exp, UnaryOp::kExp>},
      {"Log", bind_float<Log>},
      {"Erf", bind_float_kernel<Erf, UnaryOp::kErf>},
      {"Sin", bind_float<Sin>},
      {"Cos", bind_float<Cos>},
      {"Tan", bind_float<Tan>},
      {"Asin", bind_float<Asin>},
      {"Acos", bind_float<Acos>},
      {"Atan", bind_float<Atan>},
      {"Sinh", bind_float<Sinh>},
      {"Cosh", bind_float<Cosh>},
      {"Tanh", bind_float_kernel<Tanh, UnaryOp::kTanh>},
      {"Asinh", bind_float<Asinh>},
      {"Acosh", bind_float<Acosh>},
      {"Atanh", bind_float<Atanh>},
  };
  return kBindings;
}

}  // namespace neural_engine
