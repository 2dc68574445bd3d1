// Fills, ranges, padding, and the sums of overlapping blocks.
#include <algorithm>

#include "base/dtype.h"
#include "executor/ops/run_helpers.h"
#include "executor/ops/shape_run.h"
#include "executor/ops/strided_copy.h"

namespace neural_engine {

namespace {

// The window of one axis that source and target share.
struct Window {
  int64_t src = 0, dst = 0, count = 0;
};

// Copies a box between two dense tensors.
void copy_windows(const Tensor& src, Tensor& dst, const std::vector<Window>& windows, Parallel& parallel) {
  const std::vector<int64_t> src_strides = dense_strides(src.shape()), dst_strides = dense_strides(dst.shape());
  StridedCopy copy(elem_bytes(src));
  int64_t from = 0, to = 0;
  for (size_t i = 0; i < windows.size(); ++i) {
    if (windows[i].count == 0) return;
    from += windows[i].src * src_strides[i];
    to += windows[i].dst * dst_strides[i];
    copy.add(windows[i].count, src_strides[i], dst_strides[i]);
  }
  const int64_t bytes = static_cast<int64_t>(elem_bytes(src));
  copy.run(static_cast<const std::byte*>(src.raw()) + from * bytes, static_cast<std::byte*>(dst.raw()) + to * bytes,
           parallel);
}

// Pads of every axis: begins, then ends.
std::vector<int64_t> all_pads(const OpContext& op, int64_t rank) {
  const std::vector<int64_t> pads = read_ints(op, 1);
  const std::vector<int64_t> axes = plain_axes(read_ints(op, 3), !op.has_input(3), rank);
  std::vector<int64_t> result(static_cast<size_t>(2 * rank), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    result[static_cast<size_t>(axes[i])] = pads[i];
    result[static_cast<size_t>(axes[i] + rank)] = pads[i + axes.size()];
  }
  return result;
}

void pad_constant(const OpContext& op, const std::vector<int64_t>& pads) {
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  const uint64_t zero = 0;  // of every dtype
  fill_elements(dst.raw(), op.has_input(2) ? op.input(2).raw() : &zero, dst.elems(), elem_bytes(dst), op.parallel);
  std::vector<Window> windows;
  for (size_t i = 0; i < src.shape().size(); ++i) {
    const int64_t cut = std::max<int64_t>(0, -pads[i]), begin = std::max<int64_t>(0, pads[i]);
    const int64_t count = std::min(src.shape()[i] - cut, dst.shape()[i] - begin);
    windows.push_back({cut, begin, std::max<int64_t>(0, count)});
  }
  copy_windows(src, dst, windows, op.parallel);
}

// Where position i of an axis of `count` elements, i outside [0, count) as well, is read from.
int64_t padded_position(const std::string& mode, int64_t i, int64_t count) {
  if (mode == "edge" || count == 1) return std::clamp<int64_t>(i, 0, count - 1);
  const int64_t period = mode == "wrap" ? count : 2 * (count - 1);
  const int64_t phase = (i % period + period) % period;
  return phase < count ? phase : period - phase;
}

// The source index of every target index along one axis. What negative pads remove is not there to be reflected.
std::vector<int64_t> padded_axis(const std::string& mode, int64_t dim, int64_t out, int64_t begin, int64_t end) {
  const int64_t cut = std::max<int64_t>(0, -begin);
  const int64_t count = dim - cut - std::max<int64_t>(0, -end);
  if (count <= 0 && out > 0) fail(Code::kInvalidData, "mode ", mode, " cannot pad an axis of which nothing is left");
  std::vector<int64_t> result(static_cast<size_t>(out));
  for (int64_t i = 0; i < out; ++i) {
    result[static_cast<size_t>(i)] = cut + padded_position(mode, i - std::max<int64_t>(0, begin), count);
  }
  return result;
}

void pad_repeating(const std::string& mode, const OpContext& op, const std::vector<int64_t>& pads) {
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  const size_t rank = src.shape().size();
  std::vector<std::vector<int64_t>> tables;
  for (size_t i = 0; i < rank; ++i) {
    tables.push_back(padded_axis(mode, src.shape()[i], dst.shape()[i], pads[i], pads[i + rank]));
  }
  copy_by_tables(src, dst, tables, op.parallel);
}

// One image axis under the blocks of Col2Im.
struct BlockAxis {
  int64_t image, block, stride, dilation, pad, positions;
};

std::vector<BlockAxis> block_axes(const Node& node, const std::vector<int64_t>& image,
                                  const std::vector<int64_t>& block) {
  const size_t rank = image.size();
  const auto value = [&](const char* attr, size_t i, int64_t otherwise) {
    return node.attrs.has(attr) ? node.attr<std::vector<int64_t>>(attr)[i] : otherwise;
  };
  std::vector<BlockAxis> axes;
  for (size_t i = 0; i < rank; ++i) {
    BlockAxis axis{image[i], block[i], value("strides", i, 1), value("dilations", i, 1), value("pads", i, 0), 0};
    const int64_t padded = axis.image + axis.pad + value("pads", i + rank, 0);
    axis.positions = (padded - (axis.dilation * (axis.block - 1) + 1)) / axis.stride + 1;
    axes.push_back(axis);
  }
  return axes;
}

// Adds one row of the columns matrix (one place within the block, all block positions) to an image.
template <class T>
void add_row(const std::vector<BlockAxis>& axes, int64_t place, const T* row, T* image) {
  const size_t rank = axes.size();
  int64_t positions = 1;
  std::vector<int64_t> first(rank);  // image coordinate of the place at position 0
  for (size_t i = rank; i-- > 0;) {
    first[i] = place % axes[i].block * axes[i].dilation - axes[i].pad;
    place /= axes[i].block;
    positions *= axes[i].positions;
  }
  for (int64_t p = 0; p < positions; ++p) {
    int64_t offset = 0, pitch = 1, rest = p;
    bool inside = true;
    for (size_t i = rank; i-- > 0;) {
      const int64_t x = first[i] + rest % axes[i].positions * axes[i].stride;
      rest /= axes[i].positions;
      inside &= x >= 0 && x < axes[i].image;
      offset += x * pitch;
      pitch *= axes[i].image;
    }
    if (inside) image[offset] = wrapping_add(image[offset], row[p]);
  }
}

}  // namespace

void run_constant_of_shape(const Node& node, OpContext& op) {
  define_outputs(node, op);
  Tensor& dst = op.output(0);
  const uint64_t zero = 0;
  const void* value = node.attrs.has("value") ? node.attr<Tensor>("value").raw() : &zero;
  fill_elements(dst.raw(), value, dst.elems(), elem_bytes(dst), op.parallel);
}

void run_range(const Node& node, OpContext& op) {
  define_outputs(node, op);
  Tensor& dst = op.output(0);
  dispatch_dtype(dst.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, bool>) {
      fail(Code::kUnsupported, "a range of bool");
    } else {
      const T start = op.input(0).data<T>()[0], delta = op.input(2).data<T>()[0];
      T* values = dst.data<T>();
      for (int64_t i = 0; i < dst.elems(); ++i) {
        values[i] = wrapping_add(start, wrapping_mul(static_cast<T>(i), delta));
      }
    }
  });
}

void run_pad(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const std::string& mode = node.attr<std::string>("mode");
  const std::vector<int64_t> pads = all_pads(op, op.input(0).rank());
  if (mode == "constant") return pad_constant(op, pads);
  pad_repeating(mode, op, pads);
}

void run_center_crop_pad(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  std::vector<Window> windows;
  for (size_t i = 0; i < src.shape().size(); ++i) {
    const int64_t from = src.shape()[i], to = dst.shape()[i];
    windows.push_back({std::max<int64_t>(0, from - to) / 2, std::max<int64_t>(0, to - from) / 2, std::min(from, to)});
  }
  const uint64_t zero = 0;
  fill_elements(dst.raw(), &zero, dst.elems(), elem_bytes(dst), op.parallel);
  copy_windows(src, dst, windows, op.parallel);
}

void run_col2im(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  const std::vector<BlockAxis> axes = block_axes(node, read_ints(op, 1), read_ints(op, 2));
  const int64_t places = elems_between(read_ints(op, 2), 0), columns = src.dim(2),
                image = elems_between(dst.shape(), 2);
  std::memset(dst.raw(), 0, dst.bytes());
  dispatch_dtype(dst.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, bool>) {
      fail(Code::kUnsupported, "sums of bool");
    } else {
      op.parallel.ranges(dst.dim(0) * dst.dim(1), 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          for (int64_t place = 0; place < places; ++place) {
            add_row(axes, place, src.data<T>() + (i * places + place) * columns, dst.data<T>() + i * image);
          }
        }
      });
    }
  });
}

}  // namespace neural_engine
