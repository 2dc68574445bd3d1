// Random tensors, Dropout, and EyeLike, which makes a tensor from a shape as they do.
#include "base/onnx_dtype.h"
#include "ops/all.h"
#include "ops/dtype_set.h"

namespace neural_engine {

namespace {

constexpr DTypeSet kEyeTypes = kNumberTypes | kBoolType;

// The attribute dtype, or that of input 0, which must then be of the set.
DType dtype_or_input(const InferContext& context, DTypeSet set) {
  if (context.node().attrs.has("dtype")) return dtype_attr(context, "dtype", set);
  require_in(context, 0, set);
  return context.dtype(0);
}

void infer_random(InferContext& context) {
  SymShape shape;
  for (int64_t dim : context.attr<std::vector<int64_t>>("shape")) {
    if (dim < 0) context.invalid("attribute shape has the dimension ", dim);
    shape.push_back(dim);
  }
  context.set(0, dtype_attr(context, "dtype", kFloatTypes), std::move(shape));
}

void infer_random_like(InferContext& context) {
  context.set(0, dtype_or_input(context, kFloatTypes), context.input(0).shape);
}

void infer_multinomial(InferContext& context) {
  require_in(context, 0, kFloatTypes);
  context.require_rank(0, 2);
  const int64_t samples = context.int_attr("sample_size");
  if (samples < 1) context.invalid("attribute sample_size is ", samples, ", expected at least 1");
  SymShape shape = {Dim(), samples};
  if (const SymShape* x = context.shape(0)) {
    if (x->back().is(0)) context.invalid("input 0 has shape ", to_string(*x), ": no class to choose");
    shape.front() = x->front();
  }
  context.set(0, dtype_attr(context, "dtype", dtype_set(DType::kS32, DType::kS64)), std::move(shape));
}

void infer_bernoulli(InferContext& context) {
  require_in(context, 0, kFloatTypes);
  context.set(0, dtype_or_input(context, kEyeTypes), context.input(0).shape);
}

void infer_dropout(InferContext& context) {
  require_in(context, 0, kFloatTypes | kFloat8Types);
  require_in(context, 1, kFloatTypes | kFloat8Types);
  require_in(context, 2, kBoolType);
  infer_same_as_first(context);
  context.set(1, DType::kBool, context.input(0).shape);
}

void infer_eye_like(InferContext& context) {
  context.require_rank(0, 2);
  context.set(0, dtype_or_input(context, kEyeTypes), context.input(0).shape);
}

// ONNX's code for f32.
constexpr int kF32Code = 1;
constexpr int kS32Code = 6;

OpDef random_op(const char* name, std::vector<AttrDef> attrs, Arity inputs, void (*infer)(InferContext&), int since) {
  attrs.push_back(optional_attr("seed", AttrType::kFloat));
  return {.name = name,
          .attrs = std::move(attrs),
          .inputs = inputs,
          .flags = kNondeterministic,
          .infer = infer,
          .onnx = {{name, since}}};
}

}  // namespace

std::span<const OpDef> random_ops() {
  static const auto* const kOps = [] {
    const AttrDef shape = required_attr("shape", AttrType::kInts), dtype = optional_attr("dtype", AttrType::kInt);
    const AttrDef mean("mean", 0.0f), scale("scale", 1.0f), low("low", 0.0f), high("high", 1.0f);
    const AttrDef f32("dtype", kF32Code);
    return new std::vector<OpDef>{
        random_op("RandomNormal", {f32, mean, scale, shape}, {0, 0}, infer_random, 1),
        random_op("RandomUniform", {f32, low, high, shape}, {0, 0}, infer_random, 1),
        random_op("RandomNormalLike", {dtype, mean, scale}, {1, 1}, infer_random_like, 1),
        random_op("RandomUniformLike", {dtype, low, high}, {1, 1}, infer_random_like, 1),
        random_op("Multinomial", {{"dtype", kS32Code}, {"sample_size", 1}}, {1, 1}, infer_multinomial, 7),
        random_op("Bernoulli", {dtype}, {1, 1}, infer_bernoulli, 15),
        {.name = "Dropout",
         .attrs = {optional_attr("seed", AttrType::kInt)},
         .inputs = {1, 3},
         .outputs = {1, 2},
         .flags = kNondeterministic,
         .infer = infer_dropout,
         .onnx = {{"Dropout", 12}}},
        {.name = "EyeLike", .attrs = {dtype, {"k", 0}}, .infer = infer_eye_like, .onnx = {{"EyeLike", 9}}},
    };
  }();
  return *kOps;
}

}  // namespace neural_engine
