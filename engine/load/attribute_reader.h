// AttributeProto as the IR's attribute values.
#pragma once

#include <onnx/onnx_pb.h>

#include <map>
#include <optional>
#include <string>

#include "ir/attrs.h"
#include "load/proto_tensor.h"

namespace neural_engine {

// The attributes of a function call by the function's own names; nullopt: neither given nor defaulted.
using AttrBindings = std::map<std::string, std::optional<AttrValue>>;

// The value, of the type that the attribute says it has and no other. A reference to an attribute of the surrounding
// function call (ref_attr_name) is looked up in `bindings` (nullptr: not in a function); nullopt when the call leaves
// it out. A sparse tensor is read as a dense one, for Constant's "sparse_value" only. Graphs are not read here.
std::optional<AttrValue> read_attribute(const onnx::AttributeProto& proto, const AttrBindings* bindings,
                                        TensorReader& tensors);

// The type, inferred from the one field that is set where very old files (IR version 1) leave it out.
onnx::AttributeProto::AttributeType attribute_type(const onnx::AttributeProto& proto);

}  // namespace neural_engine
