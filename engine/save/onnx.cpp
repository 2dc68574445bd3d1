#include "save/onnx.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <set>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/onnx_dtype.h"
#include "passes/expand.h"

namespace neural_engine {

namespace {

// QuantizeLinear has blocks from 21 on; older readers are few.
constexpr int kMinOpset = 21;
constexpr int64_t kIrVersion = 10;
constexpr uint64_t kMaxBytes = (uint64_t{1} << 31) - 1;  // of a protobuf message

// Attributes that came after kMinOpset.
struct LateAttr {
  const char* op;
  const char* attr;
  int since;
};
constexpr LateAttr kLateAttrs[] = {{"QuantizeLinear", "precision", 23}, {"DequantizeLinear", "output_dtype", 23}};

const OnnxOp* find_entry(const OpDef& def, int opset) {
  for (const OnnxOp& op : def.onnx) {
    if (op.domain[0] == '\0' && op.since <= opset && opset <= op.until) return &op;
  }
  return nullptr;
}

bool is_default(const OpDef& def, const std::string& name, const AttrValue& value) {
  const AttrDef* attr = def.find_attr(name);
  return attr != nullptr && attr->default_value && equal(*attr->default_value, value);
}

// The captures' numbers say what ONNX says by names.
bool is_ours(const Node& node, const std::string& attr) {
  // ONNX has no way to refuse negative indices; the others mean the same.
  return attr == "num_captures" || attr == "from_end" || (node.is("Loop") && attr == "num_carried");
}

int opset_for(const Node& node) {
  int opset = kMinOpset;
  while (opset <= kMaxOnnxOpset && find_entry(*node.def, opset) == nullptr) ++opset;
  if (opset > kMaxOnnxOpset) fail(Code::kUnsupported, describe(node), ": ONNX has no such operator");
  for (const LateAttr& late : kLateAttrs) {
    const AttrValue* value = node.is(late.op) ? node.attrs.find(late.attr) : nullptr;
    if (value != nullptr && !is_default(*node.def, late.attr, *value)) opset = std::max(opset, late.since);
  }
  return opset;
}

int opset_for(const Graph& graph) {
  int opset = kMinOpset;
  for (NodeId id : graph.order()) {
    opset = std::max(opset, opset_for(graph.node(id)));
    for (const auto& [name, value] : graph.node(id).attrs.items()) {
      if (const GraphPtr* body = std::get_if<GraphPtr>(&value)) opset = std::max(opset, opset_for(**body));
    }
  }
  return opset;
}

void set_tensor(const Tensor& tensor, onnx::TensorProto& out) {
  out.set_data_type(static_cast<int32_t>(onnx_code(tensor.dtype())));
  for (int64_t dim : tensor.shape()) out.add_dims(dim);
  out.set_raw_data(tensor.raw(), tensor.bytes());
}

void set_type(const Facts& facts, onnx::ValueInfoProto& out) {
  if (facts.dtype == DType::kUndefined) return;
  onnx::TypeProto::Tensor& type = *out.mutable_type()->mutable_tensor_type();
  type.set_elem_type(static_cast<int32_t>(onnx_code(facts.dtype)));
  if (!facts.shape) return;
  type.mutable_shape();
  for (const Dim& dim : *facts.shape) {
    onnx::TensorShapeProto::Dimension& to = *type.mutable_shape()->add_dim();
    if (dim.known()) to.set_dim_value(dim.value());
    if (dim.is_symbol()) to.set_dim_param(dim.symbol());
  }
}

class OnnxWriter {
 public:
  explicit OnnxWriter(int opset) : opset_(opset) {}

  // `captured`: names of the values around that the graph's last inputs stand for.
  void write(const Graph& graph, const std::vector<std::string>& captured, onnx::GraphProto& out) {
    std::vector<std::string> names(static_cast<size_t>(graph.num_values()));
    out.set_name(graph.name.empty() ? "graph" : graph.name);
    const size_t own = graph.inputs().size() - captured.size();
    for (size_t i = 0; i < graph.inputs().size(); ++i) {
      const ValueId input = graph.inputs()[i];
      std::string& name = names[static_cast<size_t>(input)];
      name = i < own ? claim(graph.value(input).name) : captured[i - own];
      if (i >= own) continue;
      onnx::ValueInfoProto& info = *out.add_input();
      info.set_name(name);
      set_type(graph.value(input).facts, info);
    }
    name_outputs(graph, names);
    for (ValueId id = 0; id < graph.num_values(); ++id) {
      const Value& value = graph.value(id);
      std::string& name = names[static_cast<size_t>(id)];
      if (name.empty()) name = claim(value.name);
      if (!value.is_constant() || (value.users.empty() && !graph.is_output(id))) continue;
      onnx::TensorProto& initializer = *out.add_initializer();
      initializer.set_name(name);
      set_tensor(value.facts.constant, initializer);
    }
    for (NodeId id : graph.order()) write_node(graph.node(id), names, *out.add_node());
    write_outputs(graph, names, out);
  }

 private:
  // Names are unique over all graphs of the file: ONNX's bodies see the names around them.
  std::string claim(const std::string& wanted) {
    std::string name = wanted.empty() ? "value" : wanted;
    for (int64_t suffix = 1; !used_.insert(name).second; ++suffix) {
      name = (wanted.empty() ? "value" : wanted) + "_" + std::to_string(wanted.empty() ? ++unnamed_ : suffix);
    }
    return name;
  }

  // What a node makes and is an output bears the output's name.
  void name_outputs(const Graph& graph, std::vector<std::string>& names) {
    for (const Graph::Output& output : graph.outputs()) {
      std::string& name = names[static_cast<size_t>(output.value)];
      output_names_.push_back(claim(output.name));
      if (name.empty() && graph.value(output.value).producer != kNoNode) name = output_names_.back();
    }
  }

  // Inputs and constants become outputs, and values become several, through Identity.
  void write_outputs(const Graph& graph, const std::vector<std::string>& names, onnx::GraphProto& out) {
    const size_t first = output_names_.size() - graph.outputs().size();
    for (size_t i = 0; i < graph.outputs().size(); ++i) {
      const ValueId value = graph.outputs()[i].value;
      const std::string& name = output_names_[first + i];
      onnx::ValueInfoProto& info = *out.add_output();
      info.set_name(name);
      set_type(graph.value(value).facts, info);
      if (names[static_cast<size_t>(value)] == name) continue;
      onnx::NodeProto& identity = *out.add_node();
      identity.set_op_type("Identity");
      identity.set_name(name + "/Identity");
      identity.add_input(names[static_cast<size_t>(value)]);
      identity.add_output(name);
    }
    output_names_.resize(first);
  }

  void write_node(const Node& node, const std::vector<std::string>& names, onnx::NodeProto& out) {
    out.set_op_type(find_entry(*node.def, opset_)->op_type);
    out.set_name(node.name);
    const auto captures = node.attrs.get_or<int64_t>("num_captures", 0);
    const size_t own = node.inputs.size() - static_cast<size_t>(captures);
    const auto name_of = [&](ValueId value) { return value == kNoValue ? "" : names[static_cast<size_t>(value)]; };
    for (size_t i = 0; i < own; ++i) out.add_input(name_of(node.inputs[i]));
    for (ValueId output : node.outputs) out.add_output(name_of(output));
    while (out.output_size() > 1 && out.output(out.output_size() - 1).empty()) out.mutable_output()->RemoveLast();
    std::vector<std::string> captured;
    for (size_t i = own; i < node.inputs.size(); ++i) captured.push_back(name_of(node.inputs[i]));
    for (const auto& [name, value] : node.attrs.items()) {
      if (is_ours(node, name) || is_default(*node.def, name, value)) continue;
      onnx::AttributeProto& attr = *out.add_attribute();
      attr.set_name(name);
      write_attr(value, captured, attr);
    }
  }

  void write_attr(const AttrValue& value, const std::vector<std::string>& captured, onnx::AttributeProto& out) {
    if (const auto* i = std::get_if<int64_t>(&value)) {
      out.set_type(onnx::AttributeProto::INT);
      out.set_i(*i);
    } else if (const auto* f = std::get_if<float>(&value)) {
      out.set_type(onnx::AttributeProto::FLOAT);
      out.set_f(*f);
    } else if (const auto* s = std::get_if<std::string>(&value)) {
      out.set_type(onnx::AttributeProto::STRING);
      out.set_s(*s);
    } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) {
      out.set_type(onnx::AttributeProto::INTS);
      for (int64_t each : *ints) out.add_ints(each);
    } else if (const auto* floats = std::get_if<std::vector<float>>(&value)) {
      out.set_type(onnx::AttributeProto::FLOATS);
      for (float each : *floats) out.add_floats(each);
    } else if (const auto* strings = std::get_if<std::vector<std::string>>(&value)) {
      out.set_type(onnx::AttributeProto::STRINGS);
      for (const std::string& each : *strings) out.add_strings(each);
    } else if (const auto* tensor = std::get_if<Tensor>(&value)) {
      out.set_type(onnx::AttributeProto::TENSOR);
      set_tensor(*tensor, *out.mutable_t());
    } else {
      out.set_type(onnx::AttributeProto::GRAPH);
      write(*std::get<GraphPtr>(value), captured, *out.mutable_g());
    }
  }

  int opset_;
  std::set<std::string> used_;
  int64_t unnamed_ = 0;
  std::vector<std::string> output_names_;  // of the graphs being written, the innermost last
};

uint64_t constant_bytes(const Graph& graph) {
  uint64_t total = 0;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (graph.value(id).is_constant()) total += graph.value(id).facts.constant.bytes();
  }
  return total;
}

}  // namespace

std::string serialize_onnx(const Graph& graph) {
  Graph standard = graph;
  expand_graph(standard);
  standard = standard.compacted();
  require(constant_bytes(standard) < kMaxBytes, Code::kUnsupported, "the model has ", constant_bytes(standard),
          " bytes of weights, an ONNX file without external data holds less than 2 GB");
  const int opset = opset_for(standard);
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("neural_engine");
  model.add_opset_import()->set_version(opset);
  OnnxWriter(opset).write(standard, {}, *model.mutable_graph());
  std::string bytes;
  require(model.ByteSizeLong() <= kMaxBytes && model.SerializeToString(&bytes), Code::kUnsupported,
          "the model is larger than 2 GB, which an ONNX file without external data cannot be");
  return bytes;
}

void save_onnx(const Graph& graph, const std::string& path) {
  with_context([&] { return path; }, [&] { write_file_atomically(path, serialize_onnx(graph)); });
}

}  // namespace neural_engine
