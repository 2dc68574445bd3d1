#include "load/tensor_proto.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "base/onnx_dtype.h"
#include "load/proto_tensor.h"
#include "load/unknown_fields.h"

namespace neural_engine {

NamedTensor parse_tensor_pb(std::span<const std::byte> bytes) {
  onnx::TensorProto proto;
  if (bytes.size() > INT32_MAX || !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    fail(Code::kInvalidModel, "protobuf cannot parse it: it is truncated or not a TensorProto");
  }
  check_unknown_fields(proto);
  return {proto.name(), TensorReader().read(proto)};
}

NamedTensor read_tensor_pb(const std::string& path) {
  return with_context([&] { return path; }, [&] { return parse_tensor_pb(MappedFile::open(path)->bytes()); });
}

std::string serialize_tensor_pb(const Tensor& tensor, const std::string& name) {
  if (!tensor.defined()) fail(Code::kInvalidArgument, "an undefined tensor cannot be written");
  onnx::TensorProto proto;
  for (int64_t dim : tensor.shape()) proto.add_dims(dim);
  proto.set_data_type(static_cast<int32_t>(onnx_code(tensor.dtype())));
  if (!name.empty()) proto.set_name(name);
  proto.set_raw_data(tensor.raw(), tensor.bytes());
  std::string result;
  if (!proto.SerializeToString(&result)) {
    fail(Code::kUnsupported, "a tensor of ", tensor.bytes(), " bytes is too large for a TensorProto");
  }
  return result;
}

void write_tensor_pb(const std::string& path, const Tensor& tensor, const std::string& name) {
  const std::string bytes = serialize_tensor_pb(tensor, name);
  write_file_atomically(path, bytes);
}

}  // namespace neural_engine
