#include "ir/print.h"

#include <sstream>

namespace neural_engine {

namespace {

class Printer {
 public:
  std::string run(const Graph& graph) {
    body(graph, 0);
    return out_.str();
  }

 private:
  void indent(int depth) { out_ << std::string(static_cast<size_t>(depth) * 2, ' '); }

  static std::string id(ValueId value) { return value == kNoValue ? "_" : "%" + std::to_string(value); }

  static std::string type(const Facts& facts) {
    return to_string(facts.dtype) + (facts.shape ? to_string(*facts.shape) : std::string("[*]"));
  }

  void body(const Graph& graph, int depth) {
    out_ << "graph \"" << graph.name << "\" (";
    for (size_t i = 0; i < graph.inputs().size(); ++i) {
      const Value& input = graph.value(graph.inputs()[i]);
      out_ << (i ? ", " : "") << id(graph.inputs()[i]) << " \"" << input.name << "\": " << type(input.facts);
    }
    out_ << ") {\n";
    for (ValueId value = 0; value < graph.num_values(); ++value) {
      const Value& constant = graph.value(value);
      if (!constant.is_constant() || constant.users.empty()) continue;
      indent(depth + 1);
      out_ << id(value) << " \"" << constant.name << "\" = " << type(constant.facts) << " constant"
           << elements(constant.facts) << "\n";
    }
    for (NodeId each : graph.order()) node(graph, graph.node(each), depth + 1);
    for (const Graph::Output& output : graph.outputs()) {
      indent(depth + 1);
      out_ << "return \"" << output.name << "\": " << id(output.value) << "\n";
    }
    indent(depth);
    out_ << "}\n";
  }

  // Small integer constants are shapes and axes: worth seeing.
  static std::string elements(const Facts& facts) {
    return facts.ints && facts.ints->size() <= 8 ? " " + to_string(*facts.ints) : "";
  }

  void node(const Graph& graph, const Node& node, int depth) {
    indent(depth);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      out_ << (i ? ", " : "") << id(node.outputs[i]);
      if (node.outputs[i] != kNoValue) out_ << ": " << type(graph.value(node.outputs[i]).facts);
    }
    out_ << " = " << node.op() << "(";
    for (size_t i = 0; i < node.inputs.size(); ++i) out_ << (i ? ", " : "") << id(node.inputs[i]);
    out_ << ") \"" << node.name << "\"";
    attrs(node.attrs, depth);
  }

  void attrs(const Attrs& attrs, int depth) {
    std::vector<std::pair<std::string, GraphPtr>> bodies;
    bool first = true;
    for (const auto& [name, value] : attrs.items()) {
      if (const GraphPtr* graph = std::get_if<GraphPtr>(&value)) {
        bodies.emplace_back(name, *graph);
        continue;
      }
      out_ << (first ? " {" : ", ") << name << ": ";
      first = false;
      std::visit([&](const auto& item) { attr(item); }, value);
    }
    out_ << (first ? "\n" : "}\n");
    for (const auto& [name, graph] : bodies) {
      indent(depth + 1);
      out_ << name << " = ";
      body(*graph, depth + 1);
    }
  }

  void attr(int64_t value) { out_ << value; }
  void attr(float value) { out_ << value; }
  void attr(const std::string& value) { out_ << '"' << value << '"'; }
  void attr(const Tensor& value) { out_ << to_string(value.dtype()) << to_string(value.shape()); }
  void attr(const GraphPtr&) {}
  template <class T>
  void attr(const std::vector<T>& list) {
    out_ << "[";
    for (size_t i = 0; i < list.size(); ++i) {
      if (i) out_ << ",";
      attr(list[i]);
    }
    out_ << "]";
  }

  std::ostringstream out_;
};

}  // namespace

std::string print(const Graph& graph) { return Printer().run(graph); }

}  // namespace neural_engine
