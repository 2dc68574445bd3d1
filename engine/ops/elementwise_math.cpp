// Functions of one number.
#include "ops/elementwise.h"
#include "ops/int_facts.h"

namespace neural_engine {

namespace {

void infer_neg(InferContext& context) {
  infer_unary<kFloatTypes | kSignedTypes>(context);
  propagate_ints(context, [](std::span<const Dim> x) { return Dim(0) - x[0]; });
}

void infer_abs(InferContext& context) {
  infer_unary<kNumberTypes>(context);
  propagate_ints(context, [](std::span<const Dim> x) {
    const std::optional<int> sign = compare(x[0], -1);
    return !sign ? Dim() : *sign > 0 ? x[0] : Dim(0) - x[0];
  });
}

struct FloatFunction {
  const char* name;
  int since;
};

// In the order of ONNX's documentation. Versions before `since` do not exist or carry `consumed_inputs`.
constexpr FloatFunction kFloatFunctions[] = {
    {"Floor", 6}, {"Ceil", 6}, {"Round", 11}, {"Sqrt", 6},  {"Reciprocal", 6}, {"Exp", 6},  {"Log", 6},
    {"Sin", 7},   {"Cos", 7},  {"Tan", 7},    {"Asin", 7},  {"Acos", 7},       {"Atan", 7}, {"Sinh", 9},
    {"Cosh", 9},  {"Tanh", 6}, {"Asinh", 9},  {"Acosh", 9}, {"Atanh", 9},
};

}  // namespace

void append_math_ops(std::vector<OpDef>* ops) {
  for (const FloatFunction& each : kFloatFunctions) {
    ops->push_back({.name = each.name,
                    .flags = kElementwise,
                    .infer = infer_unary<kFloatTypes>,
                    .onnx = {{each.name, each.since}}});
  }
  ops->push_back({.name = "Abs", .flags = kElementwise, .infer = infer_abs, .onnx = {{"Abs", 6}}});
  ops->push_back({.name = "Neg", .flags = kElementwise, .infer = infer_neg, .onnx = {{"Neg", 6}}});
  ops->push_back({.name = "Sign", .flags = kElementwise, .infer = infer_unary<kNumberTypes>, .onnx = {{"Sign", 9}}});
  ops->push_back({.name = "Erf", .flags = kElementwise, .infer = infer_unary<kNumberTypes>, .onnx = {{"Erf", 9}}});
}

}  // namespace neural_engine
