// Ops along one axis that keep it (CumSum, TopK, Hardmax), and those on the last two (Trilu, Det).
#include "ops/dtype_set.h"
#include "ops/reduce.h"

namespace neural_engine {

namespace {

void require_scalar(const InferContext& context, int input) {
  const SymShape* shape = context.has_input(input) ? context.shape(input) : nullptr;
  const Dim count = shape ? product(*shape) : Dim(1);
  // ONNX says a scalar for some, [1] for others; exporters mix them.
  if (count.known() && !count.is(1)) {
    context.invalid("input ", input, " has shape ", to_string(*shape), ", expected one element");
  }
}

std::optional<int64_t> known_scalar(const InferContext& context, int input) {
  require_scalar(context, input);
  const std::optional<std::vector<int64_t>> known = context.known_ints(input);
  return known && known->size() == 1 ? std::optional(known->front()) : std::nullopt;
}

void infer_cumsum(InferContext& context) {
  require_in(context, 0, kFloatTypes | dtype_set(DType::kS64, DType::kS32, DType::kU64, DType::kU32));
  require_in(context, 1, dtype_set(DType::kS64, DType::kS32));
  const std::optional<int64_t> axis = known_scalar(context, 1);
  if (axis && context.shape(0) != nullptr) {
    context.normalize_axis(*axis, static_cast<int64_t>(context.shape(0)->size()));
  }
  infer_same_as_first(context);
}

void infer_topk(InferContext& context) {
  require_in(context, 0, kNumberTypes);
  require_in(context, 1, dtype_set(DType::kS64));
  const std::optional<int64_t> k = known_scalar(context, 1);
  if (k && *k < 0) context.invalid("k is ", *k, ", expected a number that is not negative");
  std::optional<SymShape> shape;
  if (context.shape(0) != nullptr) {
    shape = *context.shape(0);
    const auto rank = static_cast<int64_t>(shape->size());
    Dim& along = (*shape)[static_cast<size_t>(context.normalize_axis(context.int_attr("axis"), rank))];
    if (k && along.known() && *k > along.value()) context.invalid("k is ", *k, ", the axis has ", along.value());
    along = k ? Dim(*k) : Dim();
  }
  context.set(0, context.dtype(0), shape);
  context.set(1, DType::kS64, std::move(shape));
}

void infer_hardmax(InferContext& context) {
  require_in(context, 0, kFloatTypes);
  if (const SymShape* shape = context.shape(0)) {
    context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(shape->size()));
  }
  infer_same_as_first(context);
}

void require_matrices(const InferContext& context) {
  const SymShape* shape = context.shape(0);
  if (shape != nullptr && shape->size() < 2) {
    context.invalid("input 0 has shape ", to_string(*shape), ", expected rank 2 or more");
  }
}

void infer_trilu(InferContext& context) {
  require_in(context, 0, kWholeByteTypes);
  require_in(context, 1, dtype_set(DType::kS64));
  require_scalar(context, 1);
  require_matrices(context);
  infer_same_as_first(context);
}

void infer_det(InferContext& context) {
  require_in(context, 0, kFloatTypes);
  require_matrices(context);
  std::optional<SymShape> shape = context.input(0).shape;
  if (shape) {
    const Dim& rows = (*shape)[shape->size() - 2];
    const Dim& columns = shape->back();
    if (rows.known() && columns.known() && !(rows == columns)) {
      context.invalid("input 0 has shape ", to_string(*shape), ", expected square matrices");
    }
    shape->resize(shape->size() - 2);
  }
  context.set(0, context.dtype(0), std::move(shape));
}

}  // namespace

void append_axis_ops(std::vector<OpDef>* ops) {
  ops->push_back({.name = "CumSum",
                  .attrs = {{"exclusive", 0}, {"reverse", 0}},
                  .inputs = {2, 2},
                  .infer = infer_cumsum,
                  .onnx = {{"CumSum", 11}}});
  // Opset 10's has the largest, sorted: these defaults.
  ops->push_back({.name = "TopK",
                  .attrs = {{"axis", -1}, {"largest", 1}, {"sorted", 1}},
                  .inputs = {2, 2},
                  .outputs = {1, 2},
                  .infer = infer_topk,
                  .onnx = {{"TopK", 10}}});
  ops->push_back({.name = "Hardmax", .attrs = {{"axis", -1}}, .infer = infer_hardmax, .onnx = {{"Hardmax", 13}}});
  ops->push_back(
      {.name = "Trilu", .attrs = {{"upper", 1}}, .inputs = {1, 2}, .infer = infer_trilu, .onnx = {{"Trilu", 14}}});
  ops->push_back({.name = "Det", .infer = infer_det, .onnx = {{"Det", 11}}});
}

}  // namespace neural_engine
