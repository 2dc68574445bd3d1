// Arithmetic and functions, element by element.
#include <cmath>

#include "base/onnx_dtype.h"
#include "load/tensorflow_ops.h"

namespace neural_engine {

namespace {

// What hands its operand on, as far as an inference is concerned.
void same(TfNode& n) {
  n.ignore({"message", "tensor_name"});
  n.set_output(0, n.value(0));
}
void same_list(TfNode& n) {
  for (size_t i = 0; i < n.num_inputs(); ++i) n.set_output(i, n.value(i));
}
// The shape is a promise, which is held where it can be.
void ensure_shape(TfNode& n) {
  const ValueId x = n.input(0);
  const std::optional<SymShape> promised = n.take_shape("shape");
  const std::optional<SymShape>& found = n.facts(x).shape;
  if (promised && found) {
    bool fits = promised->size() == found->size();
    for (size_t i = 0; fits && i < found->size(); ++i) {
      fits = !(*promised)[i].known() || !(*found)[i].known() || (*promised)[i].value() == (*found)[i].value();
    }
    if (!fits) n.invalid("the operand has shape ", to_string(*found), ", expected ", to_string(*promised));
  }
  n.set_output(0, x);
}

void square(TfNode& n) {
  const ValueId x = n.input(0);
  n.finish("Mul", {x, x});
}
void squared_difference(TfNode& n) {
  const ValueId difference = n.add("Sub", {n.input(0), n.input(1)});
  n.finish("Mul", {difference, difference});
}
void rsqrt(TfNode& n) { n.finish("Reciprocal", {n.add("Sqrt", {n.input(0)})}); }
void log1p(TfNode& n) {
  const ValueId x = n.input(0);
  n.finish("Log", {n.add("Add", {x, n.scalar_like(1, x)})});
}
void expm1(TfNode& n) {
  const ValueId x = n.input(0);
  n.finish("Sub", {n.add("Exp", {x}), n.scalar_like(1, x)});
}
void erfc(TfNode& n) {
  const ValueId x = n.input(0);
  n.finish("Sub", {n.scalar_like(1, x), n.add("Erf", {x})});
}
void relu6(TfNode& n) {
  const ValueId x = n.input(0);
  n.finish("Clip", {x, n.scalar_like(0, x), n.scalar_like(6, x)});
}
void leaky_relu(TfNode& n) { n.finish("LeakyRelu", {n.input(0)}, {{"alpha", n.take_float("alpha", 0.2f)}}); }
void clip_by_value(TfNode& n) {
  const ValueId x = n.input(0), low = n.input(1), high = n.input(2);
  if (n.rank(low) == 0 && n.rank(high) == 0) return n.finish("Clip", {x, low, high});
  n.finish("Min", {n.add("Max", {x, low}), high});
}

// Division that rounds down. Mod has the sign of the divisor, so x - mod(x, y) is a multiple of y.
void floor_div(TfNode& n) {
  const ValueId x = n.input(0), y = n.input(1);
  if (is_floating(n.dtype(x))) return n.finish("Floor", {n.add("Div", {x, y})});
  n.finish("Div", {n.add("Sub", {x, n.add("Mod", {x, y})}), y});
}
void floor_mod(TfNode& n) {
  const ValueId x = n.input(0), y = n.input(1);
  if (!is_floating(n.dtype(x))) return n.finish("Mod", {x, y});
  n.finish("Sub", {x, n.add("Mul", {n.add("Floor", {n.add("Div", {x, y})}), y})});
}
void truncate_mod(TfNode& n) { n.finish("Mod", n.all_inputs(), {{"fmod", int64_t{1}}}); }
// x / y, but 0 where y is 0.
void div_no_nan(TfNode& n) {
  const ValueId x = n.input(0), y = n.input(1), zero = n.scalar_like(0, x);
  const ValueId is_zero = n.add("Equal", {y, zero});
  const ValueId divisor = n.add("Where", {is_zero, n.scalar_like(1, y), y});
  n.finish("Where", {is_zero, zero, n.add("Div", {x, divisor})});
}
// x * y, but 0 where y is 0, whatever x is.
void mul_no_nan(TfNode& n) {
  const ValueId x = n.input(0), y = n.input(1), zero = n.scalar_like(0, x);
  n.finish("Where", {n.add("Equal", {y, zero}), zero, n.add("Mul", {x, y})});
}

// Channels are the last dimension, or dimension 1.
void bias_add(TfNode& n) {
  const ValueId x = n.input(0);
  ValueId bias = n.input(1);
  const std::string format = n.take_string("data_format", "NHWC");
  if (format == "NCHW") {
    const int64_t rank = n.required_rank(x);
    if (rank < 2) n.invalid("data_format NCHW of rank ", rank);
    std::vector<int64_t> axes;
    for (int64_t i = 2; i < rank; ++i) axes.push_back(i - 1);
    if (!axes.empty()) bias = n.unsqueeze(bias, axes);
  } else if (format != "NHWC") {
    n.unsupported("data_format ", format, " found, supported are NHWC and NCHW");
  }
  n.finish("Add", {x, bias});
}

void add_n(TfNode& n) {
  n.ignore({"N", "shape"});
  ValueId sum = n.input(0);
  for (size_t i = 1; i < n.num_inputs(); ++i) sum = n.add("Add", {sum, n.input(i)});
  n.set_output(0, sum);
}

void cast(TfNode& n) {
  if (n.take_bool("Truncate", false)) n.unsupported("attribute \"Truncate\" is true, false is supported");
  const ValueId x = n.input(0);
  const DType to = n.take_dtype("DstT");
  if (n.dtype(x) == to) return n.set_output(0, x);
  n.finish("Cast", {x}, {{"to", onnx_code(to)}});
}

}  // namespace

std::span<const TfOp> tf_math_ops() {
  static constexpr TfOp kOps[] = {
      {"Identity", same},
      {"StopGradient", same},
      {"PreventGradient", same},
      {"Snapshot", same},
      {"CheckNumerics", same},
      {"EnsureShape", ensure_shape},
      {"PlaceholderWithDefault", [](TfNode& n) { n.take_shape("shape"), n.set_output(0, n.value(0)); }, "dtype=0"},
      {"IdentityN", same_list, "T"},

      {"Abs", direct<"Abs">},
      {"Neg", direct<"Neg">},
      {"Exp", direct<"Exp">},
      {"Expm1", expm1},
      {"Log", direct<"Log">},
      {"Log1p", log1p},
      {"Sqrt", direct<"Sqrt">},
      {"Rsqrt", rsqrt},
      {"Square", square},
      {"Reciprocal", direct<"Reciprocal">},
      {"Inv", direct<"Reciprocal">},
      {"Sign", direct<"Sign">},
      {"Floor", direct<"Floor">},
      {"Ceil", direct<"Ceil">},
      {"Round", direct<"Round">},  // half to even, as ONNX's
      {"Rint", direct<"Round">},
      {"Sin", direct<"Sin">},
      {"Cos", direct<"Cos">},
      {"Tan", direct<"Tan">},
      {"Asin", direct<"Asin">},
      {"Acos", direct<"Acos">},
      {"Atan", direct<"Atan">},
      {"Sinh", direct<"Sinh">},
      {"Cosh", direct<"Cosh">},
      {"Tanh", direct<"Tanh">},
      {"Asinh", direct<"Asinh">},
      {"Acosh", direct<"Acosh">},
      {"Atanh", direct<"Atanh">},
      {"Erf", direct<"Erf">},
      {"Erfc", erfc},
      {"Sigmoid", direct<"Sigmoid">},
      {"Relu", direct<"Relu">},
      {"Relu6", relu6},
      {"LeakyRelu", leaky_relu},
      {"Elu", direct<"Elu">},
      {"Selu", direct<"Selu">},
      {"Softplus", direct<"Softplus">},
      {"Softsign", direct<"Softsign">},

      {"Add", direct<"Add">},
      {"AddV2", direct<"Add">},
      {"AddN", add_n},
      {"AccumulateNV2", add_n},
      {"BiasAdd", bias_add},
      {"Sub", direct<"Sub">},
      {"Mul", direct<"Mul">},
      {"RealDiv", direct<"Div">},
      {"Div", direct<"Div">},
      {"TruncateDiv", direct<"Div">},
      {"FloorDiv", floor_div},
      {"FloorMod", floor_mod},
      {"Mod", truncate_mod},
      {"TruncateMod", truncate_mod},
      {"DivNoNan", div_no_nan},
      {"MulNoNan", mul_no_nan},
      {"Pow", direct<"Pow">},
      {"Maximum", direct<"Max">},
      {"Minimum", direct<"Min">},
      {"SquaredDifference", squared_difference},
      {"ClipByValue", clip_by_value},
      {"Cast", cast, "SrcT=0"},
  };
  return kOps;
}

}  // namespace neural_engine
