// Arithmetic of two or more numbers. Integers wrap, as two's complement does.
#include <cmath>
#include <type_traits>

#include "executor/ops/elementwise.h"

namespace neural_engine {

namespace {

// Where unsigned arithmetic on T's bits is done: 16-bit operands would be promoted to int, whose product may overflow.
template <class T>
using Wrapping = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

struct Add : AlwaysValid {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
    } else {
      return a + b;
    }
  }
};
struct Sub : AlwaysValid {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b));
    } else {
      return a - b;
    }
  }
};
struct Mul : AlwaysValid {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
    } else {
      return a * b;
    }
  }
};

// The quotient of integers is truncated; the least integer over -1 wraps to itself.
class Div {
 public:
  template <class T>
  T operator()(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      if (b == T(0)) {
        valid_ = false;
        return T(0);
      }
      if constexpr (std::is_signed_v<T>) {
        if (b == T(-1)) return Sub()(T(0), a);
      }
    }
    return static_cast<T>(a / b);
  }
  bool valid() const { return valid_; }

 private:
  bool valid_ = true;
};

// Python's: the result has the sign of the divisor.
class Modulo {
 public:
  template <class T>
  T operator()(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      if (b == T(0)) {
        valid_ = false;
        return T(0);
      }
      if constexpr (std::is_signed_v<T>) {
        if (b == T(-1)) return T(0);
      }
      const T rest = static_cast<T>(a % b);
      return rest != T(0) && (rest < T(0)) != (b < T(0)) ? static_cast<T>(rest + b) : rest;
    } else {
      return std::fmod(a, b);  // not reached: infer refuses it
    }
  }
  bool valid() const { return valid_; }

 private:
  bool valid_ = true;
};

// C's: the result has the sign of the dividend.
class FMod {
 public:
  template <class T>
  T operator()(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      if (b == T(0)) {
        valid_ = false;
        return T(0);
      }
      if constexpr (std::is_signed_v<T>) {
        if (b == T(-1)) return T(0);
      }
      return static_cast<T>(a % b);
    } else {
      return std::fmod(a, b);
    }
  }
  bool valid() const { return valid_; }

 private:
  bool valid_ = true;
};

// NaN if one of them is.
struct Min : AlwaysValid {
  template <class T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};
struct Max : AlwaysValid {
  template <class T>
  T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};

struct PRelu : AlwaysValid {
  template <class T>
  T operator()(T x, T slope) const {
    return x < T(0) ? Mul()(x, slope) : x;
  }
};

template <class F, BinaryOp kOp>
BoundOp bind_arithmetic(const BindContext& context) {
  BoundOp bound = bind_binary(context, binary_row_of<F>(context.dtype(0)), "integer division by zero");
  if (context.dtype(0) == DType::kF32) {
    const Broadcast plan({context.shape(0), context.shape(1)}, context.output_shape(0));
    bind_kernel(context, kOp, plan, &bound);
  }
  return bound;
}

BoundOp bind_mod(const BindContext& context) {
  const DType dtype = context.dtype(0);
  const bool fmod = context.attr<int64_t>("fmod") != 0;
  return bind_binary(context, fmod ? binary_row_of<FMod>(dtype) : binary_row_of<Modulo>(dtype),
                     "integer remainder of a division by zero");
}

BoundOp bind_prelu(const BindContext& context) { return bind_binary(context, binary_row_of<PRelu>(context.dtype(0))); }

template <class F>
BoundOp bind_fold(const BindContext& context) {
  return bind_variadic(context, binary_row_of<F>(context.dtype(0)));
}
BoundOp bind_mean(const BindContext& context) {
  return bind_variadic(context, binary_row_of<Add>(context.dtype(0)), /*mean=*/true);
}

}  // namespace

BoundOp bind_pow(const BindContext& context);  // elementwise_pow.cpp

std::span<const OpBinding> arithmetic_bindings() {
  static constexpr OpBinding kBindings[] = {
      {"Add", bind_arithmetic<Add, BinaryOp::kAdd>},
      {"Sub", bind_arithmetic<Sub, BinaryOp::kSub>},
      {"Mul", bind_arithmetic<Mul, BinaryOp::kMul>},
      {"Div", bind_arithmetic<Div, BinaryOp::kDiv>},
      {"Mod", bind_mod},
      {"Pow", bind_pow},
      {"PRelu", bind_prelu},
      {"Min", bind_fold<Min>},
      {"Max", bind_fold<Max>},
      {"Sum", bind_fold<Add>},
      {"Mean", bind_mean},
  };
  return kBindings;
}

}  // namespace neural_engine
