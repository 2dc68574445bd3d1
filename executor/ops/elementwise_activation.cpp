// Activations. Written so that NaN stays NaN and large magnitudes do not overflow on the way to a finite result.
#include <algorithm>
#include <cmath>

#include "executor/ops/elementwise.h"

namespace neural_engine {

namespace {

template <class T>
T sigmoid(T x) {
  return T(1) / (T(1) + std::exp(-x));
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|): the exponential cannot overflow.
template <class T>
T softplus(T x) {
  return (x < T(0) ? T(0) : x) + std::log1p(std::exp(-std::fabs(x)));
}

template <class T>
T clamp(T x, T low, T high) {
  return x < low ? low : x > high ? high : x;
}

struct Relu {
  template <class T>
  static T of(T x, T, T) {
    return x < T(0) ? T(0) : x;
  }
};
struct LeakyRelu {
  template <class T>
  static T of(T x, T alpha, T) {
    return x < T(0) ? alpha * x : x;
  }
};
struct ThresholdedRelu {
  template <class T>
  static T of(T x, T alpha, T) {
    return x > alpha ? x : T(0);
  }
};
struct Elu {
  template <class T>
  static T of(T x, T alpha, T) {
    return x < T(0) ? alpha * std::expm1(x) : x;
  }
};
struct Celu {
  template <class T>
  static T of(T x, T alpha, T) {
    return (x < T(0) ? T(0) : x) + std::fmin(T(0), alpha * std::expm1(x / alpha));
  }
};
struct Selu {  // alpha and gamma
  template <class T>
  static T of(T x, T alpha, T gamma) {
    return gamma * (x > T(0) ? x : alpha * std::expm1(x));
  }
};
struct Sigmoid {
  template <class T>
  static T of(T x, T, T) {
    return sigmoid(x);
  }
};
struct HardSigmoid {
  template <class T>
  static T of(T x, T alpha, T beta) {
    return clamp(alpha * x + beta, T(0), T(1));
  }
};
struct HardSwish {
  template <class T>
  static T of(T x, T, T) {
    return x * clamp(x / T(6) + T(0.5), T(0), T(1));
  }
};
struct Swish {
  template <class T>
  static T of(T x, T alpha, T) {
    return x * sigmoid(alpha * x);
  }
};
struct Mish {
  template <class T>
  static T of(T x, T, T) {
    return x * std::tanh(softplus(x));
  }
};
struct Softplus {
  template <class T>
  static T of(T x, T, T) {
    return softplus(x);
  }
};
struct Softsign {
  template <class T>
  static T of(T x, T, T) {
    return x / (T(1) + std::fabs(x));
  }
};
struct GeluErf {
  template <class T>
  static T of(T x, T, T) {
    return T(0.5) * x * (T(1) + std::erf(x * T(0.70710678118654752440)));  // 1 / sqrt(2)
  }
};
struct GeluTanh {
  template <class T>
  static T of(T x, T, T) {
    constexpr T kScale = T(0.79788456080286535588);  // sqrt(2 / pi)
    return T(0.5) * x * (T(1) + std::tanh(kScale * (x + T(0.044715) * x * x * x)));
  }
};
struct Shrink {  // bias and lambd
  template <class T>
  static T of(T x, T bias, T lambd) {
    return x < -lambd ? x + bias : x > lambd ? x - bias : x == x ? T(0) : x;
  }
};

// The values of up to two float attributes.
UnaryParams params_of(const Node& node, const char* alpha, const char* beta) {
  UnaryParams params;
  if (alpha != nullptr) params.alpha = node.attr<float>(alpha);
  if (beta != nullptr) params.beta = node.attr<float>(beta);
  return params;
}

template <class F>
BoundOp bind_with(const BindContext& context, const char* alpha = nullptr, const char* beta = nullptr) {
  const UnaryParams params = params_of(context.node(), alpha, beta);
  const DType dtype = context.dtype(0);
  if (dtype == DType::kF64 || is_integer(dtype)) {  // integers: Shrink only, truncated
    return bind_unary(context, unary_row<double, double, F>, DType::kF64, params);
  }
  return bind_unary(context, unary_row<float, float, F>, DType::kF32, params);
}

template <class F>
BoundOp bind_plain(const BindContext& context) {
  return bind_with<F>(context);
}
template <class F>
BoundOp bind_alpha(const BindContext& context) {
  return bind_with<F>(context, "alpha");
}

BoundOp bind_celu(const BindContext& context) {
  // The formula divides by it.
  require(context.attr<float>("alpha") != 0.0f, Code::kInvalidModel, "attribute alpha is 0");
  return bind_with<Celu>(context, "alpha");
}
BoundOp bind_selu(const BindContext& context) { return bind_with<Selu>(context, "alpha", "gamma"); }
BoundOp bind_hard_sigmoid(const BindContext& context) { return bind_with<HardSigmoid>(context, "alpha", "beta"); }
BoundOp bind_shrink(const BindContext& context) { return bind_with<Shrink>(context, "bias", "lambd"); }

BoundOp bind_relu(const BindContext& context) {
  const DType dtype = context.dtype(0);
  if (is_integer(dtype)) {
    UnaryRow row = nullptr;
    dispatch_dtype(dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) row = unary_row<T, T, Relu>;
    });
    return bind_unary(context, row, dtype, {});
  }
  BoundOp bound = bind_with<Relu>(context);
  bind_kernel(context, unary(UnaryOp::kRelu), &bound);
  return bound;
}

BoundOp bind_leaky_relu(const BindContext& context) {
  BoundOp bound = bind_with<LeakyRelu>(context, "alpha");
  bind_kernel(context, unary(UnaryOp::kLeakyRelu, context.attr<float>("alpha")), &bound);
  return bound;
}

BoundOp bind_sigmoid(const BindContext& context) {
  BoundOp bound = bind_with<Sigmoid>(context);
  bind_kernel(context, unary(UnaryOp::kSigmoid), &bound);
  return bound;
}

BoundOp bind_swish(const BindContext& context) {
  BoundOp bound = bind_with<Swish>(context, "alpha");
  bind_kernel(context, unary(UnaryOp::kSilu, context.attr<float>("alpha")), &bound);
  return bound;
}

BoundOp bind_gelu(const BindContext& context) {
  const bool tanh = context.attr<std::string>("approximate") == "tanh";
  BoundOp bound = tanh ? bind_with<GeluTanh>(context) : bind_with<GeluErf>(context);
  bind_kernel(context, unary(tanh ? UnaryOp::kGeluTanh : UnaryOp::kGeluErf), &bound);
  return bound;
}

}  // namespace

std::span<const OpBinding> activation_bindings() {
  static constexpr OpBinding kBindings[] = {
      {"Relu", bind_relu},
      {"LeakyRelu", bind_leaky_relu},
      {"ThresholdedRelu", bind_alpha<ThresholdedRelu>},
      {"Elu", bind_alpha<Elu>},
      {"Celu", bind_celu},
      {"Selu", bind_selu},
      {"Sigmoid", bind_sigmoid},
      {"HardSigmoid", bind_hard_sigmoid},
      {"HardSwish", bind_plain<HardSwish>},
      {"Swish", bind_swish},
      {"Mish", bind_plain<Mish>},
      {"Softplus", bind_plain<Softplus>},
      {"Softsign", bind_plain<Softsign>},
      {"Gelu", bind_gelu},
      {"Shrink", bind_shrink},
  };
  return kBindings;
}

}  // namespace neural_engine
