// Putting by index: a copy of the data, into which updates go in the order of their indices, on one thread: indices may
// repeat, and then the last (or the reduction, in that order) decides.
#include <algorithm>

#include "base/dtype.h"
#include "executor/ops/gather_run.h"
#include "executor/ops/index_walk.h"
#include "executor/ops/strided_copy.h"

namespace neural_engine {

namespace {

template <class T>
using Reduce = T (*)(T, T);

// Half types compute in float.
template <class T>
Reduce<T> reduction_of(const std::string& name) {
  if (name == "add") return [](T a, T b) { return wrapping_add(a, b); };
  if (name == "mul") return [](T a, T b) { return wrapping_mul(a, b); };
  // NaN in either operand is the result: every comparison with it is false.
  if (name == "max") return [](T a, T b) { return a < b || b != b ? b : a; };
  return [](T a, T b) { return b < a || b != b ? b : a; };
}

// Calls put(dst, src, count) for runs of elements: copies them, or reduces them into what is there.
template <class Body>
void with_put(const std::string& reduction, DType dtype, size_t bytes, Body&& body) {
  if (reduction == "none") {
    return body([bytes](void* dst, const void* src, int64_t count) {
      if (count == 1) return copy_element(dst, src, bytes);
      std::memcpy(dst, src, static_cast<size_t>(count) * bytes);
    });
  }
  dispatch_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, bool>) {
      fail(Code::kUnsupported, "reduction ", reduction, " of bool");
    } else {
      const Reduce<T> reduce = reduction_of<T>(reduction);
      body([reduce](void* dst, const void* src, int64_t count) {
        T* to = static_cast<T*>(dst);
        const T* from = static_cast<const T*>(src);
        for (int64_t i = 0; i < count; ++i) to[i] = reduce(to[i], from[i]);
      });
    }
  });
}

std::byte* at(void* data, int64_t elems, size_t bytes) {
  return static_cast<std::byte*>(data) + elems * static_cast<int64_t>(bytes);
}

const std::byte* at(const void* data, int64_t elems, size_t bytes) {
  return static_cast<const std::byte*>(data) + elems * static_cast<int64_t>(bytes);
}

}  // namespace

void run_scatter_elements(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor &data = op.input(0), &updates = op.input(2);
  Tensor& dst = op.output(0);
  const size_t axis = plain_axis(node.attr<int64_t>("axis"), data.rank()), bytes = elem_bytes(data);
  const Indices indices(op.input(1));
  const int64_t count = op.input(1).elems();
  require(updates.shape() == op.input(1).shape(), Code::kInvalidData, "updates of shape ", to_string(updates.shape()),
          " for indices of shape ", to_string(op.input(1).shape()));
  copy_bytes(data.raw(), dst.raw(), data.bytes(), op.parallel);
  if (count == 0) return;
  const ElementPlaces places(data.shape(), op.input(1).shape(), axis);
  check_indices(indices, count, places.bound());
  with_put(node.attr<std::string>("reduction"), data.dtype(), bytes, [&](auto put) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t place = places.base(i) + indices.at(i, places.bound()) * places.stride();
      put(at(dst.raw(), place, bytes), at(updates.raw(), i, bytes), 1);
    }
  });
}

void run_scatter_nd(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor &data = op.input(0), &updates = op.input(2);
  Tensor& dst = op.output(0);
  const size_t bytes = elem_bytes(data);
  copy_bytes(data.raw(), dst.raw(), data.bytes(), op.parallel);
  if (op.input(1).elems() == 0) return;
  const TuplePlaces places(data.shape(), op.input(1), 0, node.attr<int64_t>("from_end") != 0);
  require(updates.elems() == places.count() * places.slice(), Code::kInvalidData, "updates of shape ",
          to_string(updates.shape()), " for ", places.count(), " slices of ", places.slice(), " elements");
  with_put(node.attr<std::string>("reduction"), data.dtype(), bytes, [&](auto put) {
    for (int64_t i = 0; i < places.count(); ++i) {
      put(at(dst.raw(), places.offset(i), bytes), at(updates.raw(), i * places.slice(), bytes), places.slice());
    }
  });
}

}  // namespace neural_engine
