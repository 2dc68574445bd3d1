#include "ops/resize_axes.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/dtype.h"

namespace neural_engine {

namespace {

constexpr double kMaxSize = 1e15;  // doubles are exact integers far beyond; products are checked where memory is taken

bool given(const Tensor& tensor) { return tensor.defined() && tensor.elems() > 0; }

void require_count(const char* what, int64_t found, size_t expected) {
  require(found == static_cast<int64_t>(expected), Code::kInvalidModel, found, " ", what, " found, expected ",
          expected);
}

int64_t checked_size(double size) {
  // Written so that NaN is refused, too.
  if (!(size >= 0 && size <= kMaxSize)) fail(Code::kInvalidModel, "a resized length is ", size);
  return static_cast<int64_t>(size);
}

void read_roi(const Tensor& roi, const std::vector<int64_t>& axes, std::vector<ResizeAxis>& result) {
  require(given(roi), Code::kInvalidModel, "tf_crop_and_resize needs the roi");
  require_count("roi values", roi.elems(), 2 * axes.size());
  dispatch_floating(roi.dtype(), [&](auto tag) {
    const auto* values = roi.data<typename decltype(tag)::type>();
    for (size_t i = 0; i < axes.size(); ++i) {
      ResizeAxis& axis = result[static_cast<size_t>(axes[i])];
      axis.roi_start = static_cast<double>(values[i]);
      axis.roi_end = static_cast<double>(values[i + axes.size()]);
    }
  });
}

void apply_scales(const Tensor& scales, const std::vector<int64_t>& axes, std::vector<ResizeAxis>& result) {
  require_count("scales", scales.elems(), axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    ResizeAxis& axis = result[static_cast<size_t>(axes[i])];
    axis.scale = static_cast<double>(scales.data<float>()[i]);
    if (!(axis.scale > 0)) fail(Code::kInvalidModel, "a scale is ", axis.scale, ", expected more than 0");
    axis.out_length = static_cast<double>(axis.in) * (axis.roi_end - axis.roi_start) * axis.scale;
    axis.out = checked_size(std::floor(axis.out_length));
  }
}

void apply_sizes(const std::string& policy, const Tensor& sizes, const std::vector<int64_t>& axes,
                 std::vector<ResizeAxis>& result) {
  require_count("sizes", sizes.elems(), axes.size());
  double common = 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    ResizeAxis& axis = result[static_cast<size_t>(axes[i])];
    axis.out = checked_size(static_cast<double>(sizes.data<int64_t>()[i]));
    require(axis.in > 0 || axis.out == 0, Code::kInvalidModel, "an empty axis cannot be resized to ", axis.out);
    axis.scale = axis.in ? static_cast<double>(axis.out) / static_cast<double>(axis.in) : 1;
    common = i == 0 ? axis.scale : policy == "not_larger" ? std::min(common, axis.scale) : std::max(common, axis.scale);
  }
  for (int64_t i : axes) {
    ResizeAxis& axis = result[static_cast<size_t>(i)];
    if (policy != "stretch") {
      axis.scale = common;
      axis.out = checked_size(std::floor(common * static_cast<double>(axis.in) + 0.5));
    }
    axis.out_length = policy == "stretch" ? static_cast<double>(axis.out) : axis.scale * static_cast<double>(axis.in);
  }
}

}  // namespace

std::vector<int64_t> resized_axes(const Attrs& attrs, int64_t rank) {
  std::vector<int64_t> axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  if (!attrs.has("axes")) return axes;
  axes = attrs.get<std::vector<int64_t>>("axes");
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0) axes[i] += rank;
    require(axes[i] >= 0 && axes[i] < rank, Code::kInvalidModel, "axis ", attrs.get<std::vector<int64_t>>("axes")[i],
            " found for an input of rank ", rank);
    require(std::find(axes.begin(), axes.begin() + static_cast<int64_t>(i), axes[i]) ==
                axes.begin() + static_cast<int64_t>(i),
            Code::kInvalidModel, "axis ", axes[i], " is given twice");
  }
  return axes;
}

std::vector<ResizeAxis> resize_axes(const Attrs& attrs, const Shape& in, const Tensor& roi, const Tensor& scales,
                                    const Tensor& sizes) {
  std::vector<ResizeAxis> result;
  for (int64_t dim : in) result.push_back({.in = dim, .out = dim, .out_length = static_cast<double>(dim)});
  const std::vector<int64_t> axes = resized_axes(attrs, static_cast<int64_t>(in.size()));
  if (attrs.get<std::string>("coordinate_transformation_mode") == "tf_crop_and_resize") read_roi(roi, axes, result);
  require(given(scales) != given(sizes) || axes.empty(), Code::kInvalidModel,
          given(scales) ? "both scales and sizes are given" : "neither scales nor sizes are given");
  if (given(scales)) apply_scales(scales, axes, result);
  if (given(sizes)) apply_sizes(attrs.get<std::string>("keep_aspect_ratio_policy"), sizes, axes, result);
  return result;
}

}  // namespace neural_engine
