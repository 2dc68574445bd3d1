// Names of TensorFlow's nodes while a graph is built, and the order in which they are built.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "load/onnx_scope.h"
#include "load/tensorflow_value.h"
#include "tensorflow.pb.h"

namespace neural_engine {

class TfBuilder;

class TfNodes;

// The loops of TensorFlow 1 among some nodes (tensorflow_frames.cpp).
class TfFrames {
 public:
  // One variable of a loop.
  struct Ring {
    const tf::NodeDef* enter;
    const tf::NodeDef* merge;
    const tf::NodeDef* next;    // NextIteration
    const tf::NodeDef* branch;  // the Switch; nullptr when there is none
    const tf::NodeDef* exit;    // likewise
  };
  explicit TfFrames(const TfNodes& nodes);
  // All rings of the loop that the Exit leaves.
  const std::vector<Ring>& around(const TfNodes& nodes, const tf::NodeDef& exit) const;

 private:
  struct Place {
    std::string frame;
    size_t ring;
  };
  std::unordered_map<std::string, std::vector<Ring>> frames_;
  std::unordered_map<std::string, Place> by_merge_;
};

// The nodes of one GraphDef or function by name. The protos must outlive it.
class TfNodes {
 public:
  using List = google::protobuf::RepeatedPtrField<tf::NodeDef>;
  // Error(kInvalidModel) for a name that is used twice.
  explicit TfNodes(const List& nodes);

  const tf::NodeDef* find(const std::string& name) const;
  const List& all() const { return *list_; }
  // Switch is there: which nodes are dead, those say too that only order them.
  bool has_switch() const { return has_switch_; }
  const TfFrames& frames() const {
    if (!frames_) frames_ = std::make_shared<const TfFrames>(*this);
    return *frames_;
  }

 private:
  const List* list_;
  std::unordered_map<std::string, const tf::NodeDef*> by_name_;
  bool has_switch_ = false;
  mutable std::shared_ptr<const TfFrames> frames_;  // made when it is asked for
};

// One end of an edge: "node", "node:1", in functions "node:output:0"; "^node" is an edge that only orders.
struct TfRef {
  std::string node;
  std::string output = {};
  int64_t index = 0;
  bool control = false;
};
TfRef parse_tf_ref(const std::string& text);

// The captures of a body that is being built: values of the graph around, as further inputs of the body's.
class TfCaptures {
 public:
  TfCaptures(Graph& outer, Graph& inner, UniqueNames& names) : outer_(outer), inner_(inner), names_(names) {}
  // The value inside; constants are copied (sharing their bytes).
  ValueId inside(ValueId outer);
  TfValue inside(const TfValue& outer);
  const std::vector<ValueId>& captured() const { return captured_; }
  const Graph& outer() const { return outer_; }

 private:
  Graph& outer_;
  Graph& inner_;
  UniqueNames& names_;
  std::unordered_map<ValueId, ValueId> known_;
  std::vector<ValueId> captured_;
};

// The nodes that see each other: those of the graph, of one function call, or of the body of a loop.
class TfScope {
 public:
  TfScope(TfBuilder& builder, Graph& graph, UniqueNames& names, const TfNodes& nodes, std::string prefix,
          const tf::FunctionDef* function)
      : builder_(builder),
        graph_(graph),
        names_(names),
        nodes_(nodes),
        prefix_(std::move(prefix)),
        function_(function) {}

  TfBuilder& builder() { return builder_; }
  Graph& graph() { return graph_; }
  UniqueNames& names() { return names_; }
  const TfNodes& nodes() const { return nodes_; }
  const std::string& prefix() const { return prefix_; }
  const tf::FunctionDef* function() const { return function_; }

  // What a node or argument gives, from outside of this scope.
  void bind(const std::string& name, std::vector<TfValue> outputs) { done_[name] = std::move(outputs); }
  void bind(const std::string& name, size_t index, TfValue value);
  std::vector<TfValue> outputs_of(const std::string& name) const { return done_.at(name); }
  bool is_bound(const std::string& name) const { return done_.count(name) > 0; }

  // Variables that are constants of the graph already.
  const ValueId* variable(const std::string& name) const {
    const auto it = variables_.find(name);
    return it == variables_.end() ? nullptr : &it->second;
  }
  void keep_variable(const std::string& name, ValueId value) { variables_.emplace(name, value); }

  // Where the values of a loop's body come from: Enter nodes are looked up there. nullptr elsewhere.
  TfScope* outer = nullptr;
  TfCaptures* captures = nullptr;

  // Builds what the references need and have not got, each node after its operands. Error(kInvalidModel) for unknown
  // names, output numbers and cycles.
  std::vector<TfValue> evaluate(const std::vector<std::string>& refs);

 private:
  std::vector<std::string> needs(const tf::NodeDef& node) const;
  void build(const tf::NodeDef& node);
  TfValue resolve(const TfRef& ref) const;

  TfBuilder& builder_;
  Graph& graph_;
  UniqueNames& names_;
  const TfNodes& nodes_;
  std::string prefix_;
  const tf::FunctionDef* function_;
  std::unordered_map<std::string, std::vector<TfValue>> done_;
  std::unordered_map<std::string, ValueId> variables_;
};

}  // namespace neural_engine
