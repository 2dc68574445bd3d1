// Windows that slide over the spatial axes of an image: the geometry of convolutions and pooling.
#pragma once

#include <string>
#include <vector>

#include "ir/attrs.h"
#include "ir/dim.h"
#include "ir/infer.h"

namespace neural_engine {

inline constexpr size_t kMaxWindowAxes = 8;

// One spatial axis with all sizes known. Output i covers input positions i * stride - begin + j * dilation.
struct WindowAxis {
  int64_t in = 0, out = 0;
  int64_t kernel = 1, stride = 1, dilation = 1;
  int64_t begin = 0, end = 0;  // padding
};

// The attributes kernel_shape, strides, dilations, pads, auto_pad and ceil_mode, checked; those that the op lacks have
// their defaults.
class Window {
 public:
  // For `axes` spatial axes. `kernel` is the shape of the weight's window where there is a weight (unknown dimensions
  // allowed); the attribute kernel_shape must agree with it. Throws Error(kInvalidModel), or
  // kUnsupported for more than kMaxWindowAxes.
  Window(const Attrs& attrs, size_t axes, const SymShape& kernel = {});

  size_t axes() const { return strides_.size(); }
  const Dim& kernel(size_t axis) const { return kernel_[axis]; }
  // Output size along an axis; unknown where the kernel is.
  Dim output(size_t axis, const Dim& in) const;
  // Everything about an axis; the kernel must be known. Throws Error(kInvalidModel) when the window does not fit.
  WindowAxis resolve(size_t axis, int64_t in) const;

  // For transposed convolutions, where `in` is the size of the smaller image: attributes output_padding and
  // output_shape count as well, and `out` is the size of the larger image.
  Dim transposed_output(size_t axis, const Dim& in) const;
  WindowAxis resolve_transposed(size_t axis, int64_t in) const;

 private:
  enum class AutoPad { kNotSet, kSameUpper, kSameLower, kValid };

  int64_t extent(size_t axis) const { return (kernel_[axis].value() - 1) * dilations_[axis] + 1; }
  void split_padding(int64_t total, WindowAxis* axis) const;

  SymShape kernel_;
  std::vector<int64_t> strides_, dilations_, pads_, output_padding_, output_shape_;
  AutoPad auto_pad_ = AutoPad::kNotSet;
  bool ceil_ = false;
};

// All axes of an image [N,C,spatial...].
std::vector<WindowAxis> resolve_axes(const Window& window, const Shape& image);

}  // namespace neural_engine
