// Convolutions of quantized images.
#include "ops/dtype_set.h"
#include "ops/quantize.h"
#include "ops/window.h"

namespace neural_engine {

namespace {

constexpr DTypeSet kByteTypes = dtype_set(DType::kS8, DType::kU8);
constexpr DTypeSet kScaleTypes = dtype_set(DType::kF32);

void require_equal(const InferContext& context, const char* what, const Dim& found, const Dim& expected) {
  if (found.known() && expected.known() && !(found == expected)) {
    context.invalid(what, " is ", found.value(), ", expected ", expected.value());
  }
}

// One element or, where `channels` is given, one per output channel.
void check_parameter(const InferContext& context, int input, const Dim* channels) {
  const SymShape* shape = context.has_input(input) ? context.shape(input) : nullptr;
  if (shape == nullptr) return;
  const Dim count = product(*shape);
  if (!count.known() || count.is(1)) return;
  if (channels == nullptr || shape->size() != 1) {
    context.invalid("input ", input, " has shape ", to_string(*shape), ", expected one element",
                    channels ? " or one per output channel" : "");
  }
  require_equal(context, "the number of scales or zero points of the weight", count, *channels);
}

// The shape of the convolution of input x with weight w; nullopt when a shape is not known.
std::optional<SymShape> conv_shape(const InferContext& context, int input, int weight) {
  const SymShape *x = context.shape(input), *w = context.shape(weight);
  if (x == nullptr || w == nullptr) return std::nullopt;
  if (x->size() < 3 || x->size() != w->size()) {
    context.invalid("the image has shape ", to_string(*x), ", the weight ", to_string(*w),
                    ", expected one rank of at least 3");
  }
  const int64_t groups = context.int_attr("group");
  if (groups < 1 || ((*w)[0].known() && (*w)[0].value() % groups != 0)) {
    context.invalid("group is ", groups, ", which does not divide ", to_string((*w)[0]), " output channels");
  }
  require_equal(context, "the number of channels", (*x)[1], (*w)[1] * Dim(groups));
  const Window window(context.node().attrs, x->size() - 2, SymShape(w->begin() + 2, w->end()));
  SymShape out = {(*x)[0], (*w)[0]};
  for (size_t i = 0; i < window.axes(); ++i) out.push_back(window.output(i, (*x)[i + 2]));
  return out;
}

void infer_conv_integer(InferContext& context) {
  for (int i : {0, 1}) require_in(context, i, kByteTypes);
  require_same_dtype(context, 0, 2);
  require_same_dtype(context, 1, 3);
  std::optional<SymShape> shape = conv_shape(context, 0, 1);
  check_parameter(context, 2, nullptr);
  if (shape) check_parameter(context, 3, &(*shape)[1]);
  context.set(0, DType::kS32, std::move(shape));
}

void infer_qlinear_conv(InferContext& context) {
  for (int i : {0, 3, 7}) require_in(context, i, kByteTypes);
  for (int i : {1, 4, 6}) require_in(context, i, kScaleTypes);
  require_in(context, 8, dtype_set(DType::kS32));
  require_same_dtype(context, 0, 2);
  require_same_dtype(context, 3, 5);
  std::optional<SymShape> shape = conv_shape(context, 0, 3);
  for (int i : {1, 2, 6, 7}) check_parameter(context, i, nullptr);
  if (shape) {
    for (int i : {4, 5}) check_parameter(context, i, &(*shape)[1]);
    if (context.has_input(8) && context.shape(8) != nullptr) {
      context.require_rank(8, 1);
      require_equal(context, "the size of the bias", context.shape(8)->front(), (*shape)[1]);
    }
  }
  context.set(0, context.dtype(7), std::move(shape));
}

OpDef conv(const char* name, Arity inputs, void (*infer)(InferContext&)) {
  return {.name = name,
          .attrs = {{"auto_pad", "NOTSET"},
                    optional_attr("dilations", AttrType::kInts),
                    {"group", 1},
                    optional_attr("kernel_shape", AttrType::kInts),
                    optional_attr("pads", AttrType::kInts),
                    optional_attr("strides", AttrType::kInts)},
          .inputs = inputs,
          .infer = infer,
          .onnx = {{name, 10}}};
}

}  // namespace

void append_integer_conv_ops(std::vector<OpDef>* ops) {
  ops->push_back(conv("ConvInteger", {2, 4}, infer_conv_integer));
  ops->push_back(conv("QLinearConv", {8, 9}, infer_qlinear_conv));
}

}  // namespace neural_engine
