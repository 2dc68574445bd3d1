// TensorFlow graphs made in code, for tests of the loader.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "load/tensorflow.h"
#include "tensorflow.pb.h"

namespace neural_engine::testing {

inline constexpr int kTfFloat = 1, kTfInt32 = 3, kTfInt64 = 9, kTfBool = 10;

inline tf::NodeDef* add_tf_node(google::protobuf::RepeatedPtrField<tf::NodeDef>* nodes, const std::string& op,
                                const std::string& name, const std::vector<std::string>& inputs) {
  tf::NodeDef* node = nodes->Add();
  node->set_op(op);
  node->set_name(name);
  for (const std::string& input : inputs) node->add_input(input);
  return node;
}
inline tf::NodeDef* add_tf_node(tf::GraphDef* graph, const std::string& op, const std::string& name,
                                const std::vector<std::string>& inputs) {
  return add_tf_node(graph->mutable_node(), op, name, inputs);
}

inline tf::AttrValue& tf_attr(tf::NodeDef* node, const std::string& name) { return (*node->mutable_attr())[name]; }

inline tf::NodeDef* add_tf_input(tf::GraphDef* graph, const std::string& name, const std::vector<int64_t>& dims,
                                 int type = kTfFloat) {
  tf::NodeDef* node = add_tf_node(graph, "Placeholder", name, {});
  tf_attr(node, "dtype").set_type(type);
  tf::TensorShape* shape = tf_attr(node, "shape").mutable_shape();
  for (int64_t dim : dims) shape->add_dim()->set_size(dim);
  return node;
}

inline tf::Tensor* add_tf_const(google::protobuf::RepeatedPtrField<tf::NodeDef>* nodes, const std::string& name,
                                const std::vector<int64_t>& dims, int type) {
  tf::NodeDef* node = add_tf_node(nodes, "Const", name, {});
  tf_attr(node, "dtype").set_type(type);
  tf::Tensor* tensor = tf_attr(node, "value").mutable_tensor();
  tensor->set_dtype(type);
  tensor->mutable_tensor_shape();
  for (int64_t dim : dims) tensor->mutable_tensor_shape()->add_dim()->set_size(dim);
  return tensor;
}
inline tf::Tensor* add_tf_ints(tf::GraphDef* graph, const std::string& name, const std::vector<int32_t>& values,
                               bool scalar = false) {
  tf::Tensor* tensor =
      add_tf_const(graph->mutable_node(), name,
                   scalar ? std::vector<int64_t>() : std::vector{static_cast<int64_t>(values.size())}, kTfInt32);
  for (int32_t value : values) tensor->add_int_val(value);
  return tensor;
}
inline tf::Tensor* add_tf_floats(tf::GraphDef* graph, const std::string& name, const std::vector<int64_t>& dims,
                                 const std::vector<float>& values) {
  tf::Tensor* tensor = add_tf_const(graph->mutable_node(), name, dims, kTfFloat);
  for (float value : values) tensor->add_float_val(value);
  return tensor;
}

// x [2,3] -> Relu "node".
inline tf::GraphDef relu_graph() {
  tf::GraphDef graph;
  add_tf_input(&graph, "x", {2, 3});
  tf_attr(add_tf_node(&graph, "Relu", "node", {"x"}), "T").set_type(kTfFloat);
  return graph;
}

inline Graph load(const tf::GraphDef& graph) {
  const std::string bytes = graph.SerializeAsString();
  return load_frozen_graph(std::as_bytes(std::span(bytes)));
}

// The error's code and text; "" when the graph loads.
inline std::string load_error(const tf::GraphDef& graph) {
  try {
    load(graph);
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  }
  return {};
}

inline std::vector<std::string> op_names(const Graph& graph) {
  std::vector<std::string> result;
  for (NodeId id : graph.order()) result.emplace_back(graph.node(id).op());
  return result;
}

}  // namespace neural_engine::testing
