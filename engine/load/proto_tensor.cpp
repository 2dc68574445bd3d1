#include "load/proto_tensor.h"

#include <charconv>
#include <cstring>
#include <optional>

#include "base/checked.h"
#include "base/dtype.h"
#include "base/error.h"
#include "base/onnx_dtype.h"
#include "base/tensor_memory.h"

namespace neural_engine {

namespace {

using onnx::TensorProto;

// The data types that have no dtype here, for messages.
const char* foreign_type_name(int data_type) {
  switch (data_type) {
    case 8: return "STRING";
    case 14: return "COMPLEX64";
    case 15: return "COMPLEX128";
    case 23: return "FLOAT4E2M1";
    case 24: return "FLOAT8E8M0";
    default: return "unknown";
  }
}

// What a tensor of this shape takes; overflow is refused.
struct Extent {
  int64_t elems;
  int64_t bytes;
};

Extent extent_of(DType dtype, const Shape& shape) {
  int64_t elems = 1;
  int64_t bits = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0) fail(Code::kInvalidModel, "dimension ", i, " is ", shape[i], ", expected 0 or more");
    if (!checked_mul(elems, shape[i], &elems)) fail(Code::kInvalidModel, "shape ", to_string(shape), " overflows");
  }
  if (!checked_mul(elems, bits_of(dtype), &bits)) fail(Code::kInvalidModel, "shape ", to_string(shape), " overflows");
  return {elems, bits / 8 + (bits % 8 != 0)};
}

void check_bytes(int64_t found, DType dtype, const Shape& shape, const char* where) {
  const Extent extent = extent_of(dtype, shape);
  if (found != extent.bytes) {
    fail(Code::kInvalidModel, where, " holds ", found, " bytes, shape ", to_string(shape), " of ", to_string(dtype),
         " takes ", extent.bytes);
  }
}

// Booleans are read as bytes of 0 and 1 everywhere; other bytes would make two "true"s that differ.
void check_bools(const Tensor& tensor) {
  if (tensor.dtype() != DType::kBool) return;
  const uint8_t* data = tensor.data<uint8_t>();
  for (int64_t i = 0; i < tensor.elems(); ++i) {
    if (data[i] > 1)
      fail(Code::kInvalidModel, "element ", i, " of a bool tensor is ", int{data[i]}, ", expected 0 or 1");
  }
}

Tensor view_or_copy(DType dtype, const Shape& shape, std::span<const std::byte> bytes,
                    const std::shared_ptr<const void>& owner) {
  if (owner && !bytes.empty()) {
    Tensor view = Tensor::share(dtype, shape, bytes.data(), owner);
    if (is_aligned(view) || bytes.size() >= kMinUnalignedBytes) return view;
  }
  Tensor result(dtype, shape);
  if (!bytes.empty()) std::memcpy(result.raw(), bytes.data(), bytes.size());
  return result;
}

// One field of numbers, as many as the shape takes and each within the element type.
template <class T, class Values>
Tensor from_numbers(DType dtype, const Shape& shape, const Values& values) {
  const int64_t expected = extent_of(dtype, shape).elems;
  if (values.size() != expected) {
    fail(Code::kInvalidModel, "the data field holds ", values.size(), " values, shape ", to_string(shape), " takes ",
         expected);
  }
  Tensor result(dtype, shape);
  T* data = static_cast<T*>(result.raw());
  for (int i = 0; i < values.size(); ++i) {
    data[i] = static_cast<T>(values.Get(i));
    if constexpr (std::is_integral_v<T>) {
      if (static_cast<decltype(values.Get(i) + 0)>(data[i]) != values.Get(i)) {
        fail(Code::kInvalidModel, "element ", i, " is ", values.Get(i), ", which is not a ", to_string(dtype));
      }
    }
  }
  return result;
}

// int32_data of 4-bit tensors holds bytes: two elements each.
Tensor from_packed_nibbles(DType dtype, const Shape& shape, const google::protobuf::RepeatedField<int32_t>& values) {
  check_bytes(values.size(), dtype, shape, "int32_data");
  Tensor result(dtype, shape);
  for (int i = 0; i < values.size(); ++i) {
    if (values[i] < -128 || values[i] > 255) fail(Code::kInvalidModel, "int32_data holds ", values[i], ", not a byte");
    static_cast<uint8_t*>(result.raw())[i] = static_cast<uint8_t>(values[i]);
  }
  return result;
}

Tensor from_typed_fields(const TensorProto& proto, DType dtype, const Shape& shape) {
  switch (dtype) {
    case DType::kF32: return from_numbers<float>(dtype, shape, proto.float_data());
    case DType::kF64: return from_numbers<double>(dtype, shape, proto.double_data());
    case DType::kS64: return from_numbers<int64_t>(dtype, shape, proto.int64_data());
    case DType::kU64: return from_numbers<uint64_t>(dtype, shape, proto.uint64_data());
    case DType::kU32: return from_numbers<uint32_t>(dtype, shape, proto.uint64_data());
    case DType::kS32: return from_numbers<int32_t>(dtype, shape, proto.int32_data());
    case DType::kS16: return from_numbers<int16_t>(dtype, shape, proto.int32_data());
    case DType::kS8: return from_numbers<int8_t>(dtype, shape, proto.int32_data());
    case DType::kF16:  // the bits of the 16-bit types
    case DType::kBF16:
    case DType::kU16: return from_numbers<uint16_t>(dtype, shape, proto.int32_data());
    case DType::kS4:
    case DType::kU4: return from_packed_nibbles(dtype, shape, proto.int32_data());
    default: return from_numbers<uint8_t>(dtype, shape, proto.int32_data());  // u8, bool and the bits of 8-bit floats
  }
}

// Only the field that belongs to the dtype may hold values: another one would be ignored silently.
void check_single_source(const TensorProto& proto) {
  const std::pair<const char*, bool> fields[] = {{"float_data", proto.float_data_size() > 0},
                                                 {"int32_data", proto.int32_data_size() > 0},
                                                 {"int64_data", proto.int64_data_size() > 0},
                                                 {"double_data", proto.double_data_size() > 0},
                                                 {"uint64_data", proto.uint64_data_size() > 0},
                                                 {"string_data", proto.string_data_size() > 0},
                                                 {"raw_data", proto.has_raw_data()},
                                                 {"external_data", proto.data_location() == TensorProto::EXTERNAL}};
  std::string found;
  int count = 0;
  for (const auto& [name, present] : fields) {
    if (!present) continue;
    found += std::string(count ? " and " : "") + name;
    ++count;
  }
  if (count > 1) fail(Code::kInvalidModel, "both ", found, " are given, expected one of them");
}

int64_t parse_int(const std::string& key, const std::string& value) {
  int64_t result = 0;
  const char* end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, result);
  if (error != std::errc() || at != end || result < 0) {
    fail(Code::kInvalidModel, "external data: ", key, " is \"", value, "\", expected a number of bytes");
  }
  return result;
}

// Index `i` of a sparse tensor as an offset into the dense one.
int64_t dense_offset(const Tensor& indices, int64_t i, const Shape& shape, int64_t elems) {
  const int64_t* data = indices.data<int64_t>();
  int64_t offset = 0;
  if (indices.rank() == 1) {
    offset = data[i];
    if (offset < 0 || offset >= elems) fail(Code::kInvalidModel, "sparse index ", offset, " is not below ", elems);
    return offset;
  }
  const int64_t rank = static_cast<int64_t>(shape.size());
  for (int64_t axis = 0; axis < rank; ++axis) {
    const int64_t index = data[i * rank + axis];
    const int64_t dim = shape[static_cast<size_t>(axis)];
    if (index < 0 || index >= dim) fail(Code::kInvalidModel, "sparse index ", index, " is not below ", dim);
    offset = offset * dim + index;
  }
  return offset;
}

}  // namespace

DType checked_dtype(int data_type) {
  const DType dtype = dtype_of_onnx(data_type);
  if (data_type == 0) fail(Code::kInvalidModel, "the data type is missing");
  if (dtype == DType::kUndefined) {
    fail(Code::kUnsupported, "data type ", data_type, " (", foreign_type_name(data_type),
         ") found, supported are FLOAT, DOUBLE, FLOAT16, BFLOAT16, FLOAT8E4M3FN(UZ), FLOAT8E5M2(UZ), integers of 4 to "
         "64 "
         "bits and BOOL");
  }
  return dtype;
}

Tensor TensorReader::read(const TensorProto& proto) {
  return with_context([&] { return "tensor \"" + proto.name() + "\""; },
                      [&] {
                        const DType dtype = checked_dtype(proto.data_type());
                        const Shape shape(proto.dims().begin(), proto.dims().end());
                        if (proto.has_segment()) fail(Code::kUnsupported, "a segment of a tensor is not supported");
                        check_single_source(proto);
                        Tensor result = proto.data_location() == TensorProto::EXTERNAL
                                            ? read_external(proto, dtype, shape)
                                            : read_default(proto, dtype, shape);
                        check_bools(result);
                        return result;
                      });
}

Tensor TensorReader::read_default(const TensorProto& proto, DType dtype, const Shape& shape) {
  if (!proto.has_raw_data()) return from_typed_fields(proto, dtype, shape);
  const std::span<const std::byte> bytes =
      stripped_ ? stripped_->bytes_of(proto.raw_data()) : std::as_bytes(std::span(proto.raw_data()));
  check_bytes(static_cast<int64_t>(bytes.size()), dtype, shape, "raw_data");
  return view_or_copy(dtype, shape, bytes, owner_);
}

Tensor TensorReader::read_external(const TensorProto& proto, DType dtype, const Shape& shape) {
  if (folder_.empty()) fail(Code::kUnsupported, "external data found, but there is no folder to look for it");
  std::string location;
  int64_t offset = 0;
  std::optional<int64_t> length;
  for (const onnx::StringStringEntryProto& entry : proto.external_data()) {
    if (entry.key() == "location") {
      location = entry.value();
    } else if (entry.key() == "offset") {
      offset = parse_int("offset", entry.value());
    } else if (entry.key() == "length") {
      length = parse_int("length", entry.value());
    } else if (entry.key() != "checksum") {  // not verified: it protects against damage, not against malice
      fail(Code::kUnsupported, "external data: key \"", entry.key(), "\" found, supported: location, offset, length");
    }
  }
  std::shared_ptr<const MappedFile>& file = external_[location];
  if (!file) file = MappedFile::open_below(folder_, location);
  const int64_t size = static_cast<int64_t>(file->size());
  if (offset > size || length.value_or(0) > size - offset) {
    fail(Code::kInvalidModel, "external data: offset ", offset, " and length ", length.value_or(0), " exceed \"",
         location, "\", which holds ", size, " bytes");
  }
  const int64_t bytes = length.value_or(size - offset);
  check_bytes(bytes, dtype, shape, "external data");
  return view_or_copy(dtype, shape, file->bytes().subspan(static_cast<size_t>(offset), static_cast<size_t>(bytes)),
                      file);
}

Tensor TensorReader::read_sparse(const onnx::SparseTensorProto& proto) {
  const Tensor values = read(proto.values());
  const Tensor indices = read(proto.indices());
  const Shape shape(proto.dims().begin(), proto.dims().end());
  const Extent extent = extent_of(values.dtype(), shape);
  const int64_t count = values.elems();
  const bool linear = indices.rank() == 1 && indices.elems() == count;
  const bool tuples =
      indices.rank() == 2 && indices.dim(0) == count && indices.dim(1) == static_cast<int64_t>(shape.size());
  if (values.rank() != 1 || indices.dtype() != DType::kS64 || (!linear && !tuples)) {
    fail(Code::kInvalidModel, "sparse tensor with values ", to_string(values.shape()), " and indices ",
         to_string(indices.dtype()), " ", to_string(indices.shape()), ", expected [n] and s64 [n] or [n,rank]");
  }
  if (bits_of(values.dtype()) < 8) fail(Code::kUnsupported, "sparse tensor of ", to_string(values.dtype()));
  // The dense form is not backed by bytes of the file, hence the budget.
  if (extent.bytes > kMaxDense - dense_bytes_) {
    fail(Code::kUnsupported, "sparse tensors take more than ", kMaxDense >> 20, " MiB as dense ones");
  }
  dense_bytes_ += extent.bytes;
  Tensor dense(values.dtype(), shape);
  if (extent.bytes > 0) std::memset(dense.raw(), 0, dense.bytes());
  const size_t element = static_cast<size_t>(bits_of(values.dtype()) / 8);
  for (int64_t i = 0; i < count; ++i) {
    const size_t to = static_cast<size_t>(dense_offset(indices, i, shape, extent.elems)) * element;
    std::memcpy(static_cast<char*>(dense.raw()) + to,
                static_cast<const char*>(values.raw()) + static_cast<size_t>(i) * element, element);
  }
  return dense;
}

}  // namespace neural_engine
