// Old forms of image ops.
#include <algorithm>

#include "load/onnx_legacy.h"

namespace neural_engine {

namespace {

// Resize of version 10 and Upsample sample at x / scale ("asymmetric"). Their nearest neighbour is floor where a
// dimension grows and ceil where it shrinks; later versions have one rule for all dimensions, so a mixture takes two
// steps (each dimension is resized on its own, so the order does not matter).
Attrs nearest_attrs(const char* rounding) {
  return {{"coordinate_transformation_mode", "asymmetric"}, {"mode", "nearest"}, {"nearest_mode", rounding}};
}

void resize_nearest(Rewrite& r, ValueId scales_value) {
  const std::optional<std::vector<float>> scales = r.constant_floats(scales_value);
  const auto all = [&](auto holds) { return scales && std::all_of(scales->begin(), scales->end(), holds); };
  if (all([](float scale) { return scale >= 1; })) {
    return r.finish("Resize", {r.input(0), kNoValue, scales_value}, nearest_attrs("floor"));
  }
  if (all([](float scale) { return scale <= 1; })) {
    return r.finish("Resize", {r.input(0), kNoValue, scales_value}, nearest_attrs("ceil"));
  }
  const ValueId one = r.constant(Tensor::scalar(1.0f));
  const ValueId grow = r.add("Max", {scales_value, one}), shrink = r.add("Min", {scales_value, one});
  const ValueId grown = r.add("Resize", {r.input(0), kNoValue, grow}, nearest_attrs("floor"));
  r.finish("Resize", {grown, kNoValue, shrink}, nearest_attrs("ceil"));
}

void resize_by(Rewrite& r, ValueId scales) {
  const std::string mode = r.take_or<std::string>("mode", "nearest");
  if (mode == "nearest") {
    resize_nearest(r, scales);
  } else if (mode == "linear" || (mode == "bilinear" && r.opset() < 9)) {
    r.finish("Resize", {r.input(0), kNoValue, scales},
             {{"coordinate_transformation_mode", "asymmetric"}, {"mode", "linear"}});
  } else {
    r.unsupported("mode \"", mode, "\" found, supported: nearest, linear");
  }
}

void resize_10(Rewrite& r) { resize_by(r, r.input(1)); }

void upsample_7(Rewrite& r) {
  const std::vector<float> scales = r.take_required<std::vector<float>>("scales");
  resize_by(r, r.constant(Tensor::of<float>({static_cast<int64_t>(scales.size())}, scales)));
}

// From version 16 on, half a pixel is subtracted by default.
void roi_align_10(Rewrite& r) {
  r.finish_with_rest("RoiAlign", {r.input(0), r.input(1), r.input(2)},
                     {{"coordinate_transformation_mode", "output_half_pixel"}});
}

// The names of the modes follow Resize's from version 20 on.
void grid_sample_16(Rewrite& r) {
  std::string mode = r.take_or<std::string>("mode", "bilinear");
  if (mode == "bilinear") mode = "linear";
  if (mode == "bicubic") mode = "cubic";
  r.finish_with_rest("GridSample", {r.input(0), r.input(1)}, {{"mode", mode}});
}

}  // namespace

std::span<const LegacyRule> legacy_image_rules() {
  static constexpr LegacyRule kRules[] = {
      {"Resize", 10, 10, resize_10},      {"Upsample", 7, 8, upsample_7},         {"Upsample", 9, 9, resize_10},
      {"RoiAlign", 10, 15, roi_align_10}, {"GridSample", 16, 19, grid_sample_16},
  };
  return kRules;
}

}  // namespace neural_engine
