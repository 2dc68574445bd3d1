// Elements in another order or number: each op says how its loops read and write, StridedCopy does the rest.
#include <algorithm>

#include "executor/ops/run_helpers.h"
#include "executor/ops/shape_run.h"
#include "executor/ops/strided_copy.h"
#include "ops/slice_range.h"

namespace neural_engine {

namespace {

// Between a part of a tensor that begins at `offset` elements along an axis and a dense tensor of the part's shape.
struct Part {
  int64_t outer, inner;  // elements before the axis, and of the part from the axis on
  int64_t pitch;         // elements of the whole tensor from the axis on
};

Part part_of(const Shape& part, const Shape& whole, size_t axis) {
  return {elems_between(part, 0, axis), elems_between(part, axis), elems_between(whole, axis)};
}

const std::byte* at(const void* data, int64_t elems, size_t bytes) {
  return static_cast<const std::byte*>(data) + elems * static_cast<int64_t>(bytes);
}
std::byte* at(void* data, int64_t elems, size_t bytes) {
  return static_cast<std::byte*>(data) + elems * static_cast<int64_t>(bytes);
}

// Loops over `shape` whose source strides are given and whose target is dense.
void copy_to_dense(const Shape& shape, const std::vector<int64_t>& src_strides, const void* src, Tensor& dst,
                   Parallel& parallel) {
  StridedCopy copy(elem_bytes(dst));
  const std::vector<int64_t> dst_strides = dense_strides(shape);
  for (size_t i = 0; i < shape.size(); ++i) copy.add(shape[i], src_strides[i], dst_strides[i]);
  copy.run(src, dst.raw(), parallel);
}

// The axes of a dense tensor of `shape` in the order `perm`.
void permute(const Shape& shape, const std::vector<size_t>& perm, const Tensor& src, Tensor& dst, Parallel& parallel) {
  const std::vector<int64_t> strides = dense_strides(shape);
  Shape order;
  std::vector<int64_t> src_strides;
  for (size_t axis : perm) {
    order.push_back(shape[axis]);
    src_strides.push_back(strides[axis]);
  }
  copy_to_dense(order, src_strides, src.raw(), dst, parallel);
}

}  // namespace

void run_view(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  require(src.elems() == dst.elems(), Code::kInternal, "a view of ", to_string(src.shape()), " as ",
          to_string(dst.shape()));
  if (src.raw() != dst.raw()) copy_bytes(src.raw(), dst.raw(), src.bytes(), op.parallel);
}

void run_shape(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Shape& shape = op.input(0).shape();
  const int64_t rank = static_cast<int64_t>(shape.size());
  int64_t start = node.attr<int64_t>("start");
  start = std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
  std::copy_n(shape.begin() + start, op.output(0).elems(), op.output(0).data<int64_t>());
}

void run_size(const Node&, OpContext& op) { op.output(0).data<int64_t>()[0] = op.input(0).elems(); }

void run_transpose(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  const int64_t rank = src.rank();
  std::vector<size_t> perm;
  for (int64_t i = 0; i < rank; ++i) {
    const bool given = node.attrs.has("perm");
    perm.push_back(given ? plain_axis(node.attr<std::vector<int64_t>>("perm")[static_cast<size_t>(i)], rank)
                         : static_cast<size_t>(rank - 1 - i));
  }
  permute(src.shape(), perm, src, op.output(0), op.parallel);
}

void run_concat(const Node& node, OpContext& op) {
  define_outputs(node, op);
  Tensor& dst = op.output(0);
  const size_t axis = plain_axis(node.attr<int64_t>("axis"), dst.rank());
  int64_t offset = 0;
  for (int i = 0; i < op.num_inputs(); ++i) {
    const Tensor& src = op.input(i);
    const Part part = part_of(src.shape(), dst.shape(), axis);
    StridedCopy copy(elem_bytes(dst));
    copy.add(part.outer, part.inner, part.pitch);
    copy.add(part.inner, 1, 1);
    copy.run(src.raw(), at(dst.raw(), offset, elem_bytes(dst)), op.parallel);
    offset += part.inner;
  }
}

void run_split(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  const size_t axis = plain_axis(node.attr<int64_t>("axis"), src.rank());
  const std::vector<int64_t> parts = read_ints(op, 1);
  const int64_t outputs = op.num_outputs(), dim = src.shape()[axis];
  const int64_t chunk = (dim + outputs - 1) / outputs, pitch = elems_between(src.shape(), axis),
                inner = elems_between(src.shape(), axis + 1);
  int64_t offset = 0;  // along the axis
  for (int i = 0; i < outputs; ++i) {
    // An unwanted output has no shape to ask for.
    const int64_t size = parts.empty() ? std::min(chunk, dim - offset) : parts[static_cast<size_t>(i)];
    if (op.wants_output(i)) {
      Tensor& dst = op.output(i);
      require(dst.shape()[axis] == size, Code::kInternal, "output ", i, " has shape ", to_string(dst.shape()));
      StridedCopy copy(elem_bytes(dst));
      copy.add(elems_between(dst.shape(), 0, axis), pitch, size * inner);
      copy.add(size * inner, 1, 1);
      copy.run(at(src.raw(), offset * inner, elem_bytes(dst)), dst.raw(), op.parallel);
    }
    offset += size;
  }
}

void run_slice(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  const std::vector<int64_t> starts = read_ints(op, 1), ends = read_ints(op, 2), steps = read_ints(op, 4);
  const std::vector<int64_t> axes = plain_axes(read_ints(op, 3), !op.has_input(3),
                                               op.has_input(3) ? src.rank() : static_cast<int64_t>(starts.size()));
  std::vector<int64_t> strides = dense_strides(src.shape());
  Shape shape = src.shape();
  int64_t offset = 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = static_cast<size_t>(axes[i]);
    const int64_t step = steps.empty() ? 1 : steps[i];
    const SliceRange range = slice_range(src.shape()[axis], starts[i], ends[i], step);
    shape[axis] = range.count;
    // A step over a single element may be too large to multiply with.
    if (range.count > 0) offset += range.start * strides[axis];
    strides[axis] *= range.count > 1 ? step : 0;
  }
  require(shape == dst.shape(), Code::kInternal, "a slice of shape ", to_string(shape), " for an output of ",
          to_string(dst.shape()));
  copy_to_dense(shape, strides, at(src.raw(), offset, elem_bytes(src)), dst, op.parallel);
}

void run_expand(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  const std::vector<int64_t> strides = dense_strides(src.shape());
  std::vector<int64_t> src_strides(dst.shape().size(), 0);
  const size_t offset = src_strides.size() - strides.size();
  for (size_t i = 0; i < strides.size(); ++i) src_strides[i + offset] = src.shape()[i] == 1 ? 0 : strides[i];
  copy_to_dense(dst.shape(), src_strides, src.raw(), dst, op.parallel);
}

void run_tile(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  const std::vector<int64_t> strides = dense_strides(src.shape());
  Shape shape;  // each axis as [repeats, size]
  std::vector<int64_t> src_strides;
  for (size_t i = 0; i < strides.size(); ++i) {
    const int64_t size = src.shape()[i];
    shape.insert(shape.end(), {size ? dst.shape()[i] / size : 0, size});
    src_strides.insert(src_strides.end(), {0, strides[i]});
  }
  copy_to_dense(shape, src_strides, src.raw(), dst, op.parallel);
}

void run_depth_to_space(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  const int64_t block = node.attr<int64_t>("blocksize");
  const Shape& s = src.shape();
  const int64_t depth = s[1] / (block * block);
  // The blocks are the outer part of the channels (DCR) or the inner one (CRD).
  if (node.attr<std::string>("mode") == "DCR") {
    permute({s[0], block, block, depth, s[2], s[3]}, {0, 3, 4, 1, 5, 2}, src, op.output(0), op.parallel);
  } else {
    permute({s[0], depth, block, block, s[2], s[3]}, {0, 1, 4, 2, 5, 3}, src, op.output(0), op.parallel);
  }
}

void run_space_to_depth(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  const int64_t block = node.attr<int64_t>("blocksize");
  const Shape& s = src.shape();
  permute({s[0], s[1], s[2] / block, block, s[3] / block, block}, {0, 3, 5, 1, 2, 4}, src, op.output(0), op.parallel);
}

void run_reverse_sequence(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  const bool time_first = node.attr<int64_t>("time_axis") == 0;
  const int64_t time = src.dim(time_first ? 0 : 1), batch = src.dim(time_first ? 1 : 0);
  const int64_t inner = elems_between(src.shape(), 2);
  const int64_t* lengths = op.input(1).data<int64_t>();
  for (int64_t b = 0; b < batch; ++b) {
    require(lengths[b] >= 0 && lengths[b] <= time, Code::kInvalidData, "sequence length ", lengths[b], " at position ",
            b, " is outside [0,", time, "]");
  }
  const size_t row_bytes = static_cast<size_t>(inner) * elem_bytes(src);
  op.parallel.ranges(batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      for (int64_t t = 0; t < time; ++t) {
        const int64_t from = t < lengths[b] ? lengths[b] - 1 - t : t;
        const auto row = [&](int64_t step) { return (time_first ? step * batch + b : b * time + step) * inner; };
        std::memcpy(at(dst.raw(), row(t), elem_bytes(dst)), at(src.raw(), row(from), elem_bytes(src)), row_bytes);
      }
    }
  });
}

}  // namespace neural_engine
