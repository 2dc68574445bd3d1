#include "load/tensorflow_types.h"

#include <cstring>

#include "base/checked.h"
#include "base/dtype.h"
#include "base/error.h"

namespace neural_engine {

namespace {

struct TypeRow {
  int number;
  const char* name;
  DType dtype;
};

constexpr TypeRow kTypes[] = {
    {1, "DT_FLOAT", DType::kF32},
    {2, "DT_DOUBLE", DType::kF64},
    {3, "DT_INT32", DType::kS32},
    {4, "DT_UINT8", DType::kU8},
    {5, "DT_INT16", DType::kS16},
    {6, "DT_INT8", DType::kS8},
    {kTfString, "DT_STRING", DType::kUndefined},
    {8, "DT_COMPLEX64", DType::kUndefined},
    {9, "DT_INT64", DType::kS64},
    {10, "DT_BOOL", DType::kBool},
    {11, "DT_QINT8", DType::kS8},
    {12, "DT_QUINT8", DType::kU8},
    {13, "DT_QINT32", DType::kS32},
    {14, "DT_BFLOAT16", DType::kBF16},
    {15, "DT_QINT16", DType::kS16},
    {16, "DT_QUINT16", DType::kU16},
    {17, "DT_UINT16", DType::kU16},
    {18, "DT_COMPLEX128", DType::kUndefined},
    {19, "DT_HALF", DType::kF16},
    {kTfResource, "DT_RESOURCE", DType::kUndefined},
    {kTfVariant, "DT_VARIANT", DType::kUndefined},
    {22, "DT_UINT32", DType::kU32},
    {23, "DT_UINT64", DType::kU64},
};

// The type of a reference to a variable (TensorFlow 1) is that of the variable plus this.
constexpr int kReference = 100;

const TypeRow* find_type(int type) {
  for (const TypeRow& row : kTypes) {
    if (row.number == type || row.number + kReference == type) return &row;
  }
  return nullptr;
}

int64_t checked_elems(const Shape& shape, DType dtype) {
  int64_t elems = 1, bytes = 0;
  for (int64_t dim : shape) {
    if (!checked_mul(elems, dim, &elems)) fail(Code::kInvalidModel, "shape ", to_string(shape), " overflows");
  }
  if (!checked_mul(elems, bits_of(dtype) / 8, &bytes)) {
    fail(Code::kInvalidModel, "shape ", to_string(shape), " overflows");
  }
  return elems;
}

void check_bools(DType dtype, std::span<const std::byte> bytes) {
  if (dtype != DType::kBool) return;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int value = std::to_integer<int>(bytes[i]);
    if (value > 1) fail(Code::kInvalidModel, "element ", i, " of a bool tensor is ", value, ", expected 0 or 1");
  }
}

// As many values as elements, or fewer: the last is repeated; none at all are zeros.
template <class T, class Values>
Tensor filled(DType dtype, const Shape& shape, const Values& values) {
  Tensor result(dtype, shape);
  T* data = static_cast<T*>(result.raw());
  T last{};
  for (int64_t i = 0; i < result.elems(); ++i) {
    if (i < values.size()) {
      const auto value = values.Get(static_cast<int>(i));
      last = static_cast<T>(value);
      if constexpr (std::is_integral_v<T>) {
        if (static_cast<decltype(value + 0)>(last) != value) {
          fail(Code::kInvalidModel, "element ", i, " is ", value, ", which is not a ", to_string(dtype));
        }
      }
    }
    data[i] = last;
  }
  return result;
}

int count_values(const tf::Tensor& proto, DType dtype) {
  switch (dtype) {
    case DType::kF32: return proto.float_val_size();
    case DType::kF64: return proto.double_val_size();
    case DType::kS64: return proto.int64_val_size();
    case DType::kBool: return proto.bool_val_size();
    case DType::kU32: return proto.uint32_val_size();
    case DType::kU64: return proto.uint64_val_size();
    case DType::kF16:
    case DType::kBF16: return proto.half_val_size();
    default: return proto.int_val_size();
  }
}

}  // namespace

std::string tf_type_name(int type) {
  const TypeRow* row = find_type(type);
  if (row == nullptr) return "type " + std::to_string(type);
  return std::string(row->name) + (row->number == type ? "" : "_REF");
}

DType dtype_of_tf(int type) noexcept {
  const TypeRow* row = find_type(type);
  return row ? row->dtype : DType::kUndefined;
}

DType checked_tf_dtype(int type) {
  const DType dtype = dtype_of_tf(type);
  if (dtype == DType::kUndefined) fail(Code::kUnsupported, tf_type_name(type), " found, which is not supported here");
  return dtype;
}

std::optional<SymShape> read_tf_shape(const tf::TensorShape& shape) {
  if (shape.unknown_rank()) return std::nullopt;
  SymShape result;
  for (const tf::TensorShape::Dim& dim : shape.dim()) {
    if (dim.size() < -1) {
      fail(Code::kInvalidModel, "dimension ", result.size(), " is ", dim.size(), ", expected 0 or more, or -1");
    }
    result.push_back(dim.size() < 0 ? Dim() : Dim(dim.size()));
  }
  return result;
}

Shape read_full_tf_shape(const tf::TensorShape& shape) {
  const std::optional<SymShape> symbolic_shape = read_tf_shape(shape);
  const std::optional<Shape> result = symbolic_shape ? concrete(*symbolic_shape) : std::nullopt;
  if (!result) fail(Code::kInvalidModel, "a shape with unknown dimensions found, expected numbers");
  return *result;
}

Tensor tensor_of_bytes(DType dtype, Shape shape, std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  const int64_t expected = checked_elems(shape, dtype) * bits_of(dtype) / 8;
  if (static_cast<int64_t>(bytes.size()) != expected) {
    fail(Code::kInvalidModel, "a tensor of ", bytes.size(), " bytes found, shape ", to_string(shape), " of ",
         to_string(dtype), " takes ", expected);
  }
  check_bools(dtype, bytes);
  const uintptr_t element = static_cast<uintptr_t>(bits_of(dtype) / 8);
  if (owner && !bytes.empty() && reinterpret_cast<uintptr_t>(bytes.data()) % element == 0) {
    return Tensor::share(dtype, std::move(shape), bytes.data(), std::move(owner));
  }
  Tensor result(dtype, std::move(shape));
  if (!bytes.empty()) std::memcpy(result.raw(), bytes.data(), bytes.size());
  return result;
}

Tensor TfTensorReader::read(const tf::Tensor& proto) {
  const DType dtype = checked_tf_dtype(proto.dtype());
  const Shape shape = read_full_tf_shape(proto.tensor_shape());
  // A field that is there may be empty all the same.
  if (!proto.tensor_content().empty() && !stripped_->bytes_of(proto.tensor_content()).empty()) {
    return tensor_of_bytes(dtype, shape, stripped_->bytes_of(proto.tensor_content()), owner_);
  }
  return read_values(proto, dtype, shape);
}

Tensor TfTensorReader::read_values(const tf::Tensor& proto, DType dtype, const Shape& shape) {
  const int64_t elems = checked_elems(shape, dtype);
  const int64_t given = count_values(proto, dtype);
  if (given > elems) {
    fail(Code::kInvalidModel, "a constant holds ", given, " values, shape ", to_string(shape), " takes ", elems);
  }
  if (given < elems && !checked_add(filled_bytes_, (elems - given) * bits_of(dtype) / 8, &filled_bytes_)) {
    fail(Code::kInvalidModel, "shape ", to_string(shape), " overflows");
  }
  if (filled_bytes_ > kMaxFilled) {
    fail(Code::kUnsupported, "constants that repeat one value take more than ", kMaxFilled >> 20, " MiB");
  }
  switch (dtype) {
    case DType::kF32: return filled<float>(dtype, shape, proto.float_val());
    case DType::kF64: return filled<double>(dtype, shape, proto.double_val());
    case DType::kS64: return filled<int64_t>(dtype, shape, proto.int64_val());
    case DType::kS32: return filled<int32_t>(dtype, shape, proto.int_val());
    case DType::kS16: return filled<int16_t>(dtype, shape, proto.int_val());
    case DType::kS8: return filled<int8_t>(dtype, shape, proto.int_val());
    case DType::kU16: return filled<uint16_t>(dtype, shape, proto.int_val());
    case DType::kU8: return filled<uint8_t>(dtype, shape, proto.int_val());
    case DType::kU32: return filled<uint32_t>(dtype, shape, proto.uint32_val());
    case DType::kU64: return filled<uint64_t>(dtype, shape, proto.uint64_val());
    case DType::kBool: return filled<uint8_t>(dtype, shape, proto.bool_val());
    default: return filled<uint16_t>(dtype, shape, proto.half_val());  // the bits of f16 and bf16
  }
}

}  // namespace neural_engine
