// From a parsed ONNX file to a Graph.
#pragma once

#include <onnx/onnx_pb.h>

#include <deque>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "ir/graph.h"
#include "load/onnx_legacy.h"
#include "load/onnx_scope.h"
#include "load/proto_tensor.h"

namespace neural_engine {

class OnnxBuilder {
 public:
  // Both must outlive the builder.
  OnnxBuilder(const onnx::ModelProto& model, TensorReader& tensors);
  Graph build();

 private:
  // A value of the graph around that a body uses.
  struct Capture {
    std::string name;
    ValueId outer;
  };
  struct Function {
    const onnx::FunctionProto* proto;
    std::vector<onnx::AttributeProto> defaults;
    Opsets opsets;
    bool active = false;  // being inlined: a further call is a recursion
  };
  // Domain, name, overload.
  using FunctionKey = std::tuple<std::string, std::string, std::string>;
  template <class T>
  using Repeated = google::protobuf::RepeatedPtrField<T>;

  // onnx_builder.cpp: graphs and nodes
  void add_inputs(Scope& scope, const onnx::GraphProto& proto);
  void add_initializers(Scope& scope, const onnx::GraphProto& proto);
  void add_initializer(Scope& scope, const std::string& name, Tensor tensor);
  void add_nodes(Scope& scope, const Repeated<onnx::NodeProto>& nodes);
  void add_node(Scope& scope, const onnx::NodeProto& proto);
  void add_outputs(Scope& scope, const onnx::GraphProto& proto);
  void add_constant(Scope& scope, const onnx::NodeProto& proto);
  OnnxNode read_node(Scope& scope, const onnx::NodeProto& proto);
  void read_attributes(OnnxNode& node, const Scope& scope, const onnx::NodeProto& proto);
  std::vector<ValueId> define_outputs(Scope& scope, const onnx::NodeProto& proto);
  void count_inlined(const Scope& scope, const onnx::NodeProto& proto);

  // onnx_bodies.cpp: If, Loop and Scan
  OnnxNode read_control_flow(Scope& scope, const onnx::NodeProto& proto);
  std::vector<Capture> captures_of(const Scope& scope, const std::vector<const onnx::GraphProto*>& bodies) const;
  GraphPtr build_body(const Scope& outer, const onnx::GraphProto& proto, const std::vector<Capture>& captures,
                      const std::vector<DType>& input_dtypes);

  // onnx_sequences.cpp: sequences, resolved
  bool add_sequence_node(Scope& scope, const onnx::NodeProto& proto);  // false: it is none
  bool carries_sequence(const Scope& scope, const onnx::NodeProto& proto) const;
  // A Loop that stacks what it would append to sequences; names of those and of the scan outputs that replace them.
  using StackedOutputs = std::vector<std::pair<std::string, std::string>>;
  const onnx::NodeProto& without_sequences(const Scope& scope, const onnx::NodeProto& proto, StackedOutputs& stacked);

  // onnx_functions.cpp: model-local functions
  void index_functions();
  Function* find_function(const onnx::NodeProto& proto);
  void inline_call(Scope& scope, const onnx::NodeProto& proto, Function& function);
  AttrBindings bind_attributes(const Scope& scope, const onnx::NodeProto& proto, const Function& function);

  const onnx::ModelProto& model_;
  TensorReader& tensors_;
  Opsets opsets_;
  std::map<FunctionKey, Function> functions_;
  // Tensors of attributes by their address: a function that is inlined many times has its constants once.
  std::unordered_map<const onnx::TensorProto*, Tensor> attribute_tensors_;
  std::deque<onnx::NodeProto> rewritten_;
  int call_depth_ = 0;
  int64_t inlined_nodes_ = 0;
  int64_t inlined_bytes_ = 0;
};

// The imported versions; Error(kUnsupported) for a version of ai.onnx that the engine does not honour.
Opsets read_opsets(const google::protobuf::RepeatedPtrField<onnx::OperatorSetIdProto>& imports);
// Unnamed nodes are known by their first output.
std::string node_name(const onnx::NodeProto& proto);
// "" for both of ai.onnx's names.
std::string normalized_domain(const std::string& domain);
// The version of the operator set that the node's operator is of.
int64_t opset_of(const Opsets& opsets, const std::string& domain);

// The graph attributes of If, Loop and Scan.
std::vector<const char*> body_names(const std::string& op_type);

// onnx_types.cpp: the type of an input, and checks of what the file says about other values.
struct TensorType {
  DType dtype = DType::kUndefined;
  std::optional<SymShape> shape;
};
// Only dense tensors; others are refused (kUnsupported).
TensorType read_type(const onnx::TypeProto& type);
// Refuses (kInvalidModel) a declared dtype or shape that contradicts what was inferred.
void check_declared(const onnx::ValueInfoProto& info, const Facts& inferred);

}  // namespace neural_engine
