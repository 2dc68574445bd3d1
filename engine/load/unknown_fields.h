// Fields of ONNX files that the linked ONNX schema does not know.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

namespace neural_engine {

// Refuses (kUnsupported) every field of the message and of what it holds that the schema does not know, except those
// that this engine reads itself (below) and pure metadata (metadata_props, value_info of functions, device
// configurations).
void check_unknown_fields(const google::protobuf::Message& message);

// NodeProto.overload and FunctionProto.overload: "" when there is none.
std::string overload_of(const onnx::NodeProto& node);
std::string overload_of(const onnx::FunctionProto& function);
// FunctionProto.attribute_proto: attributes with defaults.
std::vector<onnx::AttributeProto> default_attributes_of(const onnx::FunctionProto& function);

}  // namespace neural_engine
