#include "ir/infer.h"
#include "ops/all.h"
#include "ops/pool.h"
#include "ops/window.h"

namespace neural_engine {

namespace {

constexpr std::initializer_list<DType> kFloats = {DType::kF64, DType::kF32, DType::kF16, DType::kBF16};

void check_floats(const InferContext& context) {
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) continue;
    context.require_dtype(i, kFloats);
    if (context.dtype(i) != DType::kUndefined && context.dtype(0) != DType::kUndefined &&
        context.dtype(i) != context.dtype(0)) {
      context.invalid("input ", i, " has dtype ", to_string(context.dtype(i)), ", input 0 has ",
                      to_string(context.dtype(0)));
    }
  }
}

void check_equal(const InferContext& context, const char* what, const Dim& found, const Dim& expected) {
  if (found.known() && expected.known() && found.value() != expected.value()) {
    context.invalid(what, " is ", found.value(), ", expected ", expected.value());
  }
}

// The image's shape once it is known to be [N,C,spatial...] and the weight's rank to agree; nullptr when unknown.
const SymShape* image_shape(const InferContext& context) {
  const SymShape *x = context.shape(0), *w = context.shape(1);
  for (const SymShape* shape : {x, w}) {
    if (shape && shape->size() < 3) {
      context.invalid("shape ", to_string(*shape), " found, expected a rank of at least 3");
    }
  }
  if (!x || !w) return nullptr;
  if (x->size() != w->size()) {
    context.invalid("the image has shape ", to_string(*x), ", the weight ", to_string(*w), ", expected one rank");
  }
  return x;
}

SymShape kernel_of(const SymShape& weight) { return {weight.begin() + 2, weight.end()}; }

int64_t groups_of(const InferContext& context, const char* attr, const Dim& channels) {
  const int64_t groups = context.int_attr(attr);
  if (groups < 1 || (channels.known() && channels.value() % groups != 0)) {
    context.invalid(attr, " is ", groups, ", which does not divide ", to_string(channels), " channels");
  }
  return groups;
}

void check_bias(const InferContext& context, int i, const Dim& channels) {
  if (!context.has_input(i) || !context.shape(i)) return;
  context.require_rank(i, 1);
  check_equal(context, "the size of the bias", (*context.shape(i))[0], channels);
}

void infer_conv(InferContext& context) {
  check_floats(context);
  const SymShape* x = image_shape(context);
  if (!x) return context.set_unknown(0, context.dtype(0));
  const SymShape& w = *context.shape(1);
  const int64_t groups = groups_of(context, "group", w[0]);
  check_equal(context, "the number of channels", (*x)[1], w[1] * Dim(groups));
  check_bias(context, 2, w[0]);
  const Window window(context.node().attrs, x->size() - 2, kernel_of(w));
  SymShape out = {(*x)[0], w[0]};
  for (size_t i = 0; i < window.axes(); ++i) out.push_back(window.output(i, (*x)[i + 2]));
  context.set(0, context.dtype(0), std::move(out));
}

void infer_conv_transpose(InferContext& context) {
  check_floats(context);
  const SymShape* x = image_shape(context);
  if (!x) return context.set_unknown(0, context.dtype(0));
  const SymShape& w = *context.shape(1);
  const int64_t groups = groups_of(context, "group", w[0]);
  check_equal(context, "the number of channels", (*x)[1], w[0]);
  const Dim channels = w[1] * Dim(groups);
  check_bias(context, 2, channels);
  const Window window(context.node().attrs, x->size() - 2, kernel_of(w));
  SymShape out = {(*x)[0], channels};
  for (size_t i = 0; i < window.axes(); ++i) out.push_back(window.transposed_output(i, (*x)[i + 2]));
  context.set(0, context.dtype(0), std::move(out));
}

// Operand i (offsets, mask) is [N, channels, output...].
void check_samples(const InferContext& context, int i, const Dim& channels, const SymShape& out) {
  if (!context.has_input(i) || !context.shape(i)) return;
  const SymShape& shape = *context.shape(i);
  context.require_rank(i, 4);
  check_equal(context, "the channels of the offsets or the mask", shape[1], channels);
  for (const size_t d : {size_t{0}, size_t{2}, size_t{3}}) {
    check_equal(context, "a dimension of the offsets or the mask", shape[d], out[d]);
  }
}

void infer_deform_conv(InferContext& context) {
  check_floats(context);
  const SymShape* x = image_shape(context);
  if (!x) return context.set_unknown(0, context.dtype(0));
  if (x->size() != 4) {
    context.unsupported("the image has shape ", to_string(*x), ", two spatial dimensions are supported");
  }
  const SymShape& w = *context.shape(1);
  const int64_t groups = groups_of(context, "group", w[0]);
  const int64_t offset_groups = groups_of(context, "offset_group", (*x)[1]);
  check_equal(context, "the number of channels", (*x)[1], w[1] * Dim(groups));
  check_bias(context, 3, w[0]);
  const Window window(context.node().attrs, 2, kernel_of(w));
  const SymShape out = {(*x)[0], w[0], window.output(0, (*x)[2]), window.output(1, (*x)[3])};
  const Dim samples = Dim(offset_groups) * window.kernel(0) * window.kernel(1);
  check_samples(context, 2, samples * Dim(2), out);
  check_samples(context, 4, samples, out);
  context.set(0, context.dtype(0), out);
}

// Attributes of every sliding window but kernel_shape.
std::vector<AttrDef> window_attrs(std::initializer_list<AttrDef> more) {
  std::vector<AttrDef> attrs = {{"auto_pad", "NOTSET"},
                                {"strides", std::vector<int64_t>{}},
                                {"dilations", std::vector<int64_t>{}},
                                {"pads", std::vector<int64_t>{}}};
  attrs.insert(attrs.end(), more);
  return attrs;
}

}  // namespace

std::span<const OpDef> conv_ops() {
  const AttrDef kernel = optional_attr("kernel_shape", AttrType::kInts);
  const AttrDef needed_kernel = required_attr("kernel_shape", AttrType::kInts);
  static const std::vector<OpDef> kOps = {
      {.name = "Conv",
       .attrs = window_attrs({kernel, {"group", 1}}),
       .inputs = {2, 3},
       .infer = infer_conv,
       .onnx = {{"Conv", 1}}},
      {.name = "ConvTranspose",
       .attrs = window_attrs({kernel,
                              {"group", 1},
                              {"output_padding", std::vector<int64_t>{}},
                              {"output_shape", std::vector<int64_t>{}}}),
       .inputs = {2, 3},
       .infer = infer_conv_transpose,
       .onnx = {{"ConvTranspose", 1}}},
      {.name = "DeformConv",
       .attrs = {kernel,
                 {"group", 1},
                 {"offset_group", 1},
                 {"strides", std::vector<int64_t>{}},
                 {"dilations", std::vector<int64_t>{}},
                 {"pads", std::vector<int64_t>{}}},
       .inputs = {3, 5},
       .infer = infer_deform_conv,
       .onnx = {{"DeformConv", 19}}},
      {.name = "MaxPool",
       .attrs = window_attrs({needed_kernel, {"ceil_mode", 0}, {"storage_order", 0}}),
       .outputs = {1, 2},
       .infer = infer_max_pool,
       .onnx = {{"MaxPool", 1}}},
      {.name = "AveragePool",
       .attrs = window_attrs({needed_kernel, {"ceil_mode", 0}, {"count_include_pad", 0}}),
       .infer = infer_pool,
       .onnx = {{"AveragePool", 1}}},
      {.name = "LpPool",
       .attrs = window_attrs({needed_kernel, {"ceil_mode", 0}, {"p", 2}}),
       .infer = infer_pool,
       .onnx = {{"LpPool", 2}}},
      {.name = "GlobalAveragePool", .infer = infer_global_pool, .onnx = {{"GlobalAveragePool", 1}}},
      {.name = "GlobalMaxPool", .infer = infer_global_pool, .onnx = {{"GlobalMaxPool", 1}}},
      {.name = "GlobalLpPool", .attrs = {{"p", 2}}, .infer = infer_global_pool, .onnx = {{"GlobalLpPool", 2}}},
  };
  return kOps;
}

}  // namespace neural_engine
