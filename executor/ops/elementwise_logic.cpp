// Comparisons, logic and bits.
#include <cmath>
#include <string>

#include "executor/ops/elementwise.h"

namespace neural_engine {

namespace {

struct Equal : AlwaysValid {
  template <class T>
  bool operator()(T a, T b) const {
    return a == b;
  }
};
struct Greater : AlwaysValid {
  template <class T>
  bool operator()(T a, T b) const {
    return a > b;
  }
};
struct GreaterOrEqual : AlwaysValid {
  template <class T>
  bool operator()(T a, T b) const {
    return a >= b;
  }
};
struct Less : AlwaysValid {
  template <class T>
  bool operator()(T a, T b) const {
    return a < b;
  }
};
struct LessOrEqual : AlwaysValid {
  template <class T>
  bool operator()(T a, T b) const {
    return a <= b;
  }
};

// On bits; bool is its byte, 0 or 1.
struct And : AlwaysValid {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a & b);
  }
};
struct Or : AlwaysValid {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a | b);
  }
};
struct Xor : AlwaysValid {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a ^ b);
  }
};
// Bits shifted out are gone, all of them when the shift is as wide as the type.
struct ShiftLeft : AlwaysValid {
  template <class T>
  T operator()(T a, T b) const {
    return b >= static_cast<T>(sizeof(T) * 8) ? T(0) : static_cast<T>(uint64_t{a} << b);
  }
};
struct ShiftRight : AlwaysValid {
  template <class T>
  T operator()(T a, T b) const {
    return b >= static_cast<T>(sizeof(T) * 8) ? T(0) : static_cast<T>(a >> b);
  }
};

struct Not {
  static bool of(bool x, bool, bool) { return !x; }
};
struct BitwiseNot {
  template <class T>
  static T of(T x, T, T) {
    return static_cast<T>(~x);
  }
};
struct IsNaN {
  template <class T>
  static bool of(T x, T, T) {
    return std::isnan(x);
  }
};
struct IsInf {  // alpha: negative ones count; beta: positive ones do
  template <class T>
  static bool of(T x, T negative, T positive) {
    return std::isinf(x) && (x < T(0) ? negative : positive) != T(0);
  }
};

// Unsigned integers of the dtype's width: what is done to bits knows no sign.
DType bits_type(DType dtype) {
  switch (bits_of(dtype)) {
    case 8: return DType::kU8;
    case 16: return DType::kU16;
    case 32: return DType::kU32;
    default: return DType::kU64;
  }
}

template <class F>
BinaryRow bits_row_of(DType dtype) {
  switch (bits_type(dtype)) {
    case DType::kU8: return binary_row<uint8_t, uint8_t, F>;
    case DType::kU16: return binary_row<uint16_t, uint16_t, F>;
    case DType::kU32: return binary_row<uint32_t, uint32_t, F>;
    default: return binary_row<uint64_t, uint64_t, F>;
  }
}

template <class F>
BoundOp bind_compare(const BindContext& context) {
  const DType dtype = context.dtype(0);
  return bind_binary(context, binary_row_of<F, true>(dtype == DType::kBool ? DType::kU8 : dtype));
}
template <class F>
BoundOp bind_bits(const BindContext& context) {
  return bind_binary(context, bits_row_of<F>(context.dtype(0)));
}
BoundOp bind_shift(const BindContext& context) {
  const bool left = context.attr<std::string>("direction") == "LEFT";
  return left ? bind_bits<ShiftLeft>(context) : bind_bits<ShiftRight>(context);
}

BoundOp bind_not(const BindContext& context) {
  return bind_unary(context, unary_row<bool, bool, Not>, DType::kBool, {});
}
BoundOp bind_bitwise_not(const BindContext& context) {
  UnaryRow row = unary_row<uint64_t, uint64_t, BitwiseNot>;
  switch (bits_type(context.dtype(0))) {
    case DType::kU8: row = unary_row<uint8_t, uint8_t, BitwiseNot>; break;
    case DType::kU16: row = unary_row<uint16_t, uint16_t, BitwiseNot>; break;
    case DType::kU32: row = unary_row<uint32_t, uint32_t, BitwiseNot>; break;
    default: break;
  }
  return bind_unary(context, row, context.dtype(0), {});
}

template <class F>
BoundOp bind_classify(const BindContext& context, UnaryParams params) {
  if (context.dtype(0) == DType::kF64) return bind_unary(context, unary_row<double, bool, F>, DType::kF64, params);
  return bind_unary(context, unary_row<float, bool, F>, DType::kF32, params);
}
BoundOp bind_is_nan(const BindContext& context) { return bind_classify<IsNaN>(context, {}); }
BoundOp bind_is_inf(const BindContext& context) {
  return bind_classify<IsInf>(context, {.alpha = static_cast<double>(context.attr<int64_t>("detect_negative") != 0),
                                        .beta = static_cast<double>(context.attr<int64_t>("detect_positive") != 0)});
}

}  // namespace

std::span<const OpBinding> logic_bindings() {
  static constexpr OpBinding kBindings[] = {
      {"Equal", bind_compare<Equal>},
      {"Greater", bind_compare<Greater>},
      {"GreaterOrEqual", bind_compare<GreaterOrEqual>},
      {"Less", bind_compare<Less>},
      {"LessOrEqual", bind_compare<LessOrEqual>},
      {"And", bind_bits<And>},
      {"Or", bind_bits<Or>},
      {"Xor", bind_bits<Xor>},
      {"BitwiseAnd", bind_bits<And>},
      {"BitwiseOr", bind_bits<Or>},
      {"BitwiseXor", bind_bits<Xor>},
      {"BitShift", bind_shift},
      {"Not", bind_not},
      {"BitwiseNot", bind_bitwise_not},
      {"IsNaN", bind_is_nan},
      {"IsInf", bind_is_inf},
  };
  return kBindings;
}

}  // namespace neural_engine
