#include "neural_engine/tensor.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/checked.h"
#include "base/dtype.h"

namespace neural_engine {

namespace {

constexpr size_t kAlignment = 64;  // one cache line, one zmm register

int64_t checked_elems(DType dtype, const Shape& shape) {
  int64_t elems = 1;
  for (int64_t dim : shape) {
    require(dim >= 0, Code::kInvalidArgument, "tensor shape ", to_string(shape), " has a negative dimension");
    require(checked_mul(elems, dim, &elems), Code::kInvalidArgument, "tensor shape ", to_string(shape), " overflows");
  }
  int64_t bits = 0;
  require(checked_mul(elems, bits_of(dtype), &bits), Code::kInvalidArgument, "tensor shape ", to_string(shape),
          " overflows");
  return elems;
}

}  // namespace

const char* to_string(DType dtype) noexcept {
  switch (dtype) {
    case DType::kUndefined: return "undefined";
    case DType::kF64: return "f64";
    case DType::kF32: return "f32";
    case DType::kF16: return "f16";
    case DType::kBF16: return "bf16";
    case DType::kS64: return "s64";
    case DType::kS32: return "s32";
    case DType::kS16: return "s16";
    case DType::kS8: return "s8";
    case DType::kS4: return "s4";
    case DType::kU64: return "u64";
    case DType::kU32: return "u32";
    case DType::kU16: return "u16";
    case DType::kU8: return "u8";
    case DType::kU4: return "u4";
    case DType::kBool: return "bool";
    case DType::kF8E4M3FN: return "f8e4m3fn";
    case DType::kF8E4M3FNUZ: return "f8e4m3fnuz";
    case DType::kF8E5M2: return "f8e5m2";
    case DType::kF8E5M2FNUZ: return "f8e5m2fnuz";
  }
  return "unknown";
}

int bits_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::kUndefined: return 0;
    case DType::kF64:
    case DType::kS64:
    case DType::kU64: return 64;
    case DType::kF32:
    case DType::kS32:
    case DType::kU32: return 32;
    case DType::kF16:
    case DType::kBF16:
    case DType::kS16:
    case DType::kU16: return 16;
    case DType::kS4:
    case DType::kU4: return 4;
    default: return 8;
  }
}

bool is_floating(DType dtype) noexcept {
  switch (dtype) {
    case DType::kF64:
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
    case DType::kF8E4M3FN:
    case DType::kF8E4M3FNUZ:
    case DType::kF8E5M2:
    case DType::kF8E5M2FNUZ: return true;
    default: return false;
  }
}

bool is_integer(DType dtype) noexcept {
  return dtype != DType::kUndefined && dtype != DType::kBool && !is_floating(dtype);
}

std::string to_string(const Shape& shape) {
  std::string result = "[";
  for (size_t i = 0; i < shape.size(); ++i) result += (i ? "," : "") + std::to_string(shape[i]);
  return result + "]";
}

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  require(dtype != DType::kUndefined, Code::kInvalidArgument, "a tensor needs a dtype");
  elems_ = checked_elems(dtype, shape_);
  const size_t size = (bytes() + kAlignment - 1) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, size ? size : kAlignment);
  if (memory == nullptr)
    fail(Code::kOutOfMemory, "no memory for a tensor of shape ", to_string(shape_), " (", size, " bytes)");
  data_ = memory;
  owner_ = std::shared_ptr<const void>(memory, [](const void* pointer) { std::free(const_cast<void*>(pointer)); });
}

Tensor Tensor::borrow(DType dtype, Shape shape, void* data) {
  Tensor result;
  result.elems_ = checked_elems(dtype, shape);
  result.dtype_ = dtype;
  result.shape_ = std::move(shape);
  result.data_ = data;
  return result;
}

Tensor Tensor::share(DType dtype, Shape shape, const void* data, std::shared_ptr<const void> owner) {
  Tensor result = borrow(dtype, std::move(shape), const_cast<void*>(data));
  result.owner_ = std::move(owner);
  return result;
}

template <class T>
Tensor Tensor::of(Shape shape, const std::vector<T>& values) {
  Tensor result(kDTypeOf<T>, std::move(shape));
  require(static_cast<int64_t>(values.size()) == result.elems(), Code::kInvalidArgument, "shape ",
          to_string(result.shape()), " does not hold ", values.size(), " values");
  T* data = result.data<T>();
  for (size_t i = 0; i < values.size(); ++i) data[i] = values[i];
  return result;
}

template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<double>&);
template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<float>&);
template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<Half>&);
template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<BFloat16>&);
template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<int64_t>&);
template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<int32_t>&);
template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<int16_t>&);
template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<int8_t>&);
template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<uint64_t>&);
template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<uint32_t>&);
template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<uint16_t>&);
template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<uint8_t>&);
template NEURAL_ENGINE_EXPORT Tensor Tensor::of(Shape, const std::vector<bool>&);

size_t Tensor::bytes() const noexcept {
  return (static_cast<size_t>(elems_) * static_cast<size_t>(bits_of(dtype_)) + 7) / 8;
}

Tensor Tensor::clone() const {
  if (!defined()) return {};
  Tensor result(dtype_, shape_);
  if (bytes()) std::memcpy(result.data_, data_, bytes());
  return result;
}

Tensor Tensor::reshaped(Shape shape) const {
  Tensor result = *this;
  require(checked_elems(dtype_, shape) == elems_, Code::kInvalidArgument, "cannot view shape ", to_string(shape_),
          " as ", to_string(shape));
  result.shape_ = std::move(shape);
  return result;
}

void Tensor::rebind(void* data) noexcept { data_ = data; }

void Tensor::check_element_size(size_t size) const {
  require(size * 8 == static_cast<size_t>(bits_of(dtype_)), Code::kInvalidArgument, "elements of ", size,
          " bytes asked of a tensor of dtype ", to_string(dtype_));
}

}  // namespace neural_engine
