// Ops whose results have a size that only their elements tell.
#include <algorithm>
#include <numeric>

#include "base/dtype.h"
#include "executor/ops/gather_run.h"
#include "executor/ops/run_helpers.h"

namespace neural_engine {

namespace {

Tensor s64_vector(const std::vector<int64_t>& values) {
  return Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values);
}

// Flat positions of the elements that are not zero.
std::vector<int64_t> nonzero_positions(const Tensor& tensor) {
  std::vector<int64_t> result;
  const auto collect = [&](auto is_nonzero) {
    for (int64_t i = 0; i < tensor.elems(); ++i) {
      if (is_nonzero(i)) result.push_back(i);
    }
  };
  switch (tensor.dtype()) {
    case DType::kF8E4M3FN:
    case DType::kF8E5M2: {
      const uint8_t* bits = tensor.data<uint8_t>();
      collect([bits](int64_t i) { return (bits[i] & 0x7f) != 0; });
      break;
    }
    case DType::kF8E4M3FNUZ:
    case DType::kF8E5M2FNUZ: {  // no negative zero: 0x80 is NaN
      const uint8_t* bits = tensor.data<uint8_t>();
      collect([bits](int64_t i) { return bits[i] != 0; });
      break;
    }
    default:
      dispatch_dtype(tensor.dtype(), [&](auto tag) {
        const auto* data = tensor.data<typename decltype(tag)::type>();
        collect([data](int64_t i) { return data[i] != 0; });
      });
  }
  return result;
}

// A tensor seen as `count` blocks, block k being the `outer` runs of `inner` elements at index k of an axis.
struct Blocks {
  int64_t outer, count, inner;
};

Blocks blocks_of(const Shape& shape, std::optional<size_t> axis) {
  if (!axis) return {1, elems_between(shape, 0), 1};
  return {elems_between(shape, 0, *axis), shape[*axis], elems_between(shape, *axis + 1)};
}

// The chosen blocks, side by side.
Tensor take_blocks(const Tensor& src, const Blocks& blocks, std::optional<size_t> axis,
                   const std::vector<int64_t>& chosen) {
  Shape shape = axis ? src.shape() : Shape{0};
  shape[axis.value_or(0)] = static_cast<int64_t>(chosen.size());
  Tensor dst(src.dtype(), std::move(shape));
  const int64_t run = blocks.inner * static_cast<int64_t>(elem_bytes(src));
  std::byte* to = static_cast<std::byte*>(dst.raw());
  for (int64_t outer = 0; run > 0 && outer < blocks.outer; ++outer) {
    for (int64_t block : chosen) {
      std::memcpy(to, static_cast<const std::byte*>(src.raw()) + (outer * blocks.count + block) * run,
                  static_cast<size_t>(run));
      to += run;
    }
  }
  return dst;
}

std::optional<size_t> axis_of(const Node& node, const Tensor& tensor) {
  if (!node.attrs.has("axis")) return std::nullopt;
  return plain_axis(node.attr<int64_t>("axis"), tensor.rank());
}

// A total order, so that sorting is defined: NaN is equal to itself and after all numbers.
template <class T>
int compare(T a, T b) {
  if (a < b) return -1;
  if (b < a) return 1;
  return (a != a) - (b != b);
}

struct Groups {
  std::vector<int64_t> first;    // of each group, its first block
  std::vector<int64_t> inverse;  // of each block, its group
  std::vector<int64_t> counts;
};

// Groups of equal blocks: in ascending order, or in the order of their first blocks.
template <class T>
Groups group_blocks(const T* data, const Blocks& blocks, bool sorted) {
  const auto order = [&](int64_t a, int64_t b) {
    for (int64_t outer = 0; outer < blocks.outer; ++outer) {
      const T* x = data + (outer * blocks.count + a) * blocks.inner;
      const T* y = data + (outer * blocks.count + b) * blocks.inner;
      for (int64_t i = 0; i < blocks.inner; ++i) {
        if (const int result = compare(x[i], y[i])) return result;
      }
    }
    return 0;
  };
  std::vector<int64_t> by_value(static_cast<size_t>(blocks.count));
  std::iota(by_value.begin(), by_value.end(), 0);
  std::stable_sort(by_value.begin(), by_value.end(), [&](int64_t a, int64_t b) { return order(a, b) < 0; });

  Groups groups;
  groups.inverse.resize(by_value.size());
  for (size_t i = 0; i < by_value.size(); ++i) {
    if (i == 0 || order(by_value[i - 1], by_value[i]) != 0) {
      groups.first.push_back(by_value[i]);  // stable: the lowest index of the group
      groups.counts.push_back(0);
    }
    ++groups.counts.back();
    groups.inverse[static_cast<size_t>(by_value[i])] = static_cast<int64_t>(groups.first.size()) - 1;
  }
  if (sorted) return groups;

  std::vector<int64_t> rank(groups.first.size());
  std::iota(rank.begin(), rank.end(), 0);
  const auto first = [&](int64_t group) { return groups.first[static_cast<size_t>(group)]; };
  std::sort(rank.begin(), rank.end(), [&](int64_t a, int64_t b) { return first(a) < first(b); });
  Groups result;
  std::vector<int64_t> renamed(rank.size());
  for (size_t i = 0; i < rank.size(); ++i) {
    renamed[static_cast<size_t>(rank[i])] = static_cast<int64_t>(i);
    result.first.push_back(first(rank[i]));
    result.counts.push_back(groups.counts[static_cast<size_t>(rank[i])]);
  }
  for (int64_t group : groups.inverse) result.inverse.push_back(renamed[static_cast<size_t>(group)]);
  return result;
}

}  // namespace

void run_nonzero(const Node&, OpContext& op) {
  const Tensor& src = op.input(0);
  const std::vector<int64_t> positions = nonzero_positions(src);
  const int64_t count = static_cast<int64_t>(positions.size());
  Tensor dst(DType::kS64, {src.rank(), count});
  int64_t* coordinates = dst.data<int64_t>();
  const std::vector<int64_t> strides = dense_strides(src.shape());
  for (size_t axis = 0; axis < strides.size(); ++axis) {
    for (int64_t i = 0; i < count; ++i) {
      *coordinates++ = positions[static_cast<size_t>(i)] / strides[axis] % src.shape()[axis];
    }
  }
  deliver(op, 0, std::move(dst));
}

void run_compress(const Node& node, OpContext& op) {
  const Tensor& src = op.input(0);
  const std::optional<size_t> axis = axis_of(node, src);
  const Blocks blocks = blocks_of(src.shape(), axis);
  std::vector<int64_t> chosen = nonzero_positions(op.input(1));
  require(chosen.empty() || chosen.back() < blocks.count, Code::kInvalidData, "condition ",
          chosen.empty() ? 0 : chosen.back(), " is true, but there are only ", blocks.count, " elements");
  deliver(op, 0, take_blocks(src, blocks, axis, chosen));
}

void run_unique(const Node& node, OpContext& op) {
  const Tensor& src = op.input(0);
  const std::optional<size_t> axis = axis_of(node, src);
  const Blocks blocks = blocks_of(src.shape(), axis);
  const Groups groups = dispatch_dtype(src.dtype(), [&](auto tag) {
    return group_blocks(src.data<typename decltype(tag)::type>(), blocks, node.attr<int64_t>("sorted") != 0);
  });
  deliver(op, 0, take_blocks(src, blocks, axis, groups.first));
  deliver(op, 1, s64_vector(groups.first));
  deliver(op, 2, s64_vector(groups.inverse));
  deliver(op, 3, s64_vector(groups.counts));
}

}  // namespace neural_engine
