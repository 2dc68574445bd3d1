// If, Loop and Scan. In ONNX a body sees the values of the graphs around it; our graphs are closed. So the names that a
// body uses and does not define are looked up outside: constants are copied (sharing their bytes), other values become
// further inputs of the body, after its own, and of the node, after its own.
#include "base/error.h"
#include "load/onnx_builder.h"

namespace neural_engine {

namespace {

// A body is inferred in rounds, each of which infers the bodies within it in rounds: the work is exponential in this.
constexpr int kMaxBodyDepth = 8;

// Names used by a graph (and the bodies within) that are not defined before their use, in the order of first use.
class FreeNames {
 public:
  void visit(const onnx::GraphProto& graph) {
    const size_t mark = defined_.size();
    for (const onnx::ValueInfoProto& input : graph.input()) define(input.name());
    for (const onnx::TensorProto& tensor : graph.initializer()) define(tensor.name());
    for (const onnx::SparseTensorProto& tensor : graph.sparse_initializer()) define(tensor.values().name());
    for (const onnx::NodeProto& node : graph.node()) {
      for (const std::string& input : node.input()) use(input);
      for (const onnx::AttributeProto& attribute : node.attribute()) {
        if (attribute.has_g()) visit(attribute.g());
      }
      for (const std::string& output : node.output()) define(output);
    }
    for (const onnx::ValueInfoProto& output : graph.output()) use(output.name());
    while (defined_.size() > mark) {
      --counts_[defined_.back()];
      defined_.pop_back();
    }
  }

  const std::vector<std::string>& names() const { return free_; }

 private:
  void define(const std::string& name) {
    defined_.push_back(name);
    ++counts_[name];
  }

  void use(const std::string& name) {
    if (name.empty()) return;
    const auto it = counts_.find(name);
    if (it != counts_.end() && it->second > 0) return;
    if (seen_.insert(name).second) free_.push_back(name);
  }

  std::vector<std::string> defined_;
  std::unordered_map<std::string, int> counts_;
  std::unordered_set<std::string> seen_;
  std::vector<std::string> free_;
};

const onnx::GraphProto& graph_attribute(const onnx::NodeProto& node, const char* name) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() != name) continue;
    if (!attribute.ref_attr_name().empty()) {
      fail(Code::kUnsupported, "attribute \"", name,
           "\" refers to a graph of the function call, which is not supported");
    }
    if (attribute_type(attribute) != onnx::AttributeProto::GRAPH || !attribute.has_g()) {
      fail(Code::kInvalidModel, "attribute \"", name, "\" has type ",
           onnx::AttributeProto_AttributeType_Name(attribute_type(attribute)), ", expected GRAPH");
    }
    return attribute.g();
  }
  fail(Code::kInvalidModel, "attribute \"", name, "\" is missing");
}

}  // namespace

std::vector<const char*> body_names(const std::string& op_type) {
  if (op_type == "If") return {"then_branch", "else_branch"};
  return {"body"};
}

OnnxNode OnnxBuilder::read_control_flow(Scope& scope, const onnx::NodeProto& proto) {
  if (scope.depth >= kMaxBodyDepth) {
    fail(Code::kUnsupported, "bodies are nested more than ", kMaxBodyDepth, " deep");
  }
  const std::vector<const char*> names = body_names(proto.op_type());
  std::vector<const onnx::GraphProto*> bodies;
  for (const char* name : names) bodies.push_back(&graph_attribute(proto, name));
  const std::vector<Capture> captures = captures_of(scope, bodies);

  OnnxNode node;
  node.name = scope.prefix + node_name(proto);
  node.op_type = proto.op_type();
  node.opset = opset_of(scope.opsets, "");
  for (const std::string& input : proto.input()) node.inputs.push_back(input.empty() ? kNoValue : scope.find(input));
  if (proto.op_type() == "Loop" && node.inputs.size() < 2) node.inputs.resize(2, kNoValue);
  read_attributes(node, scope, proto);

  // What a body's own inputs are fed with: Loop hands its operands on, Scan slices of them.
  std::vector<DType> dtypes;
  const bool old_scan = proto.op_type() == "Scan" && node.opset < 9;
  for (size_t i = old_scan ? 1 : 0; proto.op_type() != "If" && i < node.inputs.size(); ++i) {
    dtypes.push_back(node.inputs[i] == kNoValue ? DType::kUndefined : scope.graph.value(node.inputs[i]).facts.dtype);
  }
  if (proto.op_type() == "Loop") {
    dtypes[0] = DType::kS64;  // the iteration
    dtypes[1] = DType::kBool;
    node.attrs.set("num_carried", static_cast<int64_t>(node.inputs.size()) - 2);
  }
  int64_t num_captures = 0;
  for (const Capture& capture : captures) {
    if (capture.outer == kNoValue || scope.graph.value(capture.outer).is_constant()) continue;
    node.inputs.push_back(capture.outer);
    ++num_captures;
  }
  node.attrs.set("num_captures", num_captures);
  size_t outputs = static_cast<size_t>(proto.output_size());
  for (size_t i = 0; i < names.size(); ++i) {
    const GraphPtr body = with_context([&] { return std::string(names[i]); },
                                       [&] { return build_body(scope, *bodies[i], captures, dtypes); });
    outputs = std::max(outputs, body->outputs().size() - (proto.op_type() == "Loop" ? 1 : 0));
    node.attrs.set(names[i], body);
  }
  node.outputs = define_outputs(scope, proto);
  node.outputs.resize(outputs, kNoValue);
  return node;
}

std::vector<OnnxBuilder::Capture> OnnxBuilder::captures_of(const Scope& scope,
                                                           const std::vector<const onnx::GraphProto*>& bodies) const {
  FreeNames free;
  for (const onnx::GraphProto* body : bodies) free.visit(*body);
  std::vector<Capture> result;
  for (const std::string& name : free.names()) result.push_back({name, scope.find(name)});
  return result;
}

GraphPtr OnnxBuilder::build_body(const Scope& outer, const onnx::GraphProto& proto,
                                 const std::vector<Capture>& captures, const std::vector<DType>& input_dtypes) {
  auto body = std::make_shared<Graph>();
  body->name = proto.name();
  UniqueNames names;
  Scope scope{.graph = *body,
              .names = names,
              .opsets = outer.opsets,
              .bindings = outer.bindings,
              .prefix = outer.prefix,
              .depth = outer.depth + 1};
  if (proto.input_size() != static_cast<int>(input_dtypes.size())) {
    fail(Code::kInvalidModel, "the body has ", proto.input_size(), " inputs, the node feeds ", input_dtypes.size());
  }
  for (int i = 0; i < proto.input_size(); ++i) {
    const onnx::ValueInfoProto& info = proto.input(i);
    // Shapes may change from one iteration to the next, so what the file says about them is not relied on.
    const TensorType declared = read_type(info.type());
    const DType given = input_dtypes[static_cast<size_t>(i)];
    const DType dtype = declared.dtype == DType::kUndefined ? given : declared.dtype;
    scope.define(info.name(), body->add_input(names.claim(info.name()), dtype, std::nullopt));
  }
  for (const Capture& capture : captures) {
    if (capture.outer == kNoValue) {
      scope.define(capture.name, kNoValue);
      continue;
    }
    const Value& value = outer.graph.value(capture.outer);
    // Not the dimensions: exporters guard nodes that some shapes do not allow by an If, whose inference knows of that.
    std::optional<SymShape> shape;
    if (value.facts.shape) shape.emplace(value.facts.shape->size());
    scope.define(capture.name, value.is_constant()
                                   ? body->add_constant(value.facts.constant, names.claim(value.name))
                                   : body->add_input(names.claim(value.name), value.facts.dtype, std::move(shape)));
  }
  add_initializers(scope, proto);
  add_nodes(scope, proto.node());
  add_outputs(scope, proto);
  return body;
}

}  // namespace neural_engine
