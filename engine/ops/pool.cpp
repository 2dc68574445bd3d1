#include "ops/pool.h"

#include "ops/window.h"

namespace neural_engine {

namespace {

constexpr std::initializer_list<DType> kFloats = {DType::kF64, DType::kF32, DType::kF16, DType::kBF16};

const SymShape* image_shape(const InferContext& context, size_t min_rank) {
  const SymShape* shape = context.shape(0);
  if (shape && shape->size() < min_rank) {
    context.invalid("input 0 has shape ", to_string(*shape), ", expected a rank of at least ", min_rank);
  }
  return shape;
}

void check_power(const InferContext& context) {
  const int64_t p = context.node().attrs.get_or<int64_t>("p", 2);
  if (p < 1) context.invalid("p is ", p, ", expected at least 1");
}

std::optional<SymShape> pooled_shape(const InferContext& context) {
  check_power(context);
  const SymShape* x = image_shape(context, 3);
  if (!x) return std::nullopt;
  const Window window(context.node().attrs, x->size() - 2);
  SymShape out = {(*x)[0], (*x)[1]};
  for (size_t i = 0; i < window.axes(); ++i) out.push_back(window.output(i, (*x)[i + 2]));
  return out;
}

}  // namespace

void infer_pool(InferContext& context) {
  context.require_dtype(0, kFloats);
  context.set(0, context.dtype(0), pooled_shape(context));
}

void infer_max_pool(InferContext& context) {
  context.require_dtype(0, {DType::kF64, DType::kF32, DType::kF16, DType::kBF16, DType::kS8, DType::kU8});
  if (const int64_t order = context.int_attr("storage_order"); order != 0 && order != 1) {
    context.invalid("storage_order is ", order, ", expected 0 or 1");
  }
  const std::optional<SymShape> shape = pooled_shape(context);
  context.set(0, context.dtype(0), shape);
  context.set(1, DType::kS64, shape);
}

void infer_global_pool(InferContext& context) {
  context.require_dtype(0, kFloats);
  check_power(context);
  const SymShape* x = image_shape(context, 2);
  if (!x) return context.set_unknown(0, context.dtype(0));
  SymShape out(x->size(), Dim(1));
  out[0] = (*x)[0];
  out[1] = (*x)[1];
  context.set(0, context.dtype(0), std::move(out));
}

}  // namespace neural_engine
