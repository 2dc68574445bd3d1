// From a parsed GraphDef to a Graph.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/graph.h"
#include "load/tensorflow_node.h"
#include "load/tensorflow_scope.h"
#include "load/tensorflow_types.h"

namespace neural_engine {

// An input or output of the graph: the name that the model's users know, and the edge.
struct TfPort {
  std::string name;
  std::string ref;
  DType dtype = DType::kUndefined;     // of inputs; kUndefined: what the Placeholder says
  std::optional<SymShape> shape = {};  // likewise
  bool all = false;                    // of outputs: the node's further ones too
};

class TfBuilder {
 public:
  // All must outlive the builder.
  TfBuilder(const tf::GraphDef& graph, TfTensorReader& tensors);

  // The values of variables, by variable_name(); an undefined tensor for one that has none. Called once for each.
  std::function<Tensor(const std::string& name)> find_variable = [](const std::string&) { return Tensor(); };
  const Tensor& variable_value(const std::string& name);

  // With the ports of a signature.
  Graph build(const std::vector<TfPort>& inputs, const std::vector<TfPort>& outputs);
  // Placeholders are the inputs, nodes that nobody reads the outputs.
  Graph build_frozen();

  // ---- for scopes and nodes
  std::vector<TfValue> build_node(TfScope& scope, const tf::NodeDef& node, std::vector<TfValue> inputs, bool dead);
  // The nodes that must be built before a node of control flow; nullopt for all others.
  std::optional<std::vector<std::string>> special_needs(const TfScope& scope, const tf::NodeDef& node) const;
  // A node by which a branch is known to be taken or not.
  bool is_pivot(const TfNodes& nodes, const std::string& name) const;
  // The number of the first output of an argument of a function that is called by its name.
  int64_t output_position(const tf::NodeDef& node, const std::string& output) const;
  void count_node(const TfScope& scope, const tf::NodeDef& node);

  Tensor constant_of(const tf::NodeDef& node, const tf::Tensor& proto);
  const tf::FunctionDef* find_function(const std::string& name) const;

  // The outputs of a function for these arguments, its nodes among those of the scope's graph.
  std::vector<TfValue> call(TfScope& scope, const std::string& function, std::vector<TfValue> arguments,
                            const std::string& prefix);

  // ---- tensorflow_control.cpp: If and While as nodes with bodies
  std::vector<TfValue> build_if(TfNode& n);
  // What a loop computes, whichever form it is written in.
  struct Loop {
    std::string name;
    std::vector<TfValue> initial;
    std::vector<bool> invariant;  // returned by the body as they came
    // In a scope's graph, for these values of the variables.
    std::function<TfValue(TfScope&, const std::vector<TfValue>&)> condition;
    std::function<std::vector<TfValue>(TfScope&, const std::vector<TfValue>&)> body;
  };
  std::vector<TfValue> build_loop(TfScope& scope, const Loop& loop);

  // ---- tensorflow_frames.cpp: the loops of TensorFlow 1
  std::vector<TfValue> build_exit(TfScope& scope, const tf::NodeDef& exit);

 private:
  struct Function {
    const tf::FunctionDef* proto;
    std::unique_ptr<TfNodes> nodes;
    bool active = false;  // being inlined: a further call is a recursion
  };

  void index_functions();
  TfNodes& nodes_of(Function& function);
  std::vector<TfValue> call_node(TfNode& n);
  std::vector<TfValue> build_while(TfNode& n);
  std::vector<TfValue> merge(const tf::NodeDef& node, const std::vector<TfValue>& inputs);
  std::vector<TfValue> switch_node(TfNode& n);
  ValueId declare_input(Graph& graph, UniqueNames& names, TfScope& scope, const TfPort& port);

  const tf::GraphDef& proto_;
  TfTensorReader& tensors_;
  TfNodes nodes_;
  std::map<std::string, Function> functions_;
  std::unordered_map<const tf::NodeDef*, Tensor> constants_;  // functions that are called often have theirs once
  std::unordered_map<std::string, Tensor> variables_;
  int call_depth_ = 0;
  int body_depth_ = 0;
  int64_t inlined_nodes_ = 0;
};

}  // namespace neural_engine
