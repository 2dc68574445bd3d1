#include <algorithm>

#include "ir/infer.h"
#include "ops/all.h"

namespace neural_engine {

namespace {

constexpr std::initializer_list<DType> kFloats = {DType::kF64, DType::kF32, DType::kF16, DType::kBF16};

// All inputs are floating point; those from `first` to `last` have the dtype of input 0.
void check_floats(const InferContext& context, int last) {
  for (int i = 0; i <= last && i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) continue;
    context.require_dtype(i, kFloats);
    const DType found = context.dtype(i), expected = context.dtype(0);
    if (found != DType::kUndefined && expected != DType::kUndefined && found != expected) {
      context.invalid("input ", i, " has dtype ", to_string(found), ", input 0 has ", to_string(expected));
    }
  }
}

void infer_softmax(InferContext& context) {
  check_floats(context, 0);
  if (const SymShape* shape = context.shape(0)) {
    const int64_t rank = static_cast<int64_t>(shape->size());
    // A scalar is a row of one element.
    if (rank > 0) context.normalize_axis(context.int_attr("axis"), rank);
  }
  infer_same_as_first(context);
}

// Operand i spreads over `shape` and not the other way round.
void check_spreads(const InferContext& context, int i, const SymShape& shape) {
  if (!context.has_input(i) || !context.shape(i)) return;
  const SymShape& operand = *context.shape(i);
  bool fits = operand.size() <= shape.size();
  for (size_t d = 0; fits && d < operand.size(); ++d) {
    const Dim &own = operand[operand.size() - 1 - d], &whole = shape[shape.size() - 1 - d];
    fits = !own.known() || own.is(1) || !whole.known() || own.value() == whole.value();
  }
  if (!fits) {
    context.invalid("input ", i, " has shape ", to_string(operand), ", which does not spread over ", to_string(shape));
  }
}

void check_stash_type(const InferContext& context) {
  if (const int64_t found = context.int_attr("stash_type"); found != 1) {
    context.unsupported("stash_type ", found, " found, 1 (f32) is supported");
  }
}

void infer_layer_norm(InferContext& context) {
  check_floats(context, 2);
  check_stash_type(context);
  infer_same_as_first(context);
  std::optional<SymShape> moments;
  if (const SymShape* shape = context.shape(0)) {
    const int64_t axis = context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(shape->size()));
    check_spreads(context, 1, *shape);
    check_spreads(context, 2, *shape);
    moments = *shape;
    std::fill(moments->begin() + axis, moments->end(), Dim(1));
  }
  context.set(1, DType::kF32, moments);
  context.set(2, DType::kF32, moments);
}

void infer_rms_norm(InferContext& context) {
  check_floats(context, 0);
  context.require_dtype(1, kFloats);
  check_stash_type(context);
  if (const SymShape* shape = context.shape(0)) {
    context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(shape->size()));
    check_spreads(context, 1, *shape);
  }
  // The result has the dtype of the scale.
  context.set(0, context.dtype(1), context.input(0).shape);
}

// Input i is a vector of `count` elements.
void check_vector(const InferContext& context, int i, const Dim& count) {
  if (!context.has_input(i) || !context.shape(i)) return;
  const SymShape& shape = *context.shape(i);
  if (shape.size() != 1 || (count.known() && shape[0].known() && shape[0].value() != count.value())) {
    context.invalid("input ", i, " has shape ", to_string(shape), ", expected [", to_string(count), "]");
  }
}

// The channels, dimension 1 of input 0; unknown when the shape is.
Dim channels(const InferContext& context, size_t min_rank) {
  const SymShape* shape = context.shape(0);
  if (!shape) return {};
  if (shape->size() < min_rank) {
    context.invalid("input 0 has shape ", to_string(*shape), ", expected a rank of at least ", min_rank);
  }
  return (*shape)[1];
}

void infer_batch_norm(InferContext& context) {
  for (int i = 0; i < 5; ++i) context.require_dtype(i, kFloats);
  const bool training = context.int_attr("training_mode") != 0;
  if (context.num_outputs() > 1 && !training) {
    context.invalid(context.num_outputs(), " outputs found, expected 1 when training_mode is 0");
  }
  // One dimension has a single channel.
  const SymShape* shape = context.shape(0);
  const Dim count = shape && shape->size() == 1 ? Dim(1) : channels(context, 2);
  for (int i = 1; i < 5; ++i) check_vector(context, i, count);
  infer_same_as_first(context);
  for (int i = 1; i < 3; ++i) context.set(i, context.dtype(3), SymShape{count});
}

void infer_instance_norm(InferContext& context) {
  check_floats(context, 2);
  const Dim count = channels(context, 3);
  check_vector(context, 1, count);
  check_vector(context, 2, count);
  infer_same_as_first(context);
}

void infer_group_norm(InferContext& context) {
  check_floats(context, 2);
  check_stash_type(context);
  const Dim count = channels(context, 2);
  const int64_t groups = context.int_attr("num_groups");
  if (groups < 1 || (count.known() && count.value() % groups != 0)) {
    context.invalid("num_groups is ", groups, ", which does not divide ", to_string(count), " channels");
  }
  // One scale for each channel (since opset 21) or for each group (before); where both counts agree both mean the same.
  for (int i = 1; i < 3; ++i) {
    if (const SymShape* shape = context.shape(i); !shape || shape->size() != 1 || !(*shape)[0].is(groups)) {
      check_vector(context, i, count);
    }
  }
  infer_same_as_first(context);
}

void infer_lrn(InferContext& context) {
  check_floats(context, 0);
  channels(context, 2);
  if (const int64_t size = context.int_attr("size"); size < 1) {
    context.invalid("size is ", size, ", expected at least 1");
  }
  infer_same_as_first(context);
}

void infer_lp_norm(InferContext& context) {
  check_floats(context, 0);
  if (const int64_t p = context.int_attr("p"); p != 1 && p != 2) context.invalid("p is ", p, ", expected 1 or 2");
  if (const SymShape* shape = context.shape(0)) {
    context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(shape->size()));
  }
  infer_same_as_first(context);
}

void infer_mean_variance(InferContext& context) {
  check_floats(context, 0);
  if (const SymShape* shape = context.shape(0)) {
    for (const int64_t axis : context.attr<std::vector<int64_t>>("axes")) {
      context.normalize_axis(axis, static_cast<int64_t>(shape->size()));
    }
  }
  infer_same_as_first(context);
}

}  // namespace

std::span<const OpDef> norm_ops() {
  static const std::vector<OpDef> kOps = {
      {.name = "Softmax", .attrs = {{"axis", -1}}, .infer = infer_softmax, .onnx = {{"Softmax", 13}}},
      {.name = "LogSoftmax", .attrs = {{"axis", -1}}, .infer = infer_softmax, .onnx = {{"LogSoftmax", 13}}},
      {.name = "LayerNormalization",
       .attrs = {{"axis", -1}, {"epsilon", 1e-5f}, {"stash_type", 1}},
       .inputs = {2, 3},
       .outputs = {1, 3},
       .infer = infer_layer_norm,
       .onnx = {{"LayerNormalization", 17}}},
      {.name = "RMSNormalization",
       .attrs = {{"axis", -1}, {"epsilon", 1e-5f}, {"stash_type", 1}},
       .inputs = {2, 2},
       .infer = infer_rms_norm,
       .onnx = {{"RMSNormalization", 23}}},
      {.name = "BatchNormalization",
       .attrs = {{"epsilon", 1e-5f}, {"momentum", 0.9f}, {"training_mode", 0}},
       .inputs = {5, 5},
       .outputs = {1, 3},
       .infer = infer_batch_norm,
       .onnx = {{"BatchNormalization", 9}}},
      {.name = "InstanceNormalization",
       .attrs = {{"epsilon", 1e-5f}},
       .inputs = {3, 3},
       .infer = infer_instance_norm,
       .onnx = {{"InstanceNormalization", 6}}},
      {.name = "GroupNormalization",
       .attrs = {{"epsilon", 1e-5f}, required_attr("num_groups", AttrType::kInt), {"stash_type", 1}},
       .inputs = {3, 3},
       .infer = infer_group_norm,
       .onnx = {{"GroupNormalization", 18}}},
      {.name = "LRN",
       .attrs = {{"alpha", 1e-4f}, {"beta", 0.75f}, {"bias", 1.0f}, required_attr("size", AttrType::kInt)},
       .infer = infer_lrn,
       .onnx = {{"LRN", 1}}},
      {.name = "LpNormalization",
       .attrs = {{"axis", -1}, {"p", 2}},
       .infer = infer_lp_norm,
       .onnx = {{"LpNormalization", 1}}},
      {.name = "MeanVarianceNormalization",
       .attrs = {{"axes", std::vector<int64_t>{0, 2, 3}}},
       .infer = infer_mean_variance,
       .onnx = {{"MeanVarianceNormalization", 9}}},
  };
  return kOps;
}

}  // namespace neural_engine
