// Resampling of images and of regions in them.
#include <algorithm>

#include "ops/all.h"
#include "ops/image_infer.h"
#include "ops/shape_rules.h"

namespace neural_engine {

namespace {

void require_floating(const InferContext& context, int input) { require_in(context, input, kFloatTypes); }

// Attributes that are flags: another value is a mistake of the model, not a synonym of 1.
void require_flag(const InferContext& context, const char* attr) {
  const int64_t value = context.int_attr(attr);
  if (value != 0 && value != 1) context.invalid(attr, " ", value, " found, expected 0 or 1");
}

void infer_grid_sample(InferContext& context) {
  require_in(context, 0, kNumberTypes);
  require_floating(context, 1);
  require_choice(context, "mode", {"linear", "nearest", "cubic"});
  require_choice(context, "padding_mode", {"zeros", "border", "reflection"});
  require_flag(context, "align_corners");
  const SymShape *data = context.shape(0), *grid = context.shape(1);
  if (data == nullptr && grid == nullptr) return context.set_unknown(0, context.dtype(0));
  const size_t rank = data ? data->size() : grid->size();
  if (rank < 3) context.invalid("input 0 has rank ", rank, ", expected 3 or more");
  context.require_rank(1, static_cast<int64_t>(rank));
  SymShape shape(rank);
  if (data) std::copy_n(data->begin(), 2, shape.begin());
  if (grid) {
    if (data) shape[0] = same_dim(context, shape[0], (*grid)[0], "batch sizes of input and grid");
    std::copy(grid->begin() + 1, grid->end() - 1, shape.begin() + 2);
    if (grid->back().known() && grid->back().value() != static_cast<int64_t>(rank) - 2) {
      context.invalid("grid has shape ", to_string(*grid), ", expected positions of ", rank - 2, " coordinates");
    }
  }
  context.set(0, context.dtype(0), std::move(shape));
}

void infer_affine_grid(InferContext& context) {
  require_floating(context, 0);
  context.require_dtype(1, {DType::kS64});
  require_flag(context, "align_corners");
  context.require_rank(0, 3);
  const std::optional<int64_t> length = vector_length(context, 1);
  if (!length) return context.set_unknown(0, context.dtype(0));
  if (*length != 4 && *length != 5) context.invalid("size has ", *length, " elements, expected 4 or 5");
  const int64_t spatial = *length - 2;
  SymShape shape(static_cast<size_t>(*length));
  if (const std::vector<Dim>* size = context.ints(1)) {
    shape[0] = (*size)[0];
    for (size_t i = 2; i < size->size(); ++i) shape[i - 1] = (*size)[i];
  }
  if (const SymShape* theta = context.shape(0)) {
    shape[0] = same_dim(context, shape[0], (*theta)[0], "batch sizes of theta and size");
    same_dim(context, (*theta)[1], spatial, "rows of theta and spatial axes");
    same_dim(context, (*theta)[2], spatial + 1, "columns of theta and spatial axes");
  }
  shape.back() = spatial;
  context.set(0, context.dtype(0), std::move(shape));
}

Dim pooled_size(const InferContext& context, const char* what, int64_t value) {
  if (value < 1) context.invalid(what, " ", value, " found, expected 1 or more");
  return value;
}

void infer_roi_align(InferContext& context) {
  require_floating(context, 0);
  require_same_dtype(context, 0, 1);
  context.require_dtype(2, {DType::kS64});
  require_choice(context, "mode", {"avg", "max"});
  require_choice(context, "coordinate_transformation_mode", {"half_pixel", "output_half_pixel"});
  if (context.int_attr("sampling_ratio") < 0) context.invalid("sampling_ratio is negative");
  context.require_rank(0, 4);
  context.require_rank(1, 2);
  context.require_rank(2, 1);
  const SymShape *data = context.shape(0), *rois = context.shape(1), *batch = context.shape(2);
  Dim count = rois ? (*rois)[0] : Dim();
  if (batch) count = same_dim(context, count, (*batch)[0], "numbers of regions and batch indices");
  if (rois) same_dim(context, (*rois)[1], 4, "coordinates of a region and 4");
  context.set(0, context.dtype(0),
              SymShape{count, data ? (*data)[1] : Dim(),
                       pooled_size(context, "output_height", context.int_attr("output_height")),
                       pooled_size(context, "output_width", context.int_attr("output_width"))});
}

void infer_max_roi_pool(InferContext& context) {
  require_floating(context, 0);
  require_same_dtype(context, 0, 1);
  context.require_rank(0, 4);
  context.require_rank(1, 2);
  const std::vector<int64_t>& pooled = context.attr<std::vector<int64_t>>("pooled_shape");
  if (pooled.size() != 2) context.invalid("pooled_shape has ", pooled.size(), " values, expected 2");
  const SymShape *data = context.shape(0), *rois = context.shape(1);
  if (rois) same_dim(context, (*rois)[1], 5, "values of a region and 5");
  context.set(
      0, context.dtype(0),
      SymShape{rois ? (*rois)[0] : Dim(), data ? (*data)[1] : Dim(), pooled_size(context, "a pooled size", pooled[0]),
               pooled_size(context, "a pooled size", pooled[1])});
}

// Attribute values along the spatial axes.
std::vector<int64_t> spatial(const InferContext& context, const char* attr, size_t count, int64_t otherwise) {
  if (!context.node().attrs.has(attr)) return std::vector<int64_t>(count, otherwise);
  const std::vector<int64_t>& values = context.attr<std::vector<int64_t>>(attr);
  if (values.size() != count) context.invalid(attr, " has ", values.size(), " values, expected ", count);
  return values;
}

void infer_max_unpool(InferContext& context) {
  require_floating(context, 0);
  context.require_dtype(1, {DType::kS64});
  const SymShape *data = context.shape(0), *indices = context.shape(1);
  const size_t kernel_rank = context.attr<std::vector<int64_t>>("kernel_shape").size();
  if (data == nullptr) return context.set(0, context.dtype(0), SymShape(kernel_rank + 2));
  const SymShape& d = *data;
  if (d.size() != kernel_rank + 2) {
    context.invalid("input 0 has shape ", to_string(d), ", expected ", kernel_rank, " spatial axes");
  }
  context.require_rank(1, static_cast<int64_t>(d.size()));
  for (size_t i = 0; indices && i < d.size(); ++i) {
    same_dim(context, d[i], (*indices)[i], "dimensions of input and indices");
  }
  const std::vector<int64_t> kernel = spatial(context, "kernel_shape", kernel_rank, 1);
  const std::vector<int64_t> strides = spatial(context, "strides", kernel_rank, 1);
  const std::vector<int64_t> pads = spatial(context, "pads", 2 * kernel_rank, 0);
  SymShape shape(d.begin(), d.begin() + 2);
  for (size_t i = 0; i < kernel_rank; ++i) {
    shape.push_back((d[i + 2] - 1) * strides[i] + kernel[i] - (Dim(pads[i]) + pads[i + kernel_rank]));
  }
  if (!context.has_input(2)) return context.set(0, context.dtype(0), std::move(shape));
  context.require_dtype(2, {DType::kS64});
  const std::optional<int64_t> length = vector_length(context, 2);
  if (length && *length != static_cast<int64_t>(d.size())) {
    context.invalid("output_shape has ", *length, " elements, expected ", d.size());
  }
  const std::vector<Dim>* target = context.ints(2);
  for (size_t i = 0; target && i < shape.size(); ++i) {
    if (shape[i].known() && (*target)[i].known() && shape[i].value() > (*target)[i].value()) {
      context.invalid("output_shape ", to_string(*target), " is smaller than the unpooled ", to_string(shape));
    }
  }
  context.set(0, context.dtype(0), target ? *target : SymShape(d.size()));
}

}  // namespace

std::span<const OpDef> image_ops() {
  static const std::vector<OpDef> kOps = {
      {.name = "Resize",
       .attrs = {{"antialias", 0},
                 optional_attr("axes", AttrType::kInts),
                 {"coordinate_transformation_mode", "half_pixel"},
                 {"cubic_coeff_a", AttrValue(-0.75f)},
                 {"exclude_outside", 0},
                 {"extrapolation_value", AttrValue(0.0f)},
                 {"keep_aspect_ratio_policy", "stretch"},
                 {"mode", "nearest"},
                 {"nearest_mode", "round_prefer_floor"}},
       .inputs = {1, 4},
       .infer = infer_resize,
       .onnx = {{"Resize", 11}}},
      {.name = "GridSample",
       .attrs = {{"align_corners", 0}, {"mode", "linear"}, {"padding_mode", "zeros"}},
       .inputs = {2, 2},
       .infer = infer_grid_sample,
       .onnx = {{"GridSample", 20}}},
      {.name = "AffineGrid",
       .attrs = {{"align_corners", 0}},
       .inputs = {2, 2},
       .infer = infer_affine_grid,
       .onnx = {{"AffineGrid", 20}}},
      // RoiAlign-10 had no coordinate_transformation_mode and meant output_half_pixel: the loader says so.
      {.name = "RoiAlign",
       .attrs = {{"coordinate_transformation_mode", "half_pixel"},
                 {"mode", "avg"},
                 {"output_height", 1},
                 {"output_width", 1},
                 {"sampling_ratio", 0},
                 {"spatial_scale", AttrValue(1.0f)}},
       .inputs = {3, 3},
       .infer = infer_roi_align,
       .onnx = {{"RoiAlign", 16}}},
      {.name = "MaxRoiPool",
       .attrs = {required_attr("pooled_shape", AttrType::kInts), {"spatial_scale", AttrValue(1.0f)}},
       .inputs = {2, 2},
       .infer = infer_max_roi_pool,
       .onnx = {{"MaxRoiPool", 1}}},
      {.name = "MaxUnpool",
       .attrs = {required_attr("kernel_shape", AttrType::kInts), optional_attr("pads", AttrType::kInts),
                 optional_attr("strides", AttrType::kInts)},
       .inputs = {2, 3},
       .infer = infer_max_unpool,
       .onnx = {{"MaxUnpool", 9}}},
  };
  return kOps;
}

}  // namespace neural_engine
