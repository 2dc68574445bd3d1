// Bindings of the image family, and MaxUnpool.
#include "executor/ops/image_run.h"
#include "executor/ops/run_helpers.h"

namespace neural_engine {

namespace {

// The unpooled shape that the attributes imply: the indices are positions in it, whatever output_shape asks for.
Shape unpooled_shape(const Node& node, const Shape& pooled) {
  const std::vector<int64_t>& kernel = node.attr<std::vector<int64_t>>("kernel_shape");
  const auto value = [&](const char* attr, size_t i, int64_t otherwise) {
    return node.attrs.has(attr) ? node.attr<std::vector<int64_t>>(attr)[i] : otherwise;
  };
  Shape shape = {pooled[0], pooled[1]};
  for (size_t i = 0; i < kernel.size(); ++i) {
    shape.push_back((pooled[i + 2] - 1) * value("strides", i, 1) + kernel[i] - value("pads", i, 0) -
                    value("pads", i + kernel.size(), 0));
  }
  return shape;
}

void run_max_unpool(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor &src = op.input(0), &indices = op.input(1);
  Tensor& dst = op.output(0);
  const Shape unpooled = unpooled_shape(node, src.shape());
  const std::vector<int64_t> strides = dense_strides(dst.shape());
  const int64_t limit = elems_between(unpooled, 0);
  const size_t bytes = elem_bytes(src);
  std::memset(dst.raw(), 0, dst.bytes());
  for (int64_t i = 0; i < src.elems(); ++i) {
    int64_t position = indices.data<int64_t>()[i], place = 0;
    require(position >= 0 && position < limit, Code::kInvalidData, "index ", position, " at position ", i,
            " is outside [0,", limit, ")");
    for (size_t axis = unpooled.size(); axis-- > 0;) {
      place += position % unpooled[axis] * strides[axis];
      position /= unpooled[axis];
    }
    copy_element(static_cast<std::byte*>(dst.raw()) + static_cast<size_t>(place) * bytes,
                 static_cast<const std::byte*>(src.raw()) + static_cast<size_t>(i) * bytes, bytes);
  }
}

}  // namespace

std::span<const OpBinding> image_bindings() {
  static const OpBinding kBindings[] = {
      {"Resize", bind_simple<run_resize>},           {"GridSample", bind_simple<run_grid_sample>},
      {"AffineGrid", bind_simple<run_affine_grid>},  {"RoiAlign", bind_simple<run_roi_align>},
      {"MaxRoiPool", bind_simple<run_max_roi_pool>}, {"MaxUnpool", bind_simple<run_max_unpool>},
  };
  return kBindings;
}

}  // namespace neural_engine
