// Bad models, each with the message that it must get.
#include <gtest/gtest.h>

#include <functional>

#include "onnx_model.h"

namespace neural_engine {
namespace {

using onnx::AttributeProto;
using onnx::ModelProto;
using onnx::TensorProto;
using testing::add_attr;
using testing::add_input;
using testing::add_node;
using testing::add_output;
using testing::float_tensor;
using testing::relu_model;
using testing::set_attr;

struct BadModel {
  const char* name;
  std::function<void(ModelProto&)> spoil;  // a model of x -> Relu "node" -> y
  const char* message;
};

onnx::NodeProto* node(ModelProto& model) { return model.mutable_graph()->mutable_node(0); }

// An initializer "w" beside the rest.
TensorProto* weight(ModelProto& model) {
  TensorProto* added = model.mutable_graph()->add_initializer();
  *added = float_tensor("w", {2}, {1, 2});
  return added;
}

const BadModel kBadModels[] = {
    {"no graph", [](ModelProto& m) { m.clear_graph(); }, "invalid model: model in memory: there is no graph"},
    {"no opset", [](ModelProto& m) { m.clear_opset_import(); }, "unsupported: model in memory: no opset is imported"},
    {"opset 5", [](ModelProto& m) { m.mutable_opset_import(0)->set_version(5); },
     "opset 5 of domain \"ai.onnx\" found, supported are 6 to 23"},
    {"opset 24", [](ModelProto& m) { m.mutable_opset_import(0)->set_version(24); },
     "opset 24 of domain \"ai.onnx\" found, supported are 6 to 23"},
    {"two opsets", [](ModelProto& m) { m.add_opset_import()->set_version(12); },
     "opset versions 17 and 12 of domain \"\" are imported"},
    {"domain not imported", [](ModelProto& m) { node(m)->set_domain("com.example"); },
     "node \"node\" (Relu): no opset of domain \"com.example\" is imported"},
    {"training", [](ModelProto& m) { m.add_training_info(); }, "unsupported: model in memory: training_info found"},
    {"unknown field", [](ModelProto& m) { m.mutable_graph()->mutable_unknown_fields()->AddVarint(99, 1); },
     "unsupported: model in memory: GraphProto \"test\" has field 99"},
    {"unknown attribute type",
     [](ModelProto& m) { node(m)->add_attribute()->mutable_unknown_fields()->AddVarint(20, 77); },
     "AttributeProto \"\" has field 20"},

    {"unknown operator", [](ModelProto& m) { node(m)->set_op_type("Relux"); },
     "node \"node\" (Relux): operator Relux of domain \"ai.onnx\" is not supported at opset 17, nor at any other"},
    {"operator of another opset",
     [](ModelProto& m) {
       m.mutable_opset_import(0)->set_version(7);
       node(m)->set_op_type("Where");
     },
     "operator Where of domain \"ai.onnx\" is not supported at opset 7, but at 9 to 23"},
    {"no operator", [](ModelProto& m) { node(m)->clear_op_type(); }, "node \"node\" (): operator  of domain"},
    {"unknown attribute", [](ModelProto& m) { set_attr(node(m), "alpha", 1.f); },
     "unsupported: model in memory: node \"node\" (Relu): attribute \"alpha\" is not one of the operator's"},
    {"attribute twice",
     [](ModelProto& m) {
       set_attr(node(m), "alpha", 1.f);
       set_attr(node(m), "alpha", 1.f);
     },
     "node \"node\" (Relu): attribute \"alpha\" is given twice"},
    {"wrong attribute type",
     [](ModelProto& m) {
       node(m)->set_op_type("LeakyRelu");
       set_attr(node(m), "alpha", int64_t{1});
     },
     "invalid model: model in memory: node \"node\" (LeakyRelu): attribute \"alpha\" has type int, expected float"},
    {"attribute without value", [](ModelProto& m) { add_attr(node(m), "alpha", AttributeProto::FLOAT); },
     "attribute \"alpha\": has type FLOAT and holds no value"},
    {"attribute with another value", [](ModelProto& m) { add_attr(node(m), "alpha", AttributeProto::FLOAT)->set_i(1); },
     "attribute \"alpha\": has type FLOAT and holds a value of type INT"},
    {"attribute without type", [](ModelProto& m) { node(m)->add_attribute()->set_name("alpha"); },
     "attribute \"alpha\": has no type, and 0 of its fields are set"},
    {"graph attribute", [](ModelProto& m) { add_attr(node(m), "alpha", AttributeProto::GRAPH)->mutable_g(); },
     "attribute \"alpha\": has type GRAPH, which is not supported here"},
    {"attribute reference outside of a function",
     [](ModelProto& m) { add_attr(node(m), "alpha", AttributeProto::FLOAT)->set_ref_attr_name("beta"); },
     "attribute \"alpha\": refers to \"beta\" of a function, but is not in a function"},
    {"overload", [](ModelProto& m) { node(m)->mutable_unknown_fields()->AddLengthDelimited(8, "a"); },
     "there is no function with overload \"a\""},

    {"undefined value", [](ModelProto& m) { node(m)->set_input(0, "z"); },
     "node \"node\" (Relu): value \"z\" is not defined before its use"},
    {"cycle",
     [](ModelProto& m) {
       node(m)->set_input(0, "z");
       add_node(m.mutable_graph(), "Relu", {"y"}, {"z"});
     },
     "node \"node\" (Relu): value \"z\" is not defined before its use (nodes must be in topological order)"},
    {"own output", [](ModelProto& m) { node(m)->set_input(0, "y"); }, "value \"y\" is not defined before its use"},
    {"duplicate name", [](ModelProto& m) { add_node(m.mutable_graph(), "Relu", {"x"}, {"y"}, "second"); },
     "node \"second\" (Relu): value \"y\" is defined twice"},
    {"output names an input", [](ModelProto& m) { node(m)->set_output(0, "x"); }, "value \"x\" is defined twice"},
    {"two inputs of one name", [](ModelProto& m) { add_input(m.mutable_graph(), "x"); },
     "input \"x\": it is defined twice"},
    {"two initializers of one name",
     [](ModelProto& m) {
       weight(m);
       weight(m);
     },
     "initializer \"w\": value \"w\" is defined twice"},
    {"unnamed initializer", [](ModelProto& m) { weight(m)->clear_name(); }, "initializer \"\": a value has no name"},
    {"undefined output", [](ModelProto& m) { add_output(m.mutable_graph(), "z"); },
     "output \"z\": value \"z\" is not defined"},
    {"output twice", [](ModelProto& m) { add_output(m.mutable_graph(), "y"); }, "output \"y\": it is listed twice"},
    {"too many inputs", [](ModelProto& m) { node(m)->add_input("x"); },
     "node \"node\" (Relu): 2 inputs found, expected 1"},
    {"too few inputs", [](ModelProto& m) { node(m)->clear_input(); },
     "node \"node\" (Relu): 0 inputs found, expected 1"},
    {"absent input", [](ModelProto& m) { node(m)->set_input(0, ""); },
     "node \"node\" (Relu): 0 inputs found, expected 1"},
    {"too many outputs", [](ModelProto& m) { node(m)->add_output("z"); },
     "node \"node\" (Relu): 2 outputs found, expected 1"},
    {"shapes that do not go together",
     [](ModelProto& m) {
       weight(m);
       node(m)->set_op_type("Add");
       node(m)->add_input("w");
     },
     "node \"node\" (Add): "},

    {"negative dimension",
     [](ModelProto& m) {
       m.mutable_graph()
           ->mutable_input(0)
           ->mutable_type()
           ->mutable_tensor_type()
           ->mutable_shape()
           ->mutable_dim(0)
           ->set_dim_value(-1);
     },
     "input \"x\": dimension 0 is -1, expected 0 or more, or a name"},
    {"input without type", [](ModelProto& m) { m.mutable_graph()->mutable_input(0)->clear_type(); },
     "input \"x\": the element type is missing"},
    {"sequence input",
     [](ModelProto& m) { m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type(); },
     "unsupported: model in memory: input \"x\": a sequence found, only dense tensors are supported"},
    {"string input",
     [](ModelProto& m) {
       m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(8);
     },
     "unsupported: model in memory: input \"x\": data type 8 (STRING) found"},
    {"output of another dtype",
     [](ModelProto& m) {
       testing::set_type(m.mutable_graph()->mutable_output(0), "y", {2, 3}, TensorProto::INT64);
     },
     "output \"y\": it is declared as s64, its nodes give f32"},
    {"output of another shape",
     [](ModelProto& m) {
       testing::set_type(m.mutable_graph()->mutable_output(0), "y", {2, 4}, TensorProto::FLOAT);
     },
     "output \"y\": it is declared with shape [2,4], its nodes give [2,3]"},
    {"value_info of another rank",
     [](ModelProto& m) { testing::set_type(m.mutable_graph()->add_value_info(), "y", {2}, TensorProto::FLOAT); },
     "value_info \"y\": it is declared with shape [2], its nodes give [2,3]"},

    {"negative dims", [](ModelProto& m) { weight(m)->set_dims(0, -2); },
     "tensor \"w\": dimension 0 is -2, expected 0 or more"},
    {"too little data", [](ModelProto& m) { weight(m)->set_dims(0, 3); },
     "tensor \"w\": raw_data holds 8 bytes, shape [3] of f32 takes 12"},
    {"too much data", [](ModelProto& m) { weight(m)->set_dims(0, 1); },
     "tensor \"w\": raw_data holds 8 bytes, shape [1] of f32 takes 4"},
    {"dims that overflow",
     [](ModelProto& m) {
       TensorProto* tensor = weight(m);
       tensor->set_dims(0, int64_t{1} << 62);
       tensor->add_dims(4);
     },
     "tensor \"w\": shape [4611686018427387904,4] overflows"},
    {"bytes that overflow", [](ModelProto& m) { weight(m)->set_dims(0, int64_t{1} << 61); },
     "tensor \"w\": shape [2305843009213693952] overflows"},
    {"gigabytes claimed", [](ModelProto& m) { weight(m)->set_dims(0, int64_t{1} << 40); },
     "raw_data holds 8 bytes, shape [1099511627776] of f32 takes 4398046511104"},
    {"gigabytes claimed by a typed field",
     [](ModelProto& m) {
       TensorProto* tensor = weight(m);
       tensor->clear_raw_data();
       tensor->set_dims(0, int64_t{1} << 40);
     },
     "tensor \"w\": the data field holds 0 values, shape [1099511627776] takes 1099511627776"},
    {"two data fields", [](ModelProto& m) { weight(m)->add_float_data(1); },
     "tensor \"w\": both float_data and raw_data are given"},
    {"the wrong data field",
     [](ModelProto& m) {
       TensorProto* tensor = weight(m);
       tensor->clear_raw_data();
       tensor->add_int32_data(1);
       tensor->add_int32_data(2);
     },
     "tensor \"w\": the data field holds 0 values, shape [2] takes 2"},
    {"no data type", [](ModelProto& m) { weight(m)->clear_data_type(); }, "tensor \"w\": the data type is missing"},
    {"strings", [](ModelProto& m) { weight(m)->set_data_type(8); }, "tensor \"w\": data type 8 (STRING) found"},
    {"complex", [](ModelProto& m) { weight(m)->set_data_type(14); }, "tensor \"w\": data type 14 (COMPLEX64) found"},
    {"unknown data type", [](ModelProto& m) { weight(m)->set_data_type(1000); },
     "tensor \"w\": data type 1000 (unknown) found"},
    {"segment", [](ModelProto& m) { weight(m)->mutable_segment(); }, "a segment of a tensor is not supported"},

    {"constant without value", [](ModelProto& m) { add_node(m.mutable_graph(), "Constant", {}, {"c"}, "constant"); },
     "node \"constant\" (Constant): 0 attributes found, expected one value"},
    {"constant of strings",
     [](ModelProto& m) { set_attr(add_node(m.mutable_graph(), "Constant", {}, {"c"}), "value_string", "text"); },
     "node \"c\" (Constant): attribute \"value_string\" found, supported: value, sparse_value, value_float"},
    {"constant of another type",
     [](ModelProto& m) { set_attr(add_node(m.mutable_graph(), "Constant", {}, {"c"}), "value_float", int64_t{1}); },
     "node \"c\" (Constant): attribute \"value_float\" has type int"},
    {"constant with an input",
     [](ModelProto& m) { set_attr(add_node(m.mutable_graph(), "Constant", {"x"}, {"c"}), "value_float", 1.f); },
     "node \"c\" (Constant): 1 inputs and 1 outputs found, expected 0 and 1"},
    {"sparse index out of range",
     [](ModelProto& m) {
       onnx::SparseTensorProto* sparse = m.mutable_graph()->add_sparse_initializer();
       *sparse->mutable_values() = float_tensor("s", {1}, {5});
       *sparse->mutable_indices() = testing::int_tensor("", {6});
       sparse->add_dims(6);
     },
     "sparse index 6 is not below 6"},
    {"gigabytes claimed by a sparse tensor",
     [](ModelProto& m) {
       onnx::SparseTensorProto* sparse = m.mutable_graph()->add_sparse_initializer();
       *sparse->mutable_values() = float_tensor("s", {1}, {5});
       *sparse->mutable_indices() = testing::int_tensor("", {6});
       sparse->add_dims(int64_t{1} << 32);
     },
     "sparse tensors take more than 64 MiB as dense ones"},
};

TEST(BadOnnx, EachIsRefusedWithItsMessage) {
  ASSERT_EQ(testing::load_error(relu_model()), "");
  for (const BadModel& bad : kBadModels) {
    ModelProto model = relu_model();
    bad.spoil(model);
    const std::string message = testing::load_error(model);
    EXPECT_NE(message.find(bad.message), std::string::npos)
        << bad.name << ":\n  found    " << message << "\n  expected " << bad.message;
  }
}

TEST(BadOnnx, EveryTruncationIsRefused) {
  ModelProto model = relu_model();
  weight(model);
  const std::string bytes = model.SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    // A prefix may be a whole message that lacks what follows; then the loader finds that something is missing.
    EXPECT_THROW(load_onnx(std::as_bytes(std::span(bytes).first(size)), ""), Error) << size;
  }
}

TEST(BadOnnx, GarbageIsRefused) {
  for (const std::string& bytes : {std::string("not a model"), std::string(100, '\xff'), std::string(100, '\0')}) {
    EXPECT_THROW(load_onnx(std::as_bytes(std::span(bytes)), ""), Error);
  }
}

TEST(BadOnnx, AMissingFileAndAFolderAreRefused) {
  const testing::TemporaryFolder folder;
  for (const std::string& path : {folder.path() + "/none.onnx", folder.path()}) {
    try {
      load_onnx(path);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kIo) << error.what();
    }
  }
}

}  // namespace
}  // namespace neural_engine
