#include "ops/window.h"

#include <algorithm>

namespace neural_engine {

namespace {

// The attribute, or `count` times `otherwise`; elements below `least` are refused.
std::vector<int64_t> read(const Attrs& attrs, const char* name, size_t count, int64_t otherwise, int64_t least) {
  const std::vector<int64_t> values = attrs.get_or<std::vector<int64_t>>(name, {});
  if (values.empty()) return std::vector<int64_t>(count, otherwise);
  if (values.size() != count) {
    fail(Code::kInvalidModel, name, " has ", values.size(), " elements, expected ", count);
  }
  for (const int64_t value : values) {
    // Sizes far below overflow in every product that follows.
    if (value < least || value > (int64_t{1} << 31)) {
      fail(Code::kInvalidModel, name, " has the element ", value, ", expected one from ", least, " to 2^31");
    }
  }
  return values;
}

}  // namespace

Window::Window(const Attrs& attrs, size_t axes, const SymShape& kernel) : kernel_(kernel) {
  if (axes > kMaxWindowAxes) {
    fail(Code::kUnsupported, axes, " spatial axes found, up to ", kMaxWindowAxes, " are supported");
  }
  const std::vector<int64_t> given = read(attrs, "kernel_shape", axes, 0, 1);
  if (kernel_.empty()) kernel_.assign(axes, Dim());
  for (size_t i = 0; i < axes; ++i) {
    if (kernel_[i].known() && kernel_[i].value() < 1) {
      fail(Code::kInvalidModel, "the weight has the shape ", to_string(kernel_), " of a window, expected no zeros");
    }
    if (given[i] == 0) continue;
    if (kernel_[i].known() && kernel_[i].value() != given[i]) {
      fail(Code::kInvalidModel, "kernel_shape has ", given[i], " at axis ", i, ", the weight ", kernel_[i].value());
    }
    kernel_[i] = given[i];
  }
  strides_ = read(attrs, "strides", axes, 1, 1);
  dilations_ = read(attrs, "dilations", axes, 1, 1);
  pads_ = read(attrs, "pads", 2 * axes, 0, 0);
  output_padding_ = read(attrs, "output_padding", axes, 0, 0);
  output_shape_ = read(attrs, "output_shape", axes, 0, 0);
  ceil_ = attrs.get_or<int64_t>("ceil_mode", 0) != 0;
  const std::string mode = attrs.get_or<std::string>("auto_pad", "NOTSET");
  const std::pair<const char*, AutoPad> modes[] = {{"NOTSET", AutoPad::kNotSet},
                                                   {"SAME_UPPER", AutoPad::kSameUpper},
                                                   {"SAME_LOWER", AutoPad::kSameLower},
                                                   {"VALID", AutoPad::kValid}};
  const auto* found = std::find_if(std::begin(modes), std::end(modes), [&](auto& each) { return mode == each.first; });
  if (found == std::end(modes)) {
    fail(Code::kInvalidModel, "auto_pad is \"", mode, "\", expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  }
  auto_pad_ = found->second;
  if (auto_pad_ != AutoPad::kNotSet && std::any_of(pads_.begin(), pads_.end(), [](int64_t pad) { return pad != 0; })) {
    fail(Code::kInvalidModel, "auto_pad is ", mode, " and pads are given, expected one of them");
  }
}

void Window::split_padding(int64_t total, WindowAxis* axis) const {
  axis->begin = auto_pad_ == AutoPad::kSameLower ? total - total / 2 : total / 2;
  axis->end = total - axis->begin;
}

Dim Window::output(size_t axis, const Dim& in) const {
  const Dim stride = strides_[axis];
  if (auto_pad_ == AutoPad::kSameUpper || auto_pad_ == AutoPad::kSameLower) {
    return (in + Dim(strides_[axis] - 1)) / stride;
  }
  if (!kernel_[axis].known()) return {};
  if (in.known()) return resolve(axis, in.value()).out;
  // Of the windows that ceil_mode adds some are dropped again, depending on the size.
  if (ceil_ && strides_[axis] > 1) return {};
  return (in + Dim(pads_[axis] + pads_[axis + axes()] - extent(axis))) / stride + Dim(1);
}

WindowAxis Window::resolve(size_t axis, int64_t in) const {
  WindowAxis result{.in = in,
                    .kernel = kernel_[axis].value(),
                    .stride = strides_[axis],
                    .dilation = dilations_[axis],
                    .begin = pads_[axis],
                    .end = pads_[axis + axes()]};
  if (auto_pad_ == AutoPad::kSameUpper || auto_pad_ == AutoPad::kSameLower) {
    result.out = (in + result.stride - 1) / result.stride;
    split_padding(std::max<int64_t>(0, (result.out - 1) * result.stride + extent(axis) - in), &result);
    return result;
  }
  const int64_t room = in + result.begin + result.end - extent(axis);
  if (room < 0) {
    fail(Code::kInvalidModel, "a window of extent ", extent(axis), " does not fit into the padded size ",
         in + result.begin + result.end, " of spatial axis ", axis);
  }
  const bool up = ceil_ && auto_pad_ == AutoPad::kNotSet;
  result.out = (room + (up ? result.stride - 1 : 0)) / result.stride + 1;
  // A window that would start in the padding at the end is none.
  if (up && (result.out - 1) * result.stride >= in + result.begin) --result.out;
  return result;
}

Dim Window::transposed_output(size_t axis, const Dim& in) const {
  if (output_shape_[axis] > 0) return output_shape_[axis];
  if (auto_pad_ == AutoPad::kSameUpper || auto_pad_ == AutoPad::kSameLower) return in * Dim(strides_[axis]);
  if (!kernel_[axis].known()) return {};
  return (in - Dim(1)) * Dim(strides_[axis]) +
         Dim(output_padding_[axis] + extent(axis) - pads_[axis] - pads_[axis + axes()]);
}

WindowAxis Window::resolve_transposed(size_t axis, int64_t in) const {
  WindowAxis result{.in = in,
                    .out = transposed_output(axis, in).value(),
                    .kernel = kernel_[axis].value(),
                    .stride = strides_[axis],
                    .dilation = dilations_[axis],
                    .begin = pads_[axis],
                    .end = pads_[axis + axes()]};
  if (output_shape_[axis] > 0 || auto_pad_ == AutoPad::kSameUpper || auto_pad_ == AutoPad::kSameLower) {
    const int64_t total =
        std::max<int64_t>(0, result.stride * (in - 1) + output_padding_[axis] + extent(axis) - result.out);
    // The extra element goes to the end for SAME_UPPER only.
    result.begin = auto_pad_ == AutoPad::kSameUpper ? total / 2 : total - total / 2;
    result.end = total - result.begin;
  }
  return result;
}

std::vector<WindowAxis> resolve_axes(const Window& window, const Shape& image) {
  std::vector<WindowAxis> axes;
  for (size_t i = 0; i < window.axes(); ++i) axes.push_back(window.resolve(i, image[i + 2]));
  return axes;
}

}  // namespace neural_engine
