// The schema that we link may be older (Debian 12 has ONNX 1.12) than the file. Fields added since then arrive as
// unknown fields; the numbers below are those of onnx.proto up to ONNX 1.18 (IR version 11).
#include "load/unknown_fields.h"

#include <google/protobuf/unknown_field_set.h>

#include "base/error.h"

namespace neural_engine {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

constexpr int kNodeOverload = 8;
constexpr int kFunctionAttributeProto = 11;
constexpr int kFunctionOverload = 13;

struct KnownField {
  const char* message;
  int field;
};

constexpr KnownField kRead[] = {
    {"NodeProto", kNodeOverload},
    {"FunctionProto", kFunctionAttributeProto},
    {"FunctionProto", kFunctionOverload},
};

// What these say does not change what a model computes.
constexpr KnownField kMetadata[] = {
    {"ModelProto", 26},     // configuration: device configurations
    {"GraphProto", 16},     // metadata_props
    {"NodeProto", 9},       // metadata_props
    {"NodeProto", 10},      // device_configurations
    {"TensorProto", 16},    // metadata_props
    {"ValueInfoProto", 4},  // metadata_props
    {"FunctionProto", 12},  // value_info
    {"FunctionProto", 14},  // metadata_props
};

bool is_known(const std::string& message, int field) {
  const auto matches = [&](const KnownField& known) { return message == known.message && field == known.field; };
  return std::any_of(std::begin(kRead), std::end(kRead), matches) ||
         std::any_of(std::begin(kMetadata), std::end(kMetadata), matches);
}

std::string name_of(const Message& message) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName("name");
  if (field == nullptr || field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return {};
  return " \"" + message.GetReflection()->GetString(message, field) + "\"";
}

void check_own(const Message& message) {
  const UnknownFieldSet& unknown = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    const int field = unknown.field(i).number();
    if (!is_known(message.GetDescriptor()->name(), field)) {
      fail(Code::kUnsupported, message.GetDescriptor()->name(), name_of(message), " has field ", field,
           ", which is not known here (or has an unknown value)");
    }
  }
}

std::string text_field(const UnknownFieldSet& unknown, int number) {
  std::string result;
  for (int i = 0; i < unknown.field_count(); ++i) {
    const UnknownField& field = unknown.field(i);
    if (field.number() != number) continue;
    if (field.type() != UnknownField::TYPE_LENGTH_DELIMITED) fail(Code::kInvalidModel, "overload is not a string");
    result = field.length_delimited();  // the last one counts, as everywhere in protobuf
  }
  return result;
}

}  // namespace

void check_unknown_fields(const Message& message) {
  check_own(message);
  const Reflection* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      check_unknown_fields(reflection->GetMessage(message, field));
      continue;
    }
    const int count = reflection->FieldSize(message, field);
    for (int i = 0; i < count; ++i) check_unknown_fields(reflection->GetRepeatedMessage(message, field, i));
  }
}

std::string overload_of(const onnx::NodeProto& node) { return text_field(node.unknown_fields(), kNodeOverload); }

std::string overload_of(const onnx::FunctionProto& function) {
  return text_field(function.unknown_fields(), kFunctionOverload);
}

std::vector<onnx::AttributeProto> default_attributes_of(const onnx::FunctionProto& function) {
  std::vector<onnx::AttributeProto> result;
  const UnknownFieldSet& unknown = function.unknown_fields();
  for (int i = 0; i < unknown.field_count(); ++i) {
    const UnknownField& field = unknown.field(i);
    if (field.number() != kFunctionAttributeProto) continue;
    onnx::AttributeProto attribute;
    if (field.type() != UnknownField::TYPE_LENGTH_DELIMITED || !attribute.ParseFromString(field.length_delimited())) {
      fail(Code::kInvalidModel, "a default attribute of function \"", function.name(), "\" is malformed");
    }
    check_unknown_fields(attribute);
    result.push_back(std::move(attribute));
  }
  return result;
}

}  // namespace neural_engine
