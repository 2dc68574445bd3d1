// Where, Clip and the casts.
#include "ops/elementwise.h"
#include "ops/int_facts.h"

namespace neural_engine {

namespace {

void infer_where(InferContext& context) {
  require_in(context, 0, kBoolType);
  require_in(context, 1, kWholeByteTypes);
  require_same_dtype(context, 1, 2);
  const DType dtype = context.dtype(1) != DType::kUndefined ? context.dtype(1) : context.dtype(2);
  std::optional<SymShape> shape = broadcast(context, context.input(1).shape, context.input(2).shape);
  context.set(0, dtype, broadcast(context, context.input(0).shape, shape));
  // A condition that is not known does not matter where both choices are the same.
  propagate_ints(context, [](std::span<const Dim> x) {
    if (x[0].known()) return x[0].is(0) ? x[2] : x[1];
    return x[1] == x[2] ? x[1] : Dim();
  });
}

void infer_clip(InferContext& context) {
  infer_unary<kNumberTypes>(context);
  for (int bound : {1, 2}) {
    require_same_dtype(context, 0, bound);
    // ONNX says "scalar"; a vector of one element occurs.
    const SymShape* shape = context.has_input(bound) ? context.shape(bound) : nullptr;
    const Dim count = shape ? product(*shape) : Dim(1);
    if (count.known() && !count.is(1)) {
      context.invalid("input ", bound, " has shape ", to_string(*shape), ", expected a scalar");
    }
  }
}

// Integers keep their facts on the way to another integer type; to bool, what is certainly zero or not.
void propagate_cast(InferContext& context) {
  std::optional<std::vector<Dim>> elements = int_facts(context, 0);
  if (!elements) return;
  if (context.output_dtype(0) == DType::kBool) {
    for (Dim& each : *elements) each = each.known() ? Dim(int64_t{each.value() != 0}) : Dim();
  }
  set_int_facts(context, *std::move(elements));
}

void infer_cast(InferContext& context) {
  require_in(context, 0, kAllTypes);
  context.set(0, dtype_attr(context, "to", kAllTypes), context.input(0).shape);
  propagate_cast(context);
}

void infer_cast_like(InferContext& context) {
  require_in(context, 0, kAllTypes);
  require_in(context, 1, kAllTypes);
  context.set(0, context.dtype(1), context.input(0).shape);
  propagate_cast(context);
}

}  // namespace

void append_select_ops(std::vector<OpDef>* ops) {
  ops->push_back(
      {.name = "Where", .inputs = {3, 3}, .flags = kElementwise, .infer = infer_where, .onnx = {{"Where", 9}}});
  ops->push_back(
      {.name = "Clip", .inputs = {1, 3}, .flags = kElementwise, .infer = infer_clip, .onnx = {{"Clip", 11}}});
  ops->push_back({.name = "Cast",
                  .attrs = {required_attr("to", AttrType::kInt), {"saturate", 1}},
                  .flags = kElementwise,
                  .infer = infer_cast,
                  .onnx = {{"Cast", 6}}});
  // Not element-wise in its second operand, of which only the dtype counts.
  ops->push_back({.name = "CastLike",
                  .attrs = {{"saturate", 1}},
                  .inputs = {2, 2},
                  .infer = infer_cast_like,
                  .onnx = {{"CastLike", 15}}});
}

}  // namespace neural_engine
