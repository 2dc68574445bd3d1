// Model-local functions.
#include <gtest/gtest.h>

#include "executor/evaluate.h"
#include "onnx_model.h"
#include "op_tester.h"
#include "sanitized.h"

namespace neural_engine {
namespace {

using onnx::AttributeProto;
using testing::add_input;
using testing::add_node;
using testing::add_output;
using testing::load;
using testing::load_error;
using testing::op_names;
using testing::set_attr;
using testing::values;

onnx::NodeProto* add_node(onnx::FunctionProto* function, const std::string& op_type,
                          const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
  onnx::NodeProto* node = function->add_node();
  node->set_op_type(op_type);
  for (const std::string& input : inputs) node->add_input(input);
  for (const std::string& output : outputs) node->add_output(output);
  return node;
}

onnx::FunctionProto* add_function(onnx::ModelProto& model, const std::string& name,
                                  const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
  onnx::FunctionProto* function = model.add_functions();
  function->set_domain("local");
  function->set_name(name);
  for (const std::string& input : inputs) function->add_input(input);
  for (const std::string& output : outputs) function->add_output(output);
  function->add_opset_import()->set_version(17);
  onnx::OperatorSetIdProto* local = function->add_opset_import();
  local->set_domain("local");
  local->set_version(1);
  return function;
}

void refer(onnx::NodeProto* node, const std::string& name, AttributeProto::AttributeType type,
           const std::string& reference) {
  testing::add_attr(node, name, type)->set_ref_attr_name(reference);
}

// FunctionProto.attribute_proto, which ONNX 1.12 does not know.
void add_default(onnx::FunctionProto* function, const std::string& name, float value) {
  AttributeProto attribute;
  attribute.set_name(name);
  attribute.set_type(AttributeProto::FLOAT);
  attribute.set_f(value);
  function->mutable_unknown_fields()->AddLengthDelimited(11, attribute.SerializeAsString());
}

// x -> local.Leaky(alpha) "call" -> y, where Leaky is LeakyRelu and then Abs.
struct LeakyModel {
  onnx::ModelProto model = testing::empty_model();
  onnx::FunctionProto* function = nullptr;
  onnx::NodeProto* call = nullptr;

  LeakyModel() {
    onnx::OperatorSetIdProto* local = model.add_opset_import();
    local->set_domain("local");
    local->set_version(1);
    function = add_function(model, "Leaky", {"a"}, {"b"});
    function->add_attribute("alpha");
    refer(add_node(function, "LeakyRelu", {"a"}, {"t"}), "alpha", AttributeProto::FLOAT, "alpha");
    add_node(function, "Abs", {"t"}, {"b"});
    add_input(model.mutable_graph(), "x");
    call = testing::add_node(model.mutable_graph(), "Leaky", {"x"}, {"y"}, "call");
    call->set_domain("local");
    add_output(model.mutable_graph(), "y");
  }
};

TEST(OnnxFunctions, AreInlined) {
  LeakyModel leaky;
  set_attr(leaky.call, "alpha", 0.5f);
  const Graph graph = load(leaky.model);
  EXPECT_EQ(op_names(graph), (std::vector<std::string>{"LeakyRelu", "Abs"}));
  EXPECT_EQ(graph.node(0).attr<float>("alpha"), 0.5f);
  EXPECT_EQ(graph.node(0).name, "call/t");
  EXPECT_EQ(graph.value(graph.node(0).outputs[0]).name, "call/t");
  EXPECT_EQ(graph.value(graph.outputs()[0].value).name, "y");
}

TEST(OnnxFunctions, AnAttributeThatIsNotGivenIsLeftOut) {
  LeakyModel leaky;
  EXPECT_EQ(load(leaky.model).node(0).attr<float>("alpha"), 0.01f);  // LeakyRelu's own default
}

TEST(OnnxFunctions, DefaultsOfAttributesCount) {
  LeakyModel leaky;
  leaky.function->clear_attribute();
  add_default(leaky.function, "alpha", 0.25f);
  EXPECT_EQ(load(leaky.model).node(0).attr<float>("alpha"), 0.25f);
  set_attr(leaky.call, "alpha", 0.5f);
  EXPECT_EQ(load(leaky.model).node(0).attr<float>("alpha"), 0.5f);
}

TEST(OnnxFunctions, OverloadsAreTold) {
  LeakyModel leaky;
  onnx::FunctionProto* other = add_function(leaky.model, "Leaky", {"a"}, {"b"});
  other->mutable_unknown_fields()->AddLengthDelimited(13, "other");
  add_node(other, "Neg", {"a"}, {"b"});
  EXPECT_EQ(op_names(load(leaky.model)).front(), "LeakyRelu");
  leaky.call->mutable_unknown_fields()->AddLengthDelimited(8, "other");
  EXPECT_EQ(op_names(load(leaky.model)), (std::vector<std::string>{"Neg"}));
}

TEST(OnnxFunctions, AbsentArgumentsAreAbsentOperands) {
  LeakyModel leaky;
  onnx::FunctionProto* clip = add_function(leaky.model, "Clamp", {"a", "low", "high"}, {"b"});
  add_node(clip, "Clip", {"a", "low", "high"}, {"b"});
  leaky.call->set_op_type("Clamp");
  EXPECT_EQ(load(leaky.model).node(0).inputs.size(), 1u);
}

TEST(OnnxFunctions, NestAndKeepTheirNamesApart) {
  LeakyModel leaky;
  onnx::FunctionProto* twice = add_function(leaky.model, "Twice", {"a"}, {"b"});
  twice->add_attribute("slope");
  for (const auto& [input, output] : {std::pair("a", "t"), std::pair("t", "b")}) {
    onnx::NodeProto* inner = add_node(twice, "Leaky", {input}, {output});
    inner->set_domain("local");
    refer(inner, "alpha", AttributeProto::FLOAT, "slope");
  }
  leaky.call->set_op_type("Twice");
  set_attr(leaky.call, "slope", -2.f);
  const Graph graph = load(leaky.model);
  EXPECT_EQ(op_names(graph), (std::vector<std::string>{"LeakyRelu", "Abs", "LeakyRelu", "Abs"}));
  const std::vector<Tensor> result =
      evaluate_graph(graph, std::vector<Tensor>{Tensor::of<float>({2, 3}, {-1, 2, -3, 4, 0, 6})});
  EXPECT_EQ(values<float>(result[0]), (std::vector<float>{2, 2, 6, 4, 0, 6}));
}

TEST(OnnxFunctions, AFunctionMayReturnItsArgument) {
  LeakyModel leaky;
  leaky.function->clear_node();
  leaky.function->set_output(0, "a");
  const Graph graph = load(leaky.model);
  EXPECT_EQ(graph.outputs()[0].value, graph.inputs()[0]);
  EXPECT_EQ(graph.value(graph.inputs()[0]).name, "x");
}

TEST(OnnxFunctions, UseTheirOwnOpset) {
  LeakyModel leaky;
  leaky.function->clear_node();
  leaky.function->mutable_opset_import(0)->set_version(11);
  onnx::NodeProto* node = add_node(leaky.function, "ReduceSum", {"a"}, {"b"});
  set_attr(node, "axes", std::vector<int64_t>{1});  // an input since version 13
  EXPECT_EQ(load(leaky.model).node(0).inputs.size(), 2u);
}

struct BadFunction {
  const char* name;
  void (*spoil)(LeakyModel&);
  const char* message;
};

const BadFunction kBadFunctions[] = {
    {"recursion", [](LeakyModel& m) { add_node(m.function, "Leaky", {"a"}, {"r"})->set_domain("local"); },
     "node \"call\" (Leaky): node \"r\" (Leaky): function \"local::Leaky\" calls itself"},
    {"mutual recursion",
     [](LeakyModel& m) {
       onnx::FunctionProto* other = add_function(m.model, "Other", {"a"}, {"b"});
       add_node(other, "Leaky", {"a"}, {"b"})->set_domain("local");
       add_node(m.function, "Other", {"a"}, {"r"})->set_domain("local");
     },
     "function \"local::Leaky\" calls itself"},
    {"missing attribute reference", [](LeakyModel& m) { m.function->clear_attribute(); },
     "attribute \"alpha\": refers to \"alpha\", which is not an attribute of the function"},
    {"reference of another type", [](LeakyModel& m) { set_attr(m.call, "alpha", int64_t{1}); },
     "attribute \"alpha\": has type FLOAT and refers to \"alpha\", which has type INT"},
    {"unknown attribute", [](LeakyModel& m) { set_attr(m.call, "beta", 1.f); },
     "node \"call\" (Leaky): attribute \"beta\" is not one of function \"local::Leaky\""},
    {"defined twice", [](LeakyModel& m) { *m.model.add_functions() = *m.function; },
     "function \"local::Leaky\" is defined twice"},
    {"too many arguments", [](LeakyModel& m) { m.call->add_input("x"); },
     "2 inputs and 1 outputs found, function \"local::Leaky\" has 1 and 1"},
    {"outer values are not seen", [](LeakyModel& m) { m.function->mutable_node(0)->set_input(0, "x"); },
     "node \"call\" (Leaky): node \"t\" (LeakyRelu): value \"x\" is not defined"},
    {"undefined result", [](LeakyModel& m) { m.function->set_output(0, "none"); }, "value \"none\" is not defined"},
    {"opset", [](LeakyModel& m) { m.function->mutable_opset_import(0)->set_version(24); },
     "function \"local::Leaky\": opset 24 of domain \"ai.onnx\" found"},
    {"malformed default",
     [](LeakyModel& m) { m.function->mutable_unknown_fields()->AddLengthDelimited(11, "\x72\x01\xff"); },
     "a default attribute of function \"Leaky\" is malformed"},
    {"unknown field", [](LeakyModel& m) { m.function->mutable_unknown_fields()->AddVarint(3, 1); },
     "FunctionProto \"Leaky\" has field 3"},
};

TEST(OnnxFunctions, BadOnesAreRefused) {
  for (const BadFunction& bad : kBadFunctions) {
    LeakyModel model;
    bad.spoil(model);
    const std::string message = load_error(model.model);
    EXPECT_NE(message.find(bad.message), std::string::npos) << bad.name << ": " << message;
  }
}

// 2^40 copies of a node from a file of some kilobytes.
TEST(OnnxFunctions, ExpansionIsBounded) {
  if (kSanitized) GTEST_SKIP() << "131072 nodes take long, and each is like the last";
  LeakyModel leaky;
  std::string callee = "Leaky";
  for (int i = 0; i < 40; ++i) {
    const std::string name = "F" + std::to_string(i);
    onnx::FunctionProto* function = add_function(leaky.model, name, {"a"}, {"b"});
    add_node(function, callee, {"a"}, {"t"})->set_domain("local");
    add_node(function, callee, {"t"}, {"b"})->set_domain("local");
    callee = name;
  }
  leaky.call->set_op_type(callee);
  EXPECT_NE(load_error(leaky.model).find("function calls expand to more than 131072 nodes"), std::string::npos);
}

}  // namespace
}  // namespace neural_engine
