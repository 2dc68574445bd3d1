// Model-local functions: every call is replaced by a copy of the function's nodes.
#include "base/error.h"
#include "load/onnx_builder.h"
#include "load/unknown_fields.h"

namespace neural_engine {

namespace {

constexpr int kMaxCallDepth = 64;

std::string label(const onnx::FunctionProto& proto) {
  return "function \"" + proto.domain() + "::" + proto.name() + "\"";
}

}  // namespace

void OnnxBuilder::index_functions() {
  for (const onnx::FunctionProto& proto : model_.functions()) {
    const FunctionKey key{normalized_domain(proto.domain()), proto.name(), overload_of(proto)};
    Function function{.proto = &proto, .defaults = default_attributes_of(proto), .opsets = {}};
    with_context([&] { return label(proto); }, [&] { function.opsets = read_opsets(proto.opset_import()); });
    if (!functions_.emplace(key, std::move(function)).second) {
      fail(Code::kInvalidModel, label(proto), " is defined twice");
    }
  }
}

OnnxBuilder::Function* OnnxBuilder::find_function(const onnx::NodeProto& proto) {
  if (functions_.empty() && proto.unknown_fields().empty()) return nullptr;
  const std::string overload = overload_of(proto);
  const auto it = functions_.find(FunctionKey{normalized_domain(proto.domain()), proto.op_type(), overload});
  if (it != functions_.end()) return &it->second;
  if (!overload.empty()) {
    fail(Code::kInvalidModel, "node \"", proto.name(), "\" (", proto.op_type(),
         "): there is no function with overload \"", overload, "\"");
  }
  return nullptr;
}

AttrBindings OnnxBuilder::bind_attributes(const Scope& scope, const onnx::NodeProto& proto, const Function& function) {
  AttrBindings result;
  for (const std::string& name : function.proto->attribute()) result.emplace(name, std::nullopt);
  for (const onnx::AttributeProto& attribute : function.defaults) {
    result[attribute.name()] = read_attribute(attribute, nullptr, tensors_);
  }
  OnnxNode given;
  read_attributes(given, scope, proto);
  for (const auto& [name, value] : given.attrs.items()) {
    const auto it = result.find(name);
    if (it == result.end()) {
      fail(Code::kInvalidModel, "attribute \"", name, "\" is not one of ", label(*function.proto));
    }
    it->second = value;
  }
  return result;
}

void OnnxBuilder::inline_call(Scope& scope, const onnx::NodeProto& proto, Function& function) {
  const onnx::FunctionProto& callee = *function.proto;
  if (function.active) fail(Code::kInvalidModel, label(callee), " calls itself");
  if (call_depth_ >= kMaxCallDepth) {
    fail(Code::kUnsupported, "function calls are nested more than ", kMaxCallDepth, " deep");
  }
  if (proto.input_size() > callee.input_size() || proto.output_size() > callee.output_size()) {
    fail(Code::kInvalidModel, proto.input_size(), " inputs and ", proto.output_size(), " outputs found, ",
         label(callee), " has ", callee.input_size(), " and ", callee.output_size());
  }
  const AttrBindings bindings = bind_attributes(scope, proto, function);
  const std::string name = !proto.name().empty() ? proto.name() : proto.op_type();
  Scope body{.graph = scope.graph,
             .names = scope.names,
             .opsets = function.opsets,
             .bindings = &bindings,
             .prefix = scope.prefix + name + "/",
             .depth = scope.depth};
  for (int i = 0; i < callee.input_size(); ++i) {
    const bool given = i < proto.input_size() && !proto.input(i).empty();
    if (const auto it = given ? scope.sequences.find(proto.input(i)) : scope.sequences.end();
        it != scope.sequences.end()) {
      body.define_sequence(callee.input(i), it->second);
      continue;
    }
    body.define(callee.input(i), given ? scope.find(proto.input(i)) : kNoValue);
  }
  function.active = true;
  ++call_depth_;
  const ValueId first_new = scope.graph.num_values();
  add_nodes(body, callee.node());
  --call_depth_;
  function.active = false;
  for (int i = 0; i < proto.output_size(); ++i) {
    const std::string& output = proto.output(i);
    if (output.empty()) continue;
    if (const auto it = body.sequences.find(callee.output(i)); it != body.sequences.end()) {
      scope.define_sequence(output, it->second);
      continue;
    }
    const ValueId value = body.find(callee.output(i));
    scope.define(output, value);
    // Known by the caller's name, unless it is one of the arguments.
    if (value >= first_new) scope.graph.value(value).name = scope.names.claim(scope.prefix + output);
  }
}

}  // namespace neural_engine
