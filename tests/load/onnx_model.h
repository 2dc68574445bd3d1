// ONNX models made in code, for tests of the loader.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "load/onnx.h"

namespace neural_engine::testing {

// A number, a name, or nothing (-2) of a declared shape.
using TestDim = std::variant<int, const char*>;

inline void set_type(onnx::ValueInfoProto* info, const std::string& name, const std::vector<TestDim>& dims, int type) {
  info->set_name(name);
  onnx::TypeProto::Tensor* tensor = info->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  tensor->mutable_shape();
  for (const TestDim& dim : dims) {
    onnx::TensorShapeProto::Dimension* added = tensor->mutable_shape()->add_dim();
    if (const int* number = std::get_if<int>(&dim)) {
      if (*number != -2) added->set_dim_value(*number);
    } else {
      added->set_dim_param(std::get<const char*>(dim));
    }
  }
}

inline void add_input(onnx::GraphProto* graph, const std::string& name, const std::vector<TestDim>& dims = {2, 3},
                      int type = onnx::TensorProto::FLOAT) {
  set_type(graph->add_input(), name, dims, type);
}

// Without a type, which is the rule in bodies.
inline void add_output(onnx::GraphProto* graph, const std::string& name) { graph->add_output()->set_name(name); }

inline onnx::NodeProto* add_node(onnx::GraphProto* graph, const std::string& op_type,
                                 const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
                                 const std::string& name = {}) {
  onnx::NodeProto* node = graph->add_node();
  node->set_op_type(op_type);
  for (const std::string& input : inputs) node->add_input(input);
  for (const std::string& output : outputs) node->add_output(output);
  if (!name.empty()) node->set_name(name);
  return node;
}

inline onnx::TensorProto float_tensor(const std::string& name, const std::vector<int64_t>& dims,
                                      const std::vector<float>& values) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (int64_t dim : dims) tensor.add_dims(dim);
  tensor.set_raw_data(values.data(), values.size() * sizeof(float));
  return tensor;
}

inline onnx::TensorProto int_tensor(const std::string& name, const std::vector<int64_t>& values) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<int64_t>(values.size()));
  for (int64_t value : values) tensor.add_int64_data(value);
  return tensor;
}

inline onnx::AttributeProto* add_attr(onnx::NodeProto* node, const std::string& name,
                                      onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return attribute;
}
inline void set_attr(onnx::NodeProto* node, const std::string& name, int64_t value) {
  add_attr(node, name, onnx::AttributeProto::INT)->set_i(value);
}
inline void set_attr(onnx::NodeProto* node, const std::string& name, float value) {
  add_attr(node, name, onnx::AttributeProto::FLOAT)->set_f(value);
}
inline void set_attr(onnx::NodeProto* node, const std::string& name, const char* value) {
  add_attr(node, name, onnx::AttributeProto::STRING)->set_s(value);
}
inline void set_attr(onnx::NodeProto* node, const std::string& name, const std::vector<int64_t>& values) {
  onnx::AttributeProto* attribute = add_attr(node, name, onnx::AttributeProto::INTS);
  for (int64_t value : values) attribute->add_ints(value);
}
inline void set_attr(onnx::NodeProto* node, const std::string& name, const std::vector<float>& values) {
  onnx::AttributeProto* attribute = add_attr(node, name, onnx::AttributeProto::FLOATS);
  for (float value : values) attribute->add_floats(value);
}
inline void set_attr(onnx::NodeProto* node, const std::string& name, const onnx::TensorProto& value) {
  *add_attr(node, name, onnx::AttributeProto::TENSOR)->mutable_t() = value;
}
inline onnx::GraphProto* add_body(onnx::NodeProto* node, const std::string& name) {
  return add_attr(node, name, onnx::AttributeProto::GRAPH)->mutable_g();
}

inline onnx::ModelProto empty_model(int64_t opset = 17) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(opset);
  model.mutable_graph()->set_name("test");
  return model;
}

// x [2,3] -> Relu "node" -> y.
inline onnx::ModelProto relu_model(int64_t opset = 17) {
  onnx::ModelProto model = empty_model(opset);
  add_input(model.mutable_graph(), "x");
  add_node(model.mutable_graph(), "Relu", {"x"}, {"y"}, "node");
  add_output(model.mutable_graph(), "y");
  return model;
}

inline Graph load(const onnx::ModelProto& model, const std::string& folder = {}) {
  const std::string bytes = model.SerializeAsString();
  return load_onnx(std::as_bytes(std::span(bytes)), folder);
}

// The error's text; "" when the model loads.
inline std::string load_error(const onnx::ModelProto& model, const std::string& folder = {}) {
  try {
    load(model, folder);
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

// A folder that is gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "neural_engine_XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) fail(Code::kIo, "cannot make a folder for the test");
    path_ = pattern;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string write(const std::string& name, const std::string& contents) const {
    const std::string path = path_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << contents;
    return path;
  }

 private:
  std::string path_;
};

}  // namespace neural_engine::testing
