#include "base/error.h"
#include "load/onnx_builder.h"

namespace neural_engine {

namespace {

constexpr size_t kMaxSymbol = 128;

const char* kind_of(const onnx::TypeProto& type) {
  switch (type.value_case()) {
    case onnx::TypeProto::kSequenceType: return "a sequence";
    case onnx::TypeProto::kMapType: return "a map";
    case onnx::TypeProto::kOptionalType: return "an optional";
    case onnx::TypeProto::kSparseTensorType: return "a sparse tensor";
    default: return "no type";
  }
}

Dim read_dim(const onnx::TensorShapeProto::Dimension& dim, int index) {
  if (dim.has_dim_value()) {
    if (dim.dim_value() < 0) {
      fail(Code::kInvalidModel, "dimension ", index, " is ", dim.dim_value(), ", expected 0 or more, or a name");
    }
    return Dim(dim.dim_value());
  }
  // Exporters write expressions too ("past+seq"), which Dim::symbol understands.
  const std::string& name = dim.dim_param();
  if (name.empty() || name.size() > kMaxSymbol) return {};
  return Dim::symbol(name);
}

bool contradicts(const SymShape& declared, const SymShape& inferred) {
  if (declared.size() != inferred.size()) return true;
  for (size_t i = 0; i < declared.size(); ++i) {
    if (declared[i].known() && inferred[i].known() && declared[i].value() != inferred[i].value()) return true;
  }
  return false;
}

}  // namespace

TensorType read_type(const onnx::TypeProto& type) {
  TensorType result;
  if (type.value_case() == onnx::TypeProto::VALUE_NOT_SET) return result;
  if (!type.has_tensor_type()) fail(Code::kUnsupported, kind_of(type), " found, only dense tensors are supported");
  const onnx::TypeProto::Tensor& tensor = type.tensor_type();
  if (tensor.elem_type() != 0) result.dtype = checked_dtype(tensor.elem_type());
  if (!tensor.has_shape()) return result;
  SymShape shape;
  for (int i = 0; i < tensor.shape().dim_size(); ++i) shape.push_back(read_dim(tensor.shape().dim(i), i));
  result.shape = std::move(shape);
  return result;
}

void check_declared(const onnx::ValueInfoProto& info, const Facts& inferred) {
  if (!info.has_type()) return;
  const TensorType declared = read_type(info.type());
  if (declared.dtype != DType::kUndefined && inferred.dtype != DType::kUndefined && declared.dtype != inferred.dtype) {
    fail(Code::kInvalidModel, "it is declared as ", to_string(declared.dtype), ", its nodes give ",
         to_string(inferred.dtype));
  }
  if (declared.shape && inferred.shape && contradicts(*declared.shape, *inferred.shape)) {
    fail(Code::kInvalidModel, "it is declared with shape ", to_string(*declared.shape), ", its nodes give ",
         to_string(*inferred.shape));
  }
}

}  // namespace neural_engine
