// What run functions of data-moving ops share.
#pragma once

#include <cstring>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "executor/op_binding.h"
#include "executor/ops/strides.h"

namespace neural_engine {

// Allocates the wanted outputs that the plan could not size (a Reshape whose target depends on data), by inference from
// the tensors at hand. Does nothing where all outputs have their memory.
void define_outputs(const Node& node, OpContext& op);

// Gives output i the elements of `tensor`: by copy where the plan gave it memory, else as the tensor itself.
void deliver(OpContext& op, int i, Tensor tensor);

// The elements of an s64 or s32 tensor; empty for an absent operand.
std::vector<int64_t> read_ints(const Tensor& tensor);
inline std::vector<int64_t> read_ints(const OpContext& op, int input) {
  return op.has_input(input) ? read_ints(op.input(input)) : std::vector<int64_t>();
}

// Axes as inference has checked them: `axes`, made non-negative, or 0..rank-1 when `all`.
std::vector<int64_t> plain_axes(std::vector<int64_t> axes, bool all, int64_t rank);

inline size_t elem_bytes(const Tensor& tensor) { return static_cast<size_t>(bits_of(tensor.dtype())) / 8; }

// `axis` attribute made non-negative; inference has checked its range.
inline size_t plain_axis(int64_t axis, int64_t rank) { return static_cast<size_t>(axis < 0 ? axis + rank : axis); }

// Indices of either width. Negative ones count from the end, or are out of bounds as ONNX's are not.
class Indices {
 public:
  explicit Indices(const Tensor& tensor, bool from_end = true)
      : data_(tensor.raw()), wide_(tensor.dtype() == DType::kS64), from_end_(from_end) {}
  int64_t operator[](int64_t i) const {
    return wide_ ? static_cast<const int64_t*>(data_)[i] : static_cast<const int32_t*>(data_)[i];
  }
  int64_t at(int64_t i, int64_t bound) const {
    const int64_t index = (*this)[i];
    return index < 0 && from_end_ ? index + bound : index;
  }
  int64_t lowest(int64_t bound) const { return from_end_ ? -bound : 0; }

 private:
  const void* data_;
  bool wide_, from_end_;
};

[[noreturn]] void fail_index(const Indices& indices, int64_t position, int64_t bound);
// All `count` indices are in bounds, else Error(kInvalidData). Before work is shared out: tasks do not throw.
void check_indices(const Indices& indices, int64_t count, int64_t bound);

// One element; the size is 1, 2, 4 or 8 (inference refuses others).
inline void copy_element(void* dst, const void* src, size_t bytes) {
  switch (bytes) {
    case 1: std::memcpy(dst, src, 1); break;
    case 2: std::memcpy(dst, src, 2); break;
    case 4: std::memcpy(dst, src, 4); break;
    default: std::memcpy(dst, src, 8); break;
  }
}
// All elements of dst become *element.
void fill_elements(void* dst, const void* element, int64_t count, size_t bytes, Parallel& parallel);

// dst[i0][i1]... = src[tables[0][i0]][tables[1][i1]]..., tables being one per axis, of source indices within bounds.
void copy_by_tables(const Tensor& src, Tensor& dst, const std::vector<std::vector<int64_t>>& tables,
                    Parallel& parallel);

// Arithmetic of integers wraps, as numpy's does, instead of being undefined.
template <class T>
T wrapping_add(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  } else {
    return static_cast<T>(a + b);
  }
}
template <class T>
T wrapping_mul(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  } else {
    return static_cast<T>(a * b);
  }
}

}  // namespace neural_engine
