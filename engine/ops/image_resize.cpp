#include <cmath>

#include "ops/image_infer.h"
#include "ops/resize_axes.h"
#include "ops/shape_rules.h"

namespace neural_engine {

namespace {

// A Resize operand: absent also when it is an empty tensor, as opsets 11 and 12 write it.
bool has_operand(const InferContext& context, int input) {
  if (!context.has_input(input)) return false;
  const SymShape* shape = context.shape(input);
  return shape == nullptr || !product(*shape).is(0);
}

Tensor constant_or_none(const InferContext& context, int input) {
  return has_operand(context, input) && context.constant(input) ? *context.constant(input) : Tensor();
}

void check_attributes(const InferContext& context) {
  require_choice(context, "mode", {"nearest", "linear", "cubic"});
  require_choice(context, "nearest_mode", {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
  require_choice(context, "keep_aspect_ratio_policy", {"stretch", "not_larger", "not_smaller"});
  require_choice(context, "coordinate_transformation_mode",
                 {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                  "tf_crop_and_resize", "tf_half_pixel_for_nn"});
  if (context.attr<std::string>("mode") == "nearest") {
    require_whole_bytes(context, 0);
    if (context.int_attr("antialias")) context.unsupported("antialias with mode nearest");
  } else {
    context.require_dtype(0, {DType::kF32, DType::kF64, DType::kF16, DType::kBF16, DType::kU8, DType::kS8, DType::kU16,
                              DType::kS16, DType::kS32});
  }
  if (context.has_input(1)) require_in(context, 1, kFloatTypes);
  if (context.has_input(2)) context.require_dtype(2, {DType::kF32});
  if (context.has_input(3)) context.require_dtype(3, {DType::kS64});
}

// Sizes that are symbols, or scales of dimensions that are.
SymShape symbolic_shape(const InferContext& context, const SymShape& data, const std::vector<int64_t>& axes) {
  SymShape shape = data;
  const std::vector<Dim>* sizes = has_operand(context, 3) ? context.ints(3) : nullptr;
  const Tensor scales = constant_or_none(context, 2);
  const bool stretch = context.attr<std::string>("keep_aspect_ratio_policy") == "stretch";
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim& dim = shape[static_cast<size_t>(axes[i])];
    if (sizes && stretch && sizes->size() == axes.size()) {
      dim = (*sizes)[i];
    } else if (scales.defined() && scales.elems() == static_cast<int64_t>(axes.size())) {
      const double scale = static_cast<double>(scales.data<float>()[i]);
      const bool whole = scale >= 1 && scale < 1e6 && scale == std::floor(scale);
      dim = whole && !has_operand(context, 1) ? dim * static_cast<int64_t>(scale) : Dim();
    } else {
      dim = Dim();
    }
  }
  return shape;
}

}  // namespace

void infer_resize(InferContext& context) {
  check_attributes(context);
  const SymShape* data = context.shape(0);
  if (data == nullptr) return context.set_unknown(0, context.dtype(0));
  const Tensor roi = constant_or_none(context, 1), scales = constant_or_none(context, 2),
               sizes = constant_or_none(context, 3);
  const std::optional<Shape> in = concrete(*data);
  const bool crops = context.attr<std::string>("coordinate_transformation_mode") == "tf_crop_and_resize";
  const bool all_constant = (!crops || !has_operand(context, 1) || roi.defined()) &&
                            has_operand(context, 2) == scales.defined() && has_operand(context, 3) == sizes.defined();
  if (!in || !all_constant) {
    const std::vector<int64_t> axes = resized_axes(context.node().attrs, static_cast<int64_t>(data->size()));
    return context.set(0, context.dtype(0), symbolic_shape(context, *data, axes));
  }
  SymShape shape;
  for (const ResizeAxis& axis : resize_axes(context.node().attrs, *in, roi, scales, sizes)) shape.push_back(axis.out);
  context.set(0, context.dtype(0), std::move(shape));
}

}  // namespace neural_engine
