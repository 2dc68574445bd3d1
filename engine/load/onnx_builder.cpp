#include "load/onnx_builder.h"

#include <algorithm>

#include "base/error.h"
#include "load/unknown_fields.h"

namespace neural_engine {

namespace {

constexpr int64_t kMinOpset = 6;
// Function calls are copied at each use; nested calls of calls would multiply without these.
constexpr int64_t kMaxInlinedNodes = 1 << 17;
constexpr int64_t kMaxInlinedBytes = int64_t{256} << 20;

std::string describe(const onnx::NodeProto& proto) {
  return "node \"" + node_name(proto) + "\" (" + proto.op_type() + ")";
}

bool is_control_flow(const onnx::NodeProto& proto) {
  return normalized_domain(proto.domain()).empty() &&
         (proto.op_type() == "If" || proto.op_type() == "Loop" || proto.op_type() == "Scan");
}

Tensor floats(const std::vector<float>& values) {
  return Tensor::of<float>({static_cast<int64_t>(values.size())}, values);
}

Tensor ints(const std::vector<int64_t>& values) {
  return Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values);
}

// The value of a Constant node from its single attribute.
Tensor constant_value(const std::string& name, const AttrValue& value) {
  if (name == "value" || name == "sparse_value") {
    if (const auto* tensor = std::get_if<Tensor>(&value)) return *tensor;
  } else if (name == "value_float") {
    if (const auto* number = std::get_if<float>(&value)) return Tensor::scalar(*number);
  } else if (name == "value_floats") {
    if (const auto* numbers = std::get_if<std::vector<float>>(&value)) return floats(*numbers);
  } else if (name == "value_int") {
    if (const auto* number = std::get_if<int64_t>(&value)) return Tensor::scalar(*number);
  } else if (name == "value_ints") {
    if (const auto* numbers = std::get_if<std::vector<int64_t>>(&value)) return ints(*numbers);
  } else {
    fail(Code::kUnsupported, "attribute \"", name,
         "\" found, supported: value, sparse_value, value_float, value_floats, value_int, value_ints");
  }
  fail(Code::kInvalidModel, "attribute \"", name, "\" has type ", to_string(type_of(value)));
}

}  // namespace

std::string node_name(const onnx::NodeProto& proto) {
  if (!proto.name().empty()) return proto.name();
  for (const std::string& output : proto.output()) {
    if (!output.empty()) return output;
  }
  return {};
}

std::string normalized_domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

Opsets read_opsets(const google::protobuf::RepeatedPtrField<onnx::OperatorSetIdProto>& imports) {
  Opsets result;
  for (const onnx::OperatorSetIdProto& import : imports) {
    const std::string domain = normalized_domain(import.domain());
    const auto [it, added] = result.emplace(domain, import.version());
    if (!added && it->second != import.version()) {
      fail(Code::kInvalidModel, "opset versions ", it->second, " and ", import.version(), " of domain \"",
           import.domain(), "\" are imported, expected one");
    }
    if (domain.empty() && (import.version() < kMinOpset || import.version() > kMaxOnnxOpset)) {
      fail(Code::kUnsupported, "opset ", import.version(), " of domain \"ai.onnx\" found, supported are ", kMinOpset,
           " to ", kMaxOnnxOpset);
    }
  }
  return result;
}

int64_t opset_of(const Opsets& opsets, const std::string& domain) {
  const auto it = opsets.find(domain);
  if (it == opsets.end()) {
    fail(Code::kInvalidModel, "no opset of domain \"", domain.empty() ? "ai.onnx" : domain, "\" is imported");
  }
  return it->second;
}

OnnxBuilder::OnnxBuilder(const onnx::ModelProto& model, TensorReader& tensors)
    : model_(model), tensors_(tensors), opsets_(read_opsets(model.opset_import())) {
  index_functions();
}

Graph OnnxBuilder::build() {
  Graph graph;
  UniqueNames names;
  graph.name = model_.graph().name();
  Scope scope{.graph = graph, .names = names, .opsets = opsets_};
  add_inputs(scope, model_.graph());
  add_initializers(scope, model_.graph());
  add_nodes(scope, model_.graph().node());
  add_outputs(scope, model_.graph());
  return graph;
}

void OnnxBuilder::add_inputs(Scope& scope, const onnx::GraphProto& proto) {
  std::unordered_set<std::string> constants;
  for (const onnx::TensorProto& tensor : proto.initializer()) constants.insert(tensor.name());
  for (const onnx::SparseTensorProto& tensor : proto.sparse_initializer()) constants.insert(tensor.values().name());
  for (const onnx::ValueInfoProto& info : proto.input()) {
    // Before IR version 4 every initializer is listed as an input; later ones are defaults, which we do not let
    // callers override.
    if (constants.count(info.name()) > 0) continue;
    with_context([&] { return "input \"" + info.name() + "\""; },
                 [&] {
                   TensorType type = read_type(info.type());
                   if (type.dtype == DType::kUndefined) fail(Code::kInvalidModel, "the element type is missing");
                   if (info.name().empty()) fail(Code::kInvalidModel, "the name is missing");
                   if (scope.values.count(info.name()) > 0) fail(Code::kInvalidModel, "it is defined twice");
                   scope.names.claim(info.name());
                   scope.define(info.name(), scope.graph.add_input(info.name(), type.dtype, std::move(type.shape)));
                 });
  }
}

void OnnxBuilder::add_initializers(Scope& scope, const onnx::GraphProto& proto) {
  for (const onnx::TensorProto& tensor : proto.initializer()) {
    add_initializer(scope, tensor.name(), tensors_.read(tensor));
  }
  for (const onnx::SparseTensorProto& tensor : proto.sparse_initializer()) {
    add_initializer(scope, tensor.values().name(), tensors_.read_sparse(tensor));
  }
}

void OnnxBuilder::add_initializer(Scope& scope, const std::string& name, Tensor tensor) {
  with_context(
      [&] { return "initializer \"" + name + "\""; },
      [&] { scope.define(name, scope.graph.add_constant(std::move(tensor), scope.names.claim(scope.prefix + name))); });
}

void OnnxBuilder::add_nodes(Scope& scope, const Repeated<onnx::NodeProto>& nodes) {
  for (const onnx::NodeProto& node : nodes) add_node(scope, node);
}

void OnnxBuilder::add_node(Scope& scope, const onnx::NodeProto& proto) {
  const auto context = [&] { return describe(proto); };
  count_inlined(scope, proto);
  if (Function* function = find_function(proto)) {
    with_context(context, [&] { inline_call(scope, proto, *function); });
  } else if (proto.op_type() == "Constant" && normalized_domain(proto.domain()).empty()) {
    with_context(context, [&] { add_constant(scope, proto); });
  } else if (carries_sequence(scope, proto)) {
    StackedOutputs stacked;
    add_node(scope, with_context(context,
                                 [&]() -> const onnx::NodeProto& { return without_sequences(scope, proto, stacked); }));
    for (const auto& [sequence, value] : stacked) scope.define_sequence(sequence, {{}, scope.find(value)});
  } else if (!add_sequence_node(scope, proto)) {
    OnnxNode node = with_context(
        context, [&] { return is_control_flow(proto) ? read_control_flow(scope, proto) : read_node(scope, proto); });
    add_onnx_node(scope.graph, std::move(node));  // puts the same context in front of its errors
  }
}

void OnnxBuilder::add_outputs(Scope& scope, const onnx::GraphProto& proto) {
  std::unordered_set<std::string> seen;
  for (const onnx::ValueInfoProto& info : proto.output()) {
    with_context([&] { return "output \"" + info.name() + "\""; },
                 [&] {
                   // A body may return a value twice.
                   if (!seen.insert(info.name()).second && scope.depth == 0)
                     fail(Code::kInvalidModel, "it is listed twice");
                   const ValueId value = scope.find(info.name());
                   if (value == kNoValue) fail(Code::kInvalidModel, "it is an argument that the call leaves out");
                   check_declared(info, scope.graph.value(value).facts);
                   scope.graph.add_output(info.name(), value);
                 });
  }
  for (const onnx::ValueInfoProto& info : proto.value_info()) {
    const auto it = scope.values.find(info.name());
    if (it == scope.values.end() || it->second == kNoValue) continue;  // of a value that exporters have removed
    with_context([&] { return "value_info \"" + info.name() + "\""; },
                 [&] { check_declared(info, scope.graph.value(it->second).facts); });
  }
}

void OnnxBuilder::add_constant(Scope& scope, const onnx::NodeProto& proto) {
  OnnxNode node;
  read_attributes(node, scope, proto);
  opset_of(scope.opsets, "");
  if (proto.input_size() != 0 || proto.output_size() != 1) {
    fail(Code::kInvalidModel, proto.input_size(), " inputs and ", proto.output_size(),
         " outputs found, expected 0 and 1");
  }
  if (node.attrs.items().size() != 1) {
    fail(Code::kInvalidModel, node.attrs.items().size(), " attributes found, expected one value");
  }
  const auto& [name, value] = node.attrs.items().front();
  const std::string& output = proto.output(0);
  scope.define(output, scope.graph.add_constant(constant_value(name, value), scope.names.claim(scope.prefix + output)));
}

OnnxNode OnnxBuilder::read_node(Scope& scope, const onnx::NodeProto& proto) {
  OnnxNode node;
  node.name = scope.prefix + node_name(proto);
  node.domain = normalized_domain(proto.domain());
  node.op_type = proto.op_type();
  node.opset = opset_of(scope.opsets, node.domain);
  node.inputs = scope.find_all(proto.input());
  read_attributes(node, scope, proto);
  node.outputs = define_outputs(scope, proto);
  while (!node.outputs.empty() && node.outputs.back() == kNoValue) node.outputs.pop_back();
  return node;
}

void OnnxBuilder::read_attributes(OnnxNode& node, const Scope& scope, const onnx::NodeProto& proto) {
  std::unordered_set<std::string> seen;
  for (const onnx::AttributeProto& attribute : proto.attribute()) {
    const std::string& name = attribute.name();
    if (!seen.insert(name).second) fail(Code::kInvalidModel, "attribute \"", name, "\" is given twice");
    if (is_control_flow(proto)) {
      const std::vector<const char*> bodies = body_names(proto.op_type());
      if (std::find(bodies.begin(), bodies.end(), name) != bodies.end()) continue;  // read by read_control_flow
    }
    const auto cached = attribute.has_t() ? attribute_tensors_.find(&attribute.t()) : attribute_tensors_.end();
    if (cached != attribute_tensors_.end()) {
      node.attrs.set(name, cached->second);
      continue;
    }
    std::optional<AttrValue> value = read_attribute(attribute, scope.bindings, tensors_);
    if (!value) continue;
    if (const auto* tensor = std::get_if<Tensor>(&*value); tensor && attribute.has_t() && call_depth_ > 0) {
      attribute_tensors_.emplace(&attribute.t(), *tensor);
    }
    node.attrs.set(name, std::move(*value));
  }
  // What OpDefs have beside ONNX's attributes.
  for (const char* own : {"num_carried", "num_captures", "from_end"}) {
    if (node.attrs.has(own)) fail(Code::kUnsupported, "attribute \"", own, "\" is not one of the operator's");
  }
}

std::vector<ValueId> OnnxBuilder::define_outputs(Scope& scope, const onnx::NodeProto& proto) {
  std::vector<ValueId> result;
  for (const std::string& output : proto.output()) {
    result.push_back(output.empty() ? kNoValue : scope.define_new(output));
  }
  return result;
}

void OnnxBuilder::count_inlined(const Scope& scope, const onnx::NodeProto& proto) {
  if (call_depth_ == 0) return;
  inlined_nodes_ += 1;
  inlined_bytes_ += static_cast<int64_t>(proto.ByteSizeLong() + scope.prefix.size());
  if (inlined_nodes_ > kMaxInlinedNodes || inlined_bytes_ > kMaxInlinedBytes) {
    fail(Code::kUnsupported, "function calls expand to more than ", kMaxInlinedNodes, " nodes or ",
         kMaxInlinedBytes >> 20, " MiB");
  }
}

}  // namespace neural_engine
