// Arithmetic of two or more numbers.
#include "ops/elementwise.h"
#include "ops/int_facts.h"

namespace neural_engine {

namespace {

void infer_add(InferContext& context) {
  infer_numbers<kNumberTypes>(context);
  propagate_ints(context, [](std::span<const Dim> x) { return x[0] + x[1]; });
}
void infer_sub(InferContext& context) {
  infer_numbers<kNumberTypes>(context);
  propagate_ints(context, [](std::span<const Dim> x) { return x[0] - x[1]; });
}
void infer_mul(InferContext& context) {
  infer_numbers<kNumberTypes>(context);
  propagate_ints(context, [](std::span<const Dim> x) { return x[0] * x[1]; });
}
void infer_div(InferContext& context) {
  infer_numbers<kNumberTypes>(context);
  propagate_ints(context, [](std::span<const Dim> x) { return x[0] / x[1]; });
}

void infer_mod(InferContext& context) {
  const bool fmod = context.int_attr("fmod") != 0;
  infer_numbers<kNumberTypes>(context);
  if (!fmod && is_floating(context.dtype(0))) {
    context.invalid("attribute fmod is 0 for dtype ", to_string(context.dtype(0)), ", floating dtypes need 1");
  }
  propagate_ints(context, [fmod](std::span<const Dim> x) -> Dim {
    if (!x[0].known() || !x[1].known() || x[1].value() == 0) return {};
    const int64_t b = x[1].value();
    if (b == -1) return 0;
    const int64_t rest = x[0].value() % b;
    return !fmod && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  });
}

void infer_pow(InferContext& context) {
  require_in(context, 0, kFloatTypes | dtype_set(DType::kS64, DType::kS32));
  require_in(context, 1, kNumberTypes);
  context.set(0, context.dtype(0), broadcast(context, context.input(0).shape, context.input(1).shape));
}

// The slope spreads over x, never x over the slope.
void infer_prelu(InferContext& context) {
  constexpr DTypeSet kTypes = kFloatTypes | dtype_set(DType::kS64, DType::kS32, DType::kU64, DType::kU32);
  require_in(context, 0, kTypes);
  require_same_dtype(context, 0, 1);
  const SymShape* x = context.shape(0);
  const SymShape* slope = context.shape(1);
  if (x != nullptr && slope != nullptr) {
    const std::optional<SymShape> both = broadcast(context, *x, *slope);
    bool grows = slope->size() > x->size();
    for (size_t i = 0; !grows && i < x->size(); ++i) grows = (*x)[i].is(1) && (*both)[i].known() && !(*both)[i].is(1);
    if (grows) context.invalid("slope of shape ", to_string(*slope), " does not broadcast to x of ", to_string(*x));
  }
  infer_same_as_first(context);
}

// One of the operands when it certainly wins; `wanted` is the sign of its comparison with the others.
Dim extreme(std::span<const Dim> x, int wanted) {
  Dim best = x[0];
  for (const Dim& each : x.subspan(1)) {
    const std::optional<int> order = compare(each, best);
    if (!order) return {};
    if (*order == wanted) best = each;
  }
  return best;
}
void infer_min(InferContext& context) {
  infer_numbers<kNumberTypes>(context);
  propagate_ints(context, [](std::span<const Dim> x) { return extreme(x, -1); });
}
void infer_max(InferContext& context) {
  infer_numbers<kNumberTypes>(context);
  propagate_ints(context, [](std::span<const Dim> x) { return extreme(x, 1); });
}

OpDef arithmetic(const char* name, int since, void (*infer)(InferContext&), uint32_t flags = 0) {
  return {.name = name, .inputs = {2, 2}, .flags = kElementwise | flags, .infer = infer, .onnx = {{name, since}}};
}
// Before opset 8 the operands had one shape: a broadcast of nothing.
OpDef variadic(const char* name, void (*infer)(InferContext&)) {
  return {.name = name, .inputs = {1, kVariadic}, .flags = kElementwise, .infer = infer, .onnx = {{name, 6}}};
}

}  // namespace

void append_arithmetic_ops(std::vector<OpDef>* ops) {
  ops->push_back(arithmetic("Add", 7, infer_add, kCommutative));
  ops->push_back(arithmetic("Sub", 7, infer_sub));
  ops->push_back(arithmetic("Mul", 7, infer_mul, kCommutative));
  ops->push_back(arithmetic("Div", 7, infer_div));
  ops->push_back(arithmetic("Mod", 10, infer_mod));
  ops->back().attrs = {{"fmod", 0}};
  ops->push_back(arithmetic("Pow", 7, infer_pow));
  ops->push_back(arithmetic("PRelu", 7, infer_prelu));
  ops->push_back(variadic("Min", infer_min));
  ops->push_back(variadic("Max", infer_max));
  ops->push_back(variadic("Sum", infer_numbers<kFloatTypes>));
  ops->push_back(variadic("Mean", infer_numbers<kFloatTypes>));
}

}  // namespace neural_engine
