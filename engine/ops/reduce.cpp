// Reductions over axes that an operand names, ArgMax and ArgMin.
#include "ops/reduce.h"

#include "ops/all.h"
#include "ops/dtype_set.h"
#include "ops/int_facts.h"

namespace neural_engine {

namespace {

// The number of axes that the operand lists, when known; an absent operand lists none.
Dim axis_count(const InferContext& context) {
  if (!context.has_input(1)) return 0;
  const SymShape* shape = context.shape(1);
  return shape == nullptr ? Dim() : product(*shape);
}

// Which dimensions are reduced, when that is known.
std::optional<std::vector<bool>> reduced_axes(const InferContext& context, size_t rank) {
  std::vector<int64_t> axes;
  if (!axis_count(context).is(0)) {
    std::optional<std::vector<int64_t>> known = context.known_ints(1);
    if (!known) return std::nullopt;
    axes = *std::move(known);
  } else if (context.int_attr("noop_with_empty_axes") == 0) {
    return std::vector<bool>(rank, true);
  }
  std::vector<bool> reduced(rank, false);
  for (int64_t axis : axes) {
    const auto i = static_cast<size_t>(context.normalize_axis(axis, static_cast<int64_t>(rank)));
    if (reduced[i]) context.invalid("axis ", axis, " is listed twice");
    reduced[i] = true;
  }
  return reduced;
}

// Without the axes: the rank at best.
std::optional<SymShape> shape_of_unknown_axes(const InferContext& context, size_t rank, bool keep) {
  if (keep) return SymShape(rank);
  const Dim count = axis_count(context);
  if (!count.known()) return std::nullopt;
  if (count.value() > static_cast<int64_t>(rank)) context.invalid(count.value(), " axes found for rank ", rank);
  return SymShape(rank - static_cast<size_t>(count.value()));
}

std::optional<SymShape> reduced_shape(const InferContext& context) {
  const SymShape* shape = context.shape(0);
  if (shape == nullptr) return std::nullopt;
  const bool keep = context.int_attr("keepdims") != 0;
  const std::optional<std::vector<bool>> reduced = reduced_axes(context, shape->size());
  if (!reduced) return shape_of_unknown_axes(context, shape->size(), keep);
  SymShape result;
  for (size_t i = 0; i < shape->size(); ++i) {
    if (!(*reduced)[i]) {
      result.push_back((*shape)[i]);
    } else if (keep) {
      result.push_back(1);
    }
  }
  return result;
}

template <DTypeSet kSet>
void infer_reduce(InferContext& context) {
  require_in(context, 0, kSet);
  require_in(context, 1, dtype_set(DType::kS64));
  context.set(0, context.dtype(0), reduced_shape(context));
}

// A whole vector of dimensions to one.
void fold_ints(InferContext& context, Dim (*combine)(const Dim&, const Dim&)) {
  const std::optional<std::vector<Dim>> elements = int_facts(context, 0);
  if (!elements || elements->empty() || context.shape(0)->size() != 1) return;
  const std::optional<std::vector<bool>> reduced = reduced_axes(context, 1);
  if (!reduced || !reduced->front()) return;
  Dim result = elements->front();
  for (size_t i = 1; i < elements->size(); ++i) result = combine(result, (*elements)[i]);
  set_int_facts(context, {result});
}

constexpr DTypeSet kSumTypes = kFloatTypes | dtype_set(DType::kS64, DType::kS32, DType::kU64, DType::kU32);
constexpr DTypeSet kExtremeTypes = kSumTypes | kBoolType | dtype_set(DType::kS8, DType::kU8);

void infer_sum(InferContext& context) {
  infer_reduce<kSumTypes>(context);
  fold_ints(context, [](const Dim& a, const Dim& b) { return a + b; });
}
void infer_prod(InferContext& context) {
  infer_reduce<kSumTypes>(context);
  fold_ints(context, [](const Dim& a, const Dim& b) { return a * b; });
}
void infer_max(InferContext& context) {
  infer_reduce<kExtremeTypes>(context);
  fold_ints(context, [](const Dim& a, const Dim& b) {
    const std::optional<int> order = compare(a, b);
    return order ? (*order > 0 ? a : b) : Dim();
  });
}
void infer_min(InferContext& context) {
  infer_reduce<kExtremeTypes>(context);
  fold_ints(context, [](const Dim& a, const Dim& b) {
    const std::optional<int> order = compare(a, b);
    return order ? (*order < 0 ? a : b) : Dim();
  });
}

void infer_arg(InferContext& context) {
  require_in(context, 0, kNumberTypes);
  std::optional<SymShape> shape;
  if (context.shape(0) != nullptr) {
    shape = *context.shape(0);
    const auto axis = context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(shape->size()));
    if ((*shape)[static_cast<size_t>(axis)].is(0))
      context.invalid("axis ", axis, " of ", to_string(*shape), " is empty");
    if (context.int_attr("keepdims") != 0) {
      (*shape)[static_cast<size_t>(axis)] = 1;
    } else {
      shape->erase(shape->begin() + axis);
    }
  }
  context.set(0, DType::kS64, std::move(shape));
}

// With the axes in an operand: since 18, ReduceSum since 13.
OpDef reduction(const char* name, int since, void (*infer)(InferContext&)) {
  return {.name = name,
          .attrs = {{"keepdims", 1}, {"noop_with_empty_axes", 0}},
          .inputs = {1, 2},
          .infer = infer,
          .onnx = {{name, since}}};
}

OpDef arg_reduction(const char* name) {
  return {.name = name,
          .attrs = {{"axis", 0}, {"keepdims", 1}, {"select_last_index", 0}},
          .infer = infer_arg,
          .onnx = {{name, 1}}};
}

}  // namespace

std::span<const OpDef> reduce_ops() {
  static const auto* const kOps = [] {
    auto* ops = new std::vector<OpDef>;
    ops->push_back(reduction("ReduceSum", 13, infer_sum));
    ops->push_back(reduction("ReduceProd", 18, infer_prod));
    ops->push_back(reduction("ReduceMax", 18, infer_max));
    ops->push_back(reduction("ReduceMin", 18, infer_min));
    for (const char* name :
         {"ReduceMean", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"}) {
      ops->push_back(reduction(name, 18, infer_reduce<kSumTypes>));
    }
    ops->push_back(arg_reduction("ArgMax"));
    ops->push_back(arg_reduction("ArgMin"));
    append_axis_ops(ops);
    return ops;
  }();
  return *kOps;
}

}  // namespace neural_engine
