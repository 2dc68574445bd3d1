#include "load/attribute_reader.h"

#include "base/error.h"

namespace neural_engine {

namespace {

using onnx::AttributeProto;
using Type = AttributeProto::AttributeType;

std::string type_name(Type type) { return onnx::AttributeProto_AttributeType_Name(type); }

// The types whose field holds something.
std::vector<Type> populated(const AttributeProto& proto) {
  std::vector<Type> result;
  const auto note = [&](bool present, Type type) {
    if (present) result.push_back(type);
  };
  note(proto.has_f(), AttributeProto::FLOAT);
  note(proto.has_i(), AttributeProto::INT);
  note(proto.has_s(), AttributeProto::STRING);
  note(proto.has_t(), AttributeProto::TENSOR);
  note(proto.has_g(), AttributeProto::GRAPH);
  note(proto.has_sparse_tensor(), AttributeProto::SPARSE_TENSOR);
  note(proto.has_tp(), AttributeProto::TYPE_PROTO);
  note(proto.floats_size() > 0, AttributeProto::FLOATS);
  note(proto.ints_size() > 0, AttributeProto::INTS);
  note(proto.strings_size() > 0, AttributeProto::STRINGS);
  note(proto.tensors_size() > 0, AttributeProto::TENSORS);
  note(proto.graphs_size() > 0, AttributeProto::GRAPHS);
  note(proto.sparse_tensors_size() > 0, AttributeProto::SPARSE_TENSORS);
  note(proto.type_protos_size() > 0, AttributeProto::TYPE_PROTOS);
  return result;
}

bool is_list(Type type) {
  switch (type) {
    case AttributeProto::FLOATS:
    case AttributeProto::INTS:
    case AttributeProto::STRINGS:
    case AttributeProto::TENSORS:
    case AttributeProto::GRAPHS:
    case AttributeProto::SPARSE_TENSORS:
    case AttributeProto::TYPE_PROTOS: return true;
    default: return false;
  }
}

// A list may be empty; anything else that is said must be there, and nothing beside it.
void check_fields(const AttributeProto& proto, Type type) {
  const std::vector<Type> found = populated(proto);
  for (Type other : found) {
    if (other != type) {
      fail(Code::kInvalidModel, "has type ", type_name(type), " and holds a value of type ", type_name(other));
    }
  }
  if (found.empty() && !is_list(type)) {
    fail(Code::kInvalidModel, "has type ", type_name(type), " and holds no value");
  }
}

AttrValue read_value(const AttributeProto& proto, TensorReader& tensors) {
  const Type type = attribute_type(proto);
  check_fields(proto, type);
  switch (type) {
    case AttributeProto::FLOAT: return proto.f();
    case AttributeProto::INT: return int64_t{proto.i()};
    case AttributeProto::STRING: return proto.s();
    case AttributeProto::TENSOR: return tensors.read(proto.t());
    case AttributeProto::FLOATS: return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case AttributeProto::INTS: return std::vector<int64_t>(proto.ints().begin(), proto.ints().end());
    case AttributeProto::STRINGS: return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
    case AttributeProto::SPARSE_TENSOR:
      if (proto.name() == "sparse_value") return tensors.read_sparse(proto.sparse_tensor());
      [[fallthrough]];
    default: fail(Code::kUnsupported, "has type ", type_name(type), ", which is not supported here");
  }
}

std::optional<AttrValue> resolve(const AttributeProto& proto, const AttrBindings* bindings) {
  const std::string& name = proto.ref_attr_name();
  if (bindings == nullptr) {
    fail(Code::kInvalidModel, "refers to \"", name, "\" of a function, but is not in a function");
  }
  if (!populated(proto).empty()) fail(Code::kInvalidModel, "both refers to \"", name, "\" and holds a value");
  const auto it = bindings->find(name);
  if (it == bindings->end()) {
    fail(Code::kInvalidModel, "refers to \"", name, "\", which is not an attribute of the function");
  }
  if (!it->second) return std::nullopt;
  static constexpr Type kTypes[] = {AttributeProto::INT,    AttributeProto::FLOAT,  AttributeProto::STRING,
                                    AttributeProto::INTS,   AttributeProto::FLOATS, AttributeProto::STRINGS,
                                    AttributeProto::TENSOR, AttributeProto::GRAPH};  // in the order of AttrType
  const Type found = kTypes[it->second->index()];
  if (proto.type() != AttributeProto::UNDEFINED && proto.type() != found) {
    fail(Code::kInvalidModel, "has type ", type_name(proto.type()), " and refers to \"", name, "\", which has type ",
         type_name(found));
  }
  return it->second;
}

}  // namespace

Type attribute_type(const AttributeProto& proto) {
  if (proto.type() != AttributeProto::UNDEFINED) return proto.type();
  const std::vector<Type> found = populated(proto);
  if (found.size() != 1) {
    fail(Code::kInvalidModel, "has no type, and ", found.size(), " of its fields are set");
  }
  return found.front();
}

std::optional<AttrValue> read_attribute(const AttributeProto& proto, const AttrBindings* bindings,
                                        TensorReader& tensors) {
  return with_context([&] { return "attribute \"" + proto.name() + "\""; },
                      [&]() -> std::optional<AttrValue> {
                        if (!proto.ref_attr_name().empty()) return resolve(proto, bindings);
                        return read_value(proto, tensors);
                      });
}

}  // namespace neural_engine
