// Tensors: what goes into a model and comes out of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "neural_engine/export.h"

namespace neural_engine {

// Element types, named by kind and bits.
enum class DType : uint8_t {
  kUndefined,
  kF64,
  kF32,
  kF16,
  kBF16,
  kS64,
  kS32,
  kS16,
  kS8,
  kS4,  // two to a byte, the first element in the low nibble
  kU64,
  kU32,
  kU16,
  kU8,
  kU4,
  kBool,  // one byte, 0 or 1
  kF8E4M3FN,
  kF8E4M3FNUZ,
  kF8E5M2,
  kF8E5M2FNUZ,
};

// "f32", "s64", "bool" ...
NEURAL_ENGINE_EXPORT const char* to_string(DType dtype) noexcept;
// Bits of one element: 4 for s4 and u4, 0 for kUndefined.
NEURAL_ENGINE_EXPORT int bits_of(DType dtype) noexcept;
NEURAL_ENGINE_EXPORT bool is_floating(DType dtype) noexcept;
// Integers, bool not among them.
NEURAL_ENGINE_EXPORT bool is_integer(DType dtype) noexcept;

using Shape = std::vector<int64_t>;

// "[2,128,384]"
NEURAL_ENGINE_EXPORT std::string to_string(const Shape& shape);

// A dense row-major tensor. Copies are shallow: they share the storage, which lives until its last tensor is gone.
// Distinct Tensor objects may be used from distinct threads; writing to shared storage is the caller's to order.
class NEURAL_ENGINE_EXPORT Tensor {
 public:
  // An undefined tensor: no dtype, no elements.
  Tensor() = default;

  // Owned, uninitialised storage, 64-byte aligned. Throws Error(kInvalidArgument) for a negative or overflowing shape,
  // Error(kOutOfMemory) when the memory is not to be had.
  Tensor(DType dtype, Shape shape);

  // Memory of the caller, which must stay valid and hold bytes() bytes for as long as any copy is used. No alignment is
  // required beyond that of the element type.
  static Tensor borrow(DType dtype, Shape shape, void* data);

  // Memory that `owner` keeps alive (a mapped file, another container); treated as read-only by the engine. A weight of
  // a model may lie at any address of its file.
  static Tensor share(DType dtype, Shape shape, const void* data, std::shared_ptr<const void> owner);

  // Owned copies of values; the dtype follows from T (float, double, int64_t, int32_t, int8_t, uint8_t, bool ...).
  template <class T>
  static Tensor of(Shape shape, const std::vector<T>& values);
  template <class T>
  static Tensor scalar(T value) {
    return of<T>({}, std::vector<T>{value});
  }

  bool defined() const noexcept { return dtype_ != DType::kUndefined; }
  DType dtype() const noexcept { return dtype_; }
  const Shape& shape() const noexcept { return shape_; }
  int rank() const noexcept { return static_cast<int>(shape_.size()); }
  int64_t dim(int axis) const { return shape_[static_cast<size_t>(axis < 0 ? axis + rank() : axis)]; }
  int64_t elems() const noexcept { return elems_; }
  size_t bytes() const noexcept;

  void* raw() noexcept { return data_; }
  const void* raw() const noexcept { return data_; }

  // The elements. T must have the size of the dtype's elements: data<uint16_t>() is allowed for f16 and bf16; int4
  // tensors are read as bytes through raw(). A wrong size throws Error(kInvalidArgument).
  template <class T>
  T* data() {
    check_element_size(sizeof(T));
    return static_cast<T*>(data_);
  }
  template <class T>
  const T* data() const {
    check_element_size(sizeof(T));
    return static_cast<const T*>(data_);
  }

  // What keeps the memory alive; empty for borrowed memory.
  const std::shared_ptr<const void>& owner() const noexcept { return owner_; }

  // An owned deep copy.
  Tensor clone() const;
  // The same storage under another shape of as many elements.
  Tensor reshaped(Shape shape) const;
  // Points a borrowed tensor to other memory (same dtype and shape); never allocates.
  void rebind(void* data) noexcept;

 private:
  void check_element_size(size_t size) const;

  DType dtype_ = DType::kUndefined;
  Shape shape_;
  int64_t elems_ = 0;
  void* data_ = nullptr;
  std::shared_ptr<const void> owner_;
};

}  // namespace neural_engine
