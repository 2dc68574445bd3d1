// Linear quantization and back.
#include "ops/quantize.h"

#include "base/onnx_dtype.h"
#include "ops/all.h"
#include "ops/dtype_set.h"

namespace neural_engine {

namespace {

constexpr DTypeSet kRealTypes = dtype_set(DType::kF32, DType::kF16, DType::kBF16);
constexpr DTypeSet kQuantizedTypes =
    dtype_set(DType::kS16, DType::kU16, DType::kS8, DType::kU8) | kInt4Types | kFloat8Types;

bool certainly_differ(const Dim& a, const Dim& b) { return a.known() && b.known() && !(a == b); }

[[noreturn]] void refuse_scale(const InferContext& context, const std::string& expected) {
  context.invalid("input 1 (the scale) has shape ", to_string(*context.shape(1)), ", expected ", expected,
                  " for input 0 of ", to_string(*context.shape(0)), ", axis ", context.int_attr("axis"),
                  ", block_size ", context.int_attr("block_size"));
}

void check_blocks(const InferContext& context, int64_t block) {
  const SymShape& x = *context.shape(0);
  const SymShape& scale = *context.shape(1);
  if (scale.size() != x.size() || x.empty()) refuse_scale(context, "the rank of input 0");
  const auto axis =
      static_cast<size_t>(context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(x.size())));
  for (size_t i = 0; i < x.size(); ++i) {
    const Dim expected = i != axis ? x[i] : x[i].known() ? Dim((x[i].value() + block - 1) / block) : Dim();
    if (certainly_differ(scale[i], expected)) refuse_scale(context, "one element per block");
  }
}

// The type of the result: that of the zero point, or named by the attribute, or u8.
DType quantized_dtype(const InferContext& context) {
  const DType zero_point = context.has_input(2) ? context.dtype(2) : DType::kUndefined;
  if (context.int_attr("output_dtype") == 0) return context.has_input(2) ? zero_point : DType::kU8;
  const DType named = dtype_attr(context, "output_dtype", kQuantizedTypes);
  if (zero_point != DType::kUndefined && zero_point != named) {
    context.invalid("attribute output_dtype is ", to_string(named), ", the zero point has dtype ",
                    to_string(zero_point));
  }
  return named;
}

void infer_quantize(InferContext& context) {
  require_in(context, 0, kRealTypes | dtype_set(DType::kS32));
  require_in(context, 1, kRealTypes | dtype_set(DType::kS32));
  require_in(context, 2, kQuantizedTypes);
  const int64_t precision = context.int_attr("precision");
  if (precision != 0 && !contains(kRealTypes, dtype_of_onnx(precision))) {
    context.unsupported("attribute precision is the element type ", precision, ", supported: f32, f16, bf16");
  }
  check_granularity(context);
  context.set(0, quantized_dtype(context), context.input(0).shape);
}

void infer_dequantize(InferContext& context) {
  require_in(context, 0, kQuantizedTypes | dtype_set(DType::kS32));
  require_in(context, 1, kRealTypes);
  require_same_dtype(context, 0, 2);
  check_granularity(context);
  const bool named = context.int_attr("output_dtype") != 0;
  context.set(0, named ? dtype_attr(context, "output_dtype", kRealTypes) : context.dtype(1), context.input(0).shape);
}

void infer_dynamic_quantize(InferContext& context) {
  require_in(context, 0, dtype_set(DType::kF32));
  context.set(0, DType::kU8, context.input(0).shape);
  context.set(1, DType::kF32, SymShape{});
  context.set(2, DType::kU8, SymShape{});
}

}  // namespace

void check_granularity(const InferContext& context) {
  const int64_t block = context.int_attr("block_size");
  if (block < 0) context.invalid("attribute block_size is ", block, ", expected a number that is not negative");
  const SymShape* x = context.shape(0);
  const SymShape* scale = context.shape(1);
  if (scale != nullptr && context.has_input(2) && context.shape(2) != nullptr) {
    const SymShape& zero_point = *context.shape(2);
    bool same = scale->size() == zero_point.size();
    for (size_t i = 0; same && i < scale->size(); ++i) same = !certainly_differ((*scale)[i], zero_point[i]);
    // A scalar and a vector of one element say the same.
    if (!same && !(product(*scale).is(1) && product(zero_point).is(1))) {
      context.invalid("input 2 (the zero point) has shape ", to_string(zero_point), ", the scale has ",
                      to_string(*scale));
    }
  }
  if (x == nullptr || scale == nullptr) return;
  if (block > 0) return check_blocks(context, block);
  if (product(*scale).is(1)) return;
  if (scale->size() != 1) refuse_scale(context, "a scalar or a vector");
  const auto axis = context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(x->size()));
  if (certainly_differ(scale->front(), (*x)[static_cast<size_t>(axis)])) {
    refuse_scale(context, "one element per index of the axis");
  }
}

std::span<const OpDef> quantize_ops() {
  static const auto* const kOps = [] {
    // The forms up to 12 have no axis and one scale, those up to 20 no blocks: the defaults say the same.
    auto* ops = new std::vector<OpDef>{
        {.name = "QuantizeLinear",
         .attrs = {{"axis", 1}, {"block_size", 0}, {"output_dtype", 0}, {"precision", 0}, {"saturate", 1}},
         .inputs = {2, 3},
         .infer = infer_quantize,
         .onnx = {{"QuantizeLinear", 10}}},
        {.name = "DequantizeLinear",
         .attrs = {{"axis", 1}, {"block_size", 0}, {"output_dtype", 0}},
         .inputs = {2, 3},
         .infer = infer_dequantize,
         .onnx = {{"DequantizeLinear", 10}}},
        {.name = "DynamicQuantizeLinear",
         .outputs = {1, 3},
         .infer = infer_dynamic_quantize,
         .onnx = {{"DynamicQuantizeLinear", 11}}},
    };
    append_integer_ops(ops);
    append_integer_conv_ops(ops);
    return ops;
  }();
  return *kOps;
}

}  // namespace neural_engine
