#include "load/onnx.h"

#include <gtest/gtest.h>

#include "onnx_model.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::add_input;
using testing::add_node;
using testing::add_output;
using testing::empty_model;
using testing::float_tensor;
using testing::load;
using testing::load_error;
using testing::op_names;
using testing::relu_model;
using testing::set_attr;
using testing::values;

TEST(LoadOnnx, KeepsNamesTypesAndShapes) {
  onnx::ModelProto model = empty_model();
  add_input(model.mutable_graph(), "x", {"batch", 3, -2});
  add_node(model.mutable_graph(), "Relu", {"x"}, {"y"}, "relu");
  add_output(model.mutable_graph(), "y");
  const Graph graph = load(model);
  EXPECT_EQ(graph.name, "test");
  ASSERT_EQ(graph.inputs().size(), 1u);
  const Value& x = graph.value(graph.inputs()[0]);
  EXPECT_EQ(x.name, "x");
  EXPECT_EQ(x.facts.dtype, DType::kF32);
  EXPECT_EQ(to_string(*x.facts.shape), "[batch,3,?]");
  ASSERT_EQ(graph.outputs().size(), 1u);
  EXPECT_EQ(graph.outputs()[0].name, "y");
  const Value& y = graph.value(graph.outputs()[0].value);
  EXPECT_EQ(y.name, "y");
  EXPECT_EQ(to_string(*y.facts.shape), "[batch,3,?]");
  EXPECT_EQ(graph.node(y.producer).name, "relu");
}

TEST(LoadOnnx, NamesUnnamedNodesByTheirOutput) {
  onnx::ModelProto model = relu_model();
  model.mutable_graph()->mutable_node(0)->clear_name();
  EXPECT_EQ(load(model).node(0).name, "y");
}

TEST(LoadOnnx, AnInputWithoutAShapeHasNone) {
  onnx::ModelProto model = relu_model();
  model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  const Graph graph = load(model);
  EXPECT_FALSE(graph.value(graph.inputs()[0]).facts.has_shape());
}

TEST(LoadOnnx, InitializersAreConstants) {
  onnx::ModelProto model = empty_model();
  add_input(model.mutable_graph(), "x");
  *model.mutable_graph()->add_initializer() = float_tensor("w", {3}, {1, 2, 3});
  add_node(model.mutable_graph(), "Add", {"x", "w"}, {"y"});
  add_output(model.mutable_graph(), "y");
  const Graph graph = load(model);
  const Value& w = graph.value(graph.node(0).inputs[1]);
  EXPECT_EQ(w.name, "w");
  ASSERT_TRUE(w.is_constant());
  EXPECT_EQ(values<float>(w.facts.constant), (std::vector<float>{1, 2, 3}));
}

// Before IR version 4 all initializers are listed as inputs.
TEST(LoadOnnx, InitializersThatAreInputsAreConstants) {
  onnx::ModelProto model = empty_model();
  model.set_ir_version(3);
  add_input(model.mutable_graph(), "x");
  add_input(model.mutable_graph(), "w", {3});
  *model.mutable_graph()->add_initializer() = float_tensor("w", {3}, {1, 2, 3});
  add_node(model.mutable_graph(), "Add", {"x", "w"}, {"y"});
  add_output(model.mutable_graph(), "y");
  const Graph graph = load(model);
  ASSERT_EQ(graph.inputs().size(), 1u);
  EXPECT_EQ(graph.value(graph.inputs()[0]).name, "x");
}

TEST(LoadOnnx, OutputsMayBeInputsAndInitializers) {
  onnx::ModelProto model = relu_model();
  *model.mutable_graph()->add_initializer() = float_tensor("w", {1}, {5});
  add_output(model.mutable_graph(), "x");
  add_output(model.mutable_graph(), "w");
  const Graph graph = load(model);
  ASSERT_EQ(graph.outputs().size(), 3u);
  EXPECT_EQ(graph.outputs()[1].value, graph.inputs()[0]);
  EXPECT_TRUE(graph.value(graph.outputs()[2].value).is_constant());
}

TEST(LoadOnnx, BothNamesOfTheDomainAreOne) {
  onnx::ModelProto model = relu_model();
  model.mutable_opset_import(0)->set_domain("ai.onnx");
  EXPECT_EQ(load_error(model), "");
  model.mutable_graph()->mutable_node(0)->set_domain("ai.onnx");
  EXPECT_EQ(load_error(model), "");
  model.add_opset_import()->set_domain("com.example");
  EXPECT_EQ(load_error(model), "");
}

TEST(LoadOnnx, AcceptsTheSupportedOpsets) {
  EXPECT_EQ(load_error(relu_model(7)), "");
  EXPECT_EQ(load_error(relu_model(23)), "");
}

TEST(LoadOnnx, DropsTrailingAbsentOperands) {
  onnx::ModelProto model = empty_model();
  add_input(model.mutable_graph(), "x");
  add_node(model.mutable_graph(), "Clip", {"x", "", ""}, {"y"});
  add_output(model.mutable_graph(), "y");
  EXPECT_EQ(load(model).node(0).inputs.size(), 1u);
}

TEST(LoadOnnx, ReadsEveryFormOfConstant) {
  onnx::ModelProto model = empty_model();
  onnx::GraphProto* graph = model.mutable_graph();
  set_attr(add_node(graph, "Constant", {}, {"tensor"}), "value", float_tensor("", {2}, {1, 2}));
  set_attr(add_node(graph, "Constant", {}, {"float"}), "value_float", 1.5f);
  set_attr(add_node(graph, "Constant", {}, {"floats"}), "value_floats", std::vector<float>{1, 2, 3});
  set_attr(add_node(graph, "Constant", {}, {"int"}), "value_int", int64_t{7});
  set_attr(add_node(graph, "Constant", {}, {"ints"}), "value_ints", std::vector<int64_t>{4, 5});
  for (const char* name : {"tensor", "float", "floats", "int", "ints"}) add_output(graph, name);
  const Graph loaded = load(model);
  EXPECT_EQ(loaded.num_nodes(), 0);
  const auto constant = [&](size_t i) { return loaded.value(loaded.outputs()[i].value).facts.constant; };
  EXPECT_EQ(values<float>(constant(0)), (std::vector<float>{1, 2}));
  EXPECT_EQ(constant(1).rank(), 0);
  EXPECT_EQ(values<float>(constant(1)), (std::vector<float>{1.5f}));
  EXPECT_EQ(values<float>(constant(2)), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(constant(3).rank(), 0);
  EXPECT_EQ(values<int64_t>(constant(3)), (std::vector<int64_t>{7}));
  EXPECT_EQ(values<int64_t>(constant(4)), (std::vector<int64_t>{4, 5}));
}

TEST(LoadOnnx, ReadsSparseConstantsAndInitializers) {
  onnx::ModelProto model = empty_model();
  onnx::SparseTensorProto sparse;
  *sparse.mutable_values() = float_tensor("w", {2}, {5, 6});
  *sparse.mutable_indices() = testing::int_tensor("", {1, 5});
  sparse.add_dims(2);
  sparse.add_dims(3);
  *model.mutable_graph()->add_sparse_initializer() = sparse;
  onnx::NodeProto* node = add_node(model.mutable_graph(), "Constant", {}, {"c"});
  *testing::add_attr(node, "sparse_value", onnx::AttributeProto::SPARSE_TENSOR)->mutable_sparse_tensor() = sparse;
  add_output(model.mutable_graph(), "w");
  add_output(model.mutable_graph(), "c");
  const Graph graph = load(model);
  for (const Graph::Output& output : graph.outputs()) {
    EXPECT_EQ(values<float>(graph.value(output.value).facts.constant), (std::vector<float>{0, 5, 0, 0, 0, 6}));
  }
}

TEST(LoadOnnx, IgnoresMetadata) {
  onnx::ModelProto model = relu_model();
  model.set_doc_string("doc");
  model.add_metadata_props()->set_key("key");
  model.mutable_graph()->mutable_node(0)->set_doc_string("doc");
  // NodeProto.metadata_props and GraphProto.metadata_props, which ONNX 1.12 does not know.
  model.mutable_graph()->mutable_node(0)->mutable_unknown_fields()->AddLengthDelimited(9, "");
  model.mutable_graph()->mutable_unknown_fields()->AddLengthDelimited(16, "");
  EXPECT_EQ(load_error(model), "");
}

TEST(LoadOnnx, AcceptsDeclarationsThatAgree) {
  onnx::ModelProto model = relu_model();
  testing::set_type(model.mutable_graph()->mutable_output(0), "y", {"batch", 3}, onnx::TensorProto::FLOAT);
  testing::set_type(model.mutable_graph()->add_value_info(), "gone", {9}, onnx::TensorProto::INT8);
  EXPECT_EQ(load_error(model), "");
}

TEST(LoadOnnx, MapsAFileAndSharesItsWeights) {
  onnx::ModelProto model = empty_model();
  std::vector<float> weights(1000);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i);
  // One of four paddings aligns the weights to four bytes in the file: there the tensor is a view, else a copy.
  for (int padding = 0; padding < 4; ++padding) {
    onnx::ModelProto padded = model;
    padded.set_producer_name(std::string(static_cast<size_t>(padding), 'p'));
    *padded.mutable_graph()->add_initializer() = float_tensor("w", {1000}, weights);
    add_output(padded.mutable_graph(), "w");
    const testing::TemporaryFolder folder;
    const Graph graph = load_onnx(folder.write("model.onnx", padded.SerializeAsString()));
    EXPECT_EQ(values<float>(graph.value(graph.outputs()[0].value).facts.constant), weights);
  }
}

TEST(LoadOnnx, TheBytesAreNotUsedAfterTheCall) {
  onnx::ModelProto model = empty_model();
  *model.mutable_graph()->add_initializer() = float_tensor("w", {2}, {1, 2});
  add_output(model.mutable_graph(), "w");
  std::string bytes = model.SerializeAsString();
  const Graph graph = load_onnx(std::as_bytes(std::span(bytes)), "");
  std::fill(bytes.begin(), bytes.end(), '\0');
  EXPECT_EQ(values<float>(graph.value(graph.outputs()[0].value).facts.constant), (std::vector<float>{1, 2}));
}

TEST(LoadOnnx, ErrorsBeginWithThePath) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.write("model.onnx", relu_model(5).SerializeAsString());
  try {
    load_onnx(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), path + ": opset 5 of domain \"ai.onnx\" found, supported are 6 to 23");
  }
}

}  // namespace
}  // namespace neural_engine
