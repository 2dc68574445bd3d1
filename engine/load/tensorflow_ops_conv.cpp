// Convolutions and pools. ONNX's have channels at dimension 1, most of TensorFlow's at the end: the operand is
// transposed there and back, and what cancels between two of them is the passes' to find. Filters are [spatial..., in,
// out].
#include "load/tensorflow_ops.h"
#include "load/tensorflow_window.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

bool is_channels_last(TfNode& n, const char* otherwise) {
  const std::string format = n.take_string("data_format", otherwise);
  if (format == "NHWC" || format == "NDHWC") return true;
  if (format == "NCHW" || format == "NCDHW") return false;
  n.unsupported("data_format ", format, " found, supported are NHWC, NCHW, NDHWC and NCDHW");
}

// Strides and the like have an entry for each dimension; those of batch and channels are 1.
Ints spatial(TfNode& n, const char* what, const Ints& all, bool channels_last) {
  if (all.size() < 3) n.invalid(what, " has ", all.size(), " entries");
  const size_t channel = channels_last ? all.size() - 1 : 1;
  Ints result;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || i == channel) {
      if (all[i] != 1) n.unsupported(what, " of the batch or the channels is ", all[i], ", 1 is supported");
    } else {
      result.push_back(all[i]);
    }
  }
  return result;
}

void add_padding(TfNode& n, const std::string& padding, const Ints& explicit_paddings, bool channels_last,
                 Attrs& attrs) {
  if (padding == "SAME") {
    attrs.set("auto_pad", std::string("SAME_UPPER"));
  } else if (padding == "EXPLICIT") {
    Ints before, after;
    const size_t rank = explicit_paddings.size() / 2, channel = channels_last ? rank - 1 : 1;
    if (explicit_paddings.size() % 2 != 0 || rank < 3)
      n.invalid("explicit_paddings has ", explicit_paddings.size(), " entries");
    for (size_t i = 0; i < rank; ++i) {
      if (i == 0 || i == channel) {
        if (explicit_paddings[2 * i] != 0 || explicit_paddings[2 * i + 1] != 0) {
          n.unsupported("explicit_paddings of the batch or the channels found");
        }
        continue;
      }
      before.push_back(explicit_paddings[2 * i]);
      after.push_back(explicit_paddings[2 * i + 1]);
    }
    before.insert(before.end(), after.begin(), after.end());
    attrs.set("pads", before);
  } else if (padding != "VALID") {
    n.unsupported("padding ", padding, " found, supported are SAME, VALID and EXPLICIT");
  }
}

ValueId channels_first(TfNode& n, ValueId x, size_t spatial_dims) {
  Ints perm = {0, static_cast<int64_t>(spatial_dims) + 1};
  for (size_t i = 0; i < spatial_dims; ++i) perm.push_back(static_cast<int64_t>(i) + 1);
  return n.transpose(x, perm);
}
ValueId channels_to_end(TfNode& n, ValueId x, size_t spatial_dims) {
  Ints perm = {0};
  for (size_t i = 0; i < spatial_dims; ++i) perm.push_back(static_cast<int64_t>(i) + 2);
  perm.push_back(1);
  return n.transpose(x, perm);
}

int64_t known_dim(TfNode& n, ValueId value, size_t axis, const char* what) {
  const std::optional<SymShape>& shape = n.facts(value).shape;
  if (!shape || axis >= shape->size() || !(*shape)[axis].known()) n.unsupported(what, " is not known while loading");
  return (*shape)[axis].value();
}

}  // namespace

TfWindow take_window(TfNode& n, const char* default_format) {
  TfWindow window;
  window.channels_last = is_channels_last(n, default_format);
  const Ints strides = spatial(n, "strides", n.take_ints("strides"), window.channels_last);
  window.dims = strides.size();
  window.attrs.set("strides", strides);
  add_padding(n, n.take_string("padding"), n.take_ints("explicit_paddings", Ints()), window.channels_last,
              window.attrs);
  return window;
}

ValueId convolution(TfNode& n, TfWindow window, ValueId x, ValueId filter) {
  if (n.has_attr("dilations")) {
    window.attrs.set("dilations", spatial(n, "dilations", n.take_ints("dilations"), window.channels_last));
  }
  if (n.required_rank(filter) != static_cast<int64_t>(window.dims) + 2) {
    n.invalid("the filter has rank ", n.required_rank(filter), ", expected ", window.dims + 2);
  }
  const int64_t channels = known_dim(n, filter, window.dims, "the number of input channels of the filter");
  // Where the operand's channels are not known there is no way to tell groups: one group, which inference checks.
  const std::optional<SymShape>& shape = n.facts(x).shape;
  const size_t channel_axis = window.channels_last ? window.dims + 1 : 1;
  if (shape && shape->size() == window.dims + 2 && (*shape)[channel_axis].known()) {
    const int64_t found = (*shape)[channel_axis].value();
    if (channels == 0 || found % channels != 0)
      n.invalid("the operand has ", found, " channels, the filter ", channels);
    window.attrs.set("group", found / channels);
  }
  Ints perm = {static_cast<int64_t>(window.dims) + 1, static_cast<int64_t>(window.dims)};
  for (size_t i = 0; i < window.dims; ++i) perm.push_back(static_cast<int64_t>(i));
  if (window.channels_last) x = channels_first(n, x, window.dims);
  const ValueId y = n.add("Conv", {x, n.transpose(filter, perm)}, window.attrs);
  return window.channels_last ? channels_to_end(n, y, window.dims) : y;
}

namespace {

void conv(TfNode& n) {
  n.ignore({"use_cudnn_on_gpu"});
  const bool is_3d = n.op() == "Conv3D";
  n.set_output(0, convolution(n, take_window(n, is_3d ? "NDHWC" : "NHWC"), n.input(0), n.input(1)));
}

// The filter is [h, w, channels, multiplier]; output channel c * multiplier + m.
void depthwise(TfNode& n) {
  TfWindow window = take_window(n, "NHWC");
  if (n.has_attr("dilations")) {
    window.attrs.set("dilations", spatial(n, "dilations", n.take_ints("dilations"), window.channels_last));
  }
  ValueId x = n.input(0);
  const ValueId filter = n.input(1);
  const int64_t height = known_dim(n, filter, 0, "the filter's height"), width = known_dim(n, filter, 1, "its width");
  const int64_t channels = known_dim(n, filter, 2, "its number of channels");
  const int64_t multiplier = known_dim(n, filter, 3, "its multiplier");
  window.attrs.set("group", channels);
  const ValueId weight = n.reshape(n.transpose(filter, {2, 3, 0, 1}), {channels * multiplier, 1, height, width});
  if (window.channels_last) x = channels_first(n, x, 2);
  const ValueId y = n.add("Conv", {x, weight}, window.attrs);
  n.set_output(0, window.channels_last ? channels_to_end(n, y, 2) : y);
}

template <OpName kName>
void pool(TfNode& n) {
  const bool is_3d = n.op().back() == 'D';
  TfWindow window = take_window(n, is_3d ? "NDHWC" : "NHWC");
  window.attrs.set("kernel_shape", spatial(n, "ksize", n.take_ints("ksize"), window.channels_last));
  ValueId x = n.input(0);
  if (window.channels_last) x = channels_first(n, x, window.dims);
  const ValueId y = n.add(kName.text, {x}, window.attrs);
  n.set_output(0, window.channels_last ? channels_to_end(n, y, window.dims) : y);
}

}  // namespace

std::span<const TfOp> tf_conv_ops() {
  static constexpr TfOp kOps[] = {
      {"Conv2D", conv},
      {"Conv3D", conv},
      {"DepthwiseConv2dNative", depthwise},
      {"MaxPool", pool<"MaxPool">},
      {"MaxPool3D", pool<"MaxPool">},
      {"AvgPool", pool<"AveragePool">},
      {"AvgPool3D", pool<"AveragePool">},
  };
  return kOps;
}

}  // namespace neural_engine
