// Taking by index. Indices are checked in a pass of their own, since shared-out work must not throw.
#include <algorithm>
#include <optional>

#include "base/dtype.h"
#include "executor/ops/gather_run.h"
#include "executor/ops/index_walk.h"
#include "executor/ops/strided_copy.h"

namespace neural_engine {

namespace {

constexpr int64_t kGrainBytes = 32 << 10;  // below this a thread costs more than it saves

int64_t grain(int64_t row_bytes) { return std::max<int64_t>(1, kGrainBytes / std::max<int64_t>(row_bytes, 1)); }

// One row per index; rows of one element are common enough (dims of a shape, ids by position) for a path of their own.
void copy_row(std::byte* dst, const std::byte* src, int64_t bytes, bool one_element) {
  if (one_element) {
    copy_element(dst, src, static_cast<size_t>(bytes));
  } else {
    std::memcpy(dst, src, static_cast<size_t>(bytes));
  }
}

// The index that is on: cast to an integer first, then negative ones count from the end. What lies outside
// [-depth, depth) turns nothing on.
template <class T>
std::optional<int64_t> hot_index(T value, int64_t depth) {
  if constexpr (std::is_same_v<T, uint64_t>) {
    if (value > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
  } else if constexpr (!std::is_integral_v<T>) {
    const double wide = static_cast<double>(value);
    if (!(wide > -9e18 && wide < 9e18)) return std::nullopt;
  }
  const int64_t index = static_cast<int64_t>(value);
  if (index < -depth || index >= depth) return std::nullopt;
  return index < 0 ? index + depth : index;
}

}  // namespace

void run_gather(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& data = op.input(0);
  Tensor& dst = op.output(0);
  const size_t axis = plain_axis(node.attr<int64_t>("axis"), data.rank());
  const Indices indices(op.input(1), node.attr<int64_t>("from_end") != 0);
  const int64_t count = op.input(1).elems(), bound = data.shape()[axis], inner = elems_between(data.shape(), axis + 1);
  check_indices(indices, count, bound);
  if (dst.elems() == 0) return;
  const int64_t row_bytes = inner * static_cast<int64_t>(elem_bytes(data));
  const std::byte* from = static_cast<const std::byte*>(data.raw());
  std::byte* to = static_cast<std::byte*>(dst.raw());
  const int64_t rows = elems_between(data.shape(), 0, axis) * count;
  op.parallel.ranges(rows, grain(row_bytes), [&](int64_t begin, int64_t end) {
    int64_t outer = begin / count, i = begin % count;
    for (int64_t row = begin; row < end; ++row) {
      copy_row(to + row * row_bytes, from + (outer * bound + indices.at(i, bound)) * row_bytes, row_bytes, inner == 1);
      if (++i == count) {
        i = 0;
        ++outer;
      }
    }
  });
}

void run_gather_elements(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& data = op.input(0);
  Tensor& dst = op.output(0);
  if (dst.elems() == 0) return;
  const size_t axis = plain_axis(node.attr<int64_t>("axis"), data.rank()), bytes = elem_bytes(data);
  const ElementPlaces places(data.shape(), dst.shape(), axis);
  const Indices indices(op.input(1));
  check_indices(indices, dst.elems(), places.bound());
  op.parallel.ranges(dst.elems(), 4096, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t offset = places.base(i) + indices.at(i, places.bound()) * places.stride();
      copy_element(static_cast<std::byte*>(dst.raw()) + static_cast<size_t>(i) * bytes,
                   static_cast<const std::byte*>(data.raw()) + static_cast<size_t>(offset) * bytes, bytes);
    }
  });
}

void run_gather_nd(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& data = op.input(0);
  Tensor& dst = op.output(0);
  if (op.input(1).elems() == 0) return;
  const TuplePlaces places(data.shape(), op.input(1), node.attr<int64_t>("batch_dims"),
                           node.attr<int64_t>("from_end") != 0);
  for (int64_t i = 0; i < places.count(); ++i) places.offset(i);  // checks all
  const int64_t row_bytes = places.slice() * static_cast<int64_t>(elem_bytes(data));
  if (row_bytes == 0) return;
  op.parallel.ranges(places.count(), grain(row_bytes), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      copy_row(static_cast<std::byte*>(dst.raw()) + i * row_bytes,
               static_cast<const std::byte*>(data.raw()) + places.offset(i) * static_cast<int64_t>(elem_bytes(data)),
               row_bytes, places.slice() == 1);
    }
  });
}

void run_one_hot(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& indices = op.input(0);
  Tensor& dst = op.output(0);
  const size_t axis = plain_axis(node.attr<int64_t>("axis"), dst.rank()), bytes = elem_bytes(dst);
  const int64_t depth = dst.shape()[axis], inner = elems_between(dst.shape(), axis + 1);
  const std::byte* values = static_cast<const std::byte*>(op.input(2).raw());
  fill_elements(dst.raw(), values, dst.elems(), bytes, op.parallel);
  if (dst.elems() == 0) return;
  dispatch_dtype(indices.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* data = indices.data<T>();
    for (int64_t i = 0; i < indices.elems(); ++i) {
      const std::optional<int64_t> on = hot_index(data[i], depth);
      if (!on) continue;
      const int64_t place = (i / inner * depth + *on) * inner + i % inner;
      copy_element(static_cast<std::byte*>(dst.raw()) + static_cast<size_t>(place) * bytes, values + bytes, bytes);
    }
  });
}

std::span<const OpBinding> gather_bindings() {
  static const OpBinding kBindings[] = {
      {"Gather", bind_simple<run_gather>, 1},     {"GatherElements", bind_simple<run_gather_elements>},
      {"GatherND", bind_simple<run_gather_nd>},   {"ScatterElements", bind_simple<run_scatter_elements>},
      {"ScatterND", bind_simple<run_scatter_nd>}, {"OneHot", bind_simple<run_one_hot>},
      {"NonZero", bind_simple<run_nonzero>},      {"Compress", bind_simple<run_compress>},
      {"Unique", bind_simple<run_unique>},        {"NonMaxSuppression", bind_simple<run_non_max_suppression>},
  };
  return kBindings;
}

}  // namespace neural_engine
