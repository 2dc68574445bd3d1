// Comparisons, logic and bits.
#include "ops/elementwise.h"
#include "ops/int_facts.h"

namespace neural_engine {

namespace {

// `holds` tells from the operands' order (-1, 0, 1) whether the comparison does.
template <DTypeSet kSet, bool (*holds)(int order)>
void infer_compare(InferContext& context) {
  infer_numbers<kSet>(context);
  if (context.wants_output(0))
    context.set(0, DType::kBool, broadcast(context, context.input(0).shape, context.input(1).shape));
  propagate_ints(context, [](std::span<const Dim> x) {
    const std::optional<int> order = compare(x[0], x[1]);
    return order ? Dim(int64_t{holds(*order)}) : Dim();
  });
}

bool is_equal(int order) { return order == 0; }
bool is_greater(int order) { return order > 0; }
bool is_greater_or_equal(int order) { return order >= 0; }
bool is_less(int order) { return order < 0; }
bool is_less_or_equal(int order) { return order <= 0; }

// Facts hold 0 and 1 for bool, so that these are arithmetic.
void infer_and(InferContext& context) {
  infer_numbers<kBoolType>(context);
  propagate_ints(context, [](std::span<const Dim> x) { return x[0] * x[1]; });
}
void infer_or(InferContext& context) {
  infer_numbers<kBoolType>(context);
  propagate_ints(context, [](std::span<const Dim> x) { return x[0] + x[1] - x[0] * x[1]; });
}
void infer_xor(InferContext& context) {
  infer_numbers<kBoolType>(context);
  propagate_ints(context, [](std::span<const Dim> x) {
    return x[0].known() && x[1].known() ? Dim(int64_t{x[0].value() != x[1].value()}) : Dim();
  });
}
void infer_not(InferContext& context) {
  infer_unary<kBoolType>(context);
  propagate_ints(context, [](std::span<const Dim> x) { return Dim(1) - x[0]; });
}

void infer_shift(InferContext& context) {
  infer_numbers<kUnsignedTypes>(context);
  const std::string& direction = context.attr<std::string>("direction");
  if (direction != "LEFT" && direction != "RIGHT") {
    context.invalid("attribute direction is \"", direction, "\", expected \"LEFT\" or \"RIGHT\"");
  }
}

void infer_classify(InferContext& context) {
  require_in(context, 0, kFloatTypes | kFloat8Types);
  context.set(0, DType::kBool, context.input(0).shape);
}

OpDef binary(const char* name, int since, void (*infer)(InferContext&), uint32_t flags = 0) {
  return {.name = name, .inputs = {2, 2}, .flags = kElementwise | flags, .infer = infer, .onnx = {{name, since}}};
}
OpDef unary(const char* name, int since, void (*infer)(InferContext&)) {
  return {.name = name, .flags = kElementwise, .infer = infer, .onnx = {{name, since}}};
}

}  // namespace

void append_logic_ops(std::vector<OpDef>* ops) {
  ops->push_back(binary("Equal", 7, infer_compare<kNumberTypes | kBoolType, is_equal>, kCommutative));
  ops->push_back(binary("Greater", 7, infer_compare<kNumberTypes, is_greater>));
  ops->push_back(binary("GreaterOrEqual", 12, infer_compare<kNumberTypes, is_greater_or_equal>));
  ops->push_back(binary("Less", 7, infer_compare<kNumberTypes, is_less>));
  ops->push_back(binary("LessOrEqual", 12, infer_compare<kNumberTypes, is_less_or_equal>));
  ops->push_back(binary("And", 7, infer_and, kCommutative));
  ops->push_back(binary("Or", 7, infer_or, kCommutative));
  ops->push_back(binary("Xor", 7, infer_xor, kCommutative));
  ops->push_back(unary("Not", 1, infer_not));
  for (const char* name : {"BitwiseAnd", "BitwiseOr", "BitwiseXor"}) {
    ops->push_back(binary(name, 18, infer_numbers<kIntegerTypes>, kCommutative));
  }
  ops->push_back(unary("BitwiseNot", 18, infer_unary<kIntegerTypes>));
  ops->push_back(binary("BitShift", 11, infer_shift));
  ops->back().attrs = {required_attr("direction", AttrType::kString)};
  ops->push_back(unary("IsNaN", 9, infer_classify));
  ops->push_back(unary("IsInf", 10, infer_classify));
  ops->back().attrs = {{"detect_negative", 1}, {"detect_positive", 1}};
}

}  // namespace neural_engine
