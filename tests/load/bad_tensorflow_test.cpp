// Bad TensorFlow graphs, each with the message that it must get.
#include <gtest/gtest.h>

#include <functional>

#include "tensorflow_model.h"

namespace neural_engine {
namespace {

using testing::add_tf_const;
using testing::add_tf_floats;
using testing::add_tf_input;
using testing::add_tf_ints;
using testing::add_tf_node;
using testing::kTfFloat;
using testing::kTfInt32;
using testing::load_error;
using testing::relu_graph;
using testing::tf_attr;
using tf::GraphDef;

struct BadGraph {
  const char* name;
  std::function<void(GraphDef&)> spoil;  // a graph of x -> Relu "node"
  const char* message;
};

tf::NodeDef* node(GraphDef& graph) { return graph.mutable_node(1); }

// A function f(a) = Relu(a), called by "node".
tf::FunctionDef* call_function(GraphDef& graph) {
  tf::FunctionDef* function = graph.mutable_library()->add_function();
  function->mutable_signature()->set_name("f");
  function->mutable_signature()->add_input_arg()->set_name("a");
  function->mutable_signature()->add_output_arg()->set_name("b");
  add_tf_node(function->mutable_node_def(), "Relu", "inner", {"a"});
  (*function->mutable_ret())["b"] = "inner:activations:0";
  node(graph)->set_op("PartitionedCall");
  node(graph)->clear_attr();
  tf_attr(node(graph), "f").mutable_func()->set_name("f");
  return function;
}

// A QuantizedMatMulWithBias "p" of constants, and a node that reads its outputs, or the ends of another range.
tf::NodeDef* quantized_product(GraphDef& graph, const char* reader, const std::vector<std::string>& inputs) {
  constexpr int kTfQint8 = 11, kTfQuint8 = 12, kTfQint32 = 13;
  add_tf_const(graph.mutable_node(), "p/a", {1, 2}, kTfQuint8)->add_int_val(3);
  add_tf_const(graph.mutable_node(), "p/b", {2, 1}, kTfQint8)->add_int_val(4);
  add_tf_floats(&graph, "p/bias", {1}, {1});
  add_tf_floats(&graph, "p/low", {}, {-1});
  add_tf_floats(&graph, "p/high", {}, {1});
  tf::NodeDef* product = add_tf_node(&graph, "QuantizedMatMulWithBias", "p",
                                     {"p/a", "p/b", "p/bias", "p/low", "p/high", "p/low", "p/high"});
  tf_attr(product, "Toutput").set_type(kTfQint32);
  tf_attr(product, "input_quant_mode").set_s("SCALED");
  std::vector<std::string> operands;
  for (const std::string& input : inputs) operands.push_back("p" + input);
  return add_tf_node(&graph, reader, "reader", operands);
}

const BadGraph kBadGraphs[] = {
    {"unknown operator", [](GraphDef& g) { node(g)->set_op("Relux"); },
     "unsupported: model in memory: node \"node\" (Relux): operator Relux is not supported"},
    {"hash table", [](GraphDef& g) { node(g)->set_op("LookupTableFindV2"); },
     "operator LookupTableFindV2 is not supported: hash tables are not supported"},
    {"string operator", [](GraphDef& g) { node(g)->set_op("StringSplitV2"); }, "strings are not supported"},
    {"unknown attribute", [](GraphDef& g) { tf_attr(node(g), "alpha").set_f(1); },
     "unsupported: model in memory: node \"node\" (Relu): attribute \"alpha\" is not one of the operator's here"},
    {"attribute of a type", [](GraphDef& g) { tf_attr(node(g), "T").set_type(kTfInt32); },
     "invalid model: model in memory: node \"node\" (Relu): attribute \"T\" says DT_INT32, input 0 has dtype f32"},
    {"attribute of another type",
     [](GraphDef& g) {
       node(g)->set_op("LeakyRelu");
       tf_attr(node(g), "alpha").set_i(1);
     },
     "attribute \"alpha\" has type int, expected float"},
    {"attribute of the function around", [](GraphDef& g) { tf_attr(node(g), "T").set_placeholder("T"); },
     "attribute \"T\" is an argument of the function around"},
    {"missing attribute", [](GraphDef& g) { node(g)->set_op("Cast"); }, "attribute \"DstT\" is missing"},

    {"no such node", [](GraphDef& g) { node(g)->set_input(0, "z"); },
     "invalid model: model in memory: node \"node\" (Relu): there is no node \"z\""},
    {"no such output", [](GraphDef& g) { node(g)->set_input(0, "x:1"); },
     "output 1 of node \"x\" (Placeholder) is used, it has 1"},
    {"output number", [](GraphDef& g) { node(g)->set_input(0, "x:-1"); }, "\"x:-1\" found, expected a node's name"},
    {"huge output number", [](GraphDef& g) { node(g)->set_input(0, "x:99999999999999999999"); },
     "found, expected a node's name"},
    {"input without a name", [](GraphDef& g) { node(g)->set_input(0, ""); }, "an input has no name"},
    {"no node has a name", [](GraphDef& g) { node(g)->set_name(""); }, "a node of operator Relu has no name"},
    {"a name twice", [](GraphDef& g) { node(g)->set_name("x"); }, "two nodes have the name \"x\""},
    {"too few inputs", [](GraphDef& g) { node(g)->clear_input(); }, "0 inputs found, expected 1"},
    {"too many inputs", [](GraphDef& g) { node(g)->add_input("x"); }, "2 inputs found, expected 1"},
    {"one input too many",
     [](GraphDef& g) {
       node(g)->set_op("Rsqrt");
       node(g)->add_input("x");
     },
     "input 1 is one too many"},
    {"nobody's output",
     [](GraphDef& g) {
       node(g)->set_input(0, "second");
       add_tf_node(&g, "Relu", "second", {"node"});
     },
     "no node is an output"},
    {"cycle",
     [](GraphDef& g) {
       node(g)->set_input(0, "second");
       add_tf_node(&g, "Relu", "second", {"third"});
       add_tf_node(&g, "Relu", "third", {"second"});
     },
     "node \"second\" (Relu) needs itself: the graph has a cycle"},

    {"function of functions", [](GraphDef& g) { (*call_function(g)->mutable_ret())["b"] = "z:0"; },
     "function \"f\": there is no node \"z\""},
    {"missing function", [](GraphDef& g) { call_function(g)->mutable_signature()->set_name("g"); },
     "node \"node\" (PartitionedCall): there is no function \"f\""},
    {"recursion",
     [](GraphDef& g) {
       tf::NodeDef* inner = call_function(g)->mutable_node_def(0);
       inner->set_op("PartitionedCall");
       tf_attr(inner, "f").mutable_func()->set_name("f");
     },
     "function \"f\" calls itself"},
    {"arguments", [](GraphDef& g) { call_function(g)->mutable_signature()->add_input_arg()->set_name("c"); },
     "1 arguments found, function \"f\" takes 2"},
    {"result that is not computed", [](GraphDef& g) { call_function(g)->clear_ret(); }, "output \"b\" is not computed"},
    {"two functions of a name",
     [](GraphDef& g) {
       call_function(g);
       g.mutable_library()->add_function()->mutable_signature()->set_name("f");
     },
     "two functions have the name \"f\""},
    {"attributes of a call",
     [](GraphDef& g) {
       call_function(g);
       (*tf_attr(node(g), "f").mutable_func()->mutable_attr())["T"].set_type(kTfFloat);
     },
     "the function is called with attributes of its own"},

    {"constant without a value",
     [](GraphDef& g) {
       add_tf_node(&g, "Const", "c", {});
       node(g)->set_input(0, "c");
     },
     "node \"c\" (Const): attribute \"value\" is missing"},
    {"constant of another type",
     [](GraphDef& g) {
       add_tf_floats(&g, "c", {1}, {1})->set_dtype(kTfInt32);
       node(g)->set_input(0, "c");
     },
     "attribute \"dtype\" says DT_FLOAT, the value has DT_INT32"},
    {"constant of strings",
     [](GraphDef& g) {
       add_tf_const(g.mutable_node(), "c", {}, 7);
       node(g)->set_input(0, "c");
     },
     "input 0 is a string, a tensor is supported here"},
    {"constant of complex numbers",
     [](GraphDef& g) {
       add_tf_const(g.mutable_node(), "c", {}, 8);
       node(g)->set_input(0, "c");
     },
     "DT_COMPLEX64 found, which is not supported here"},
    {"constant of a negative shape",
     [](GraphDef& g) {
       add_tf_floats(&g, "c", {-3}, {});
       node(g)->set_input(0, "c");
     },
     "dimension 0 is -3, expected 0 or more, or -1"},
    {"constant of an open shape",
     [](GraphDef& g) {
       add_tf_floats(&g, "c", {-1}, {});
       node(g)->set_input(0, "c");
     },
     "a shape with unknown dimensions found, expected numbers"},
    {"constant whose shape overflows",
     [](GraphDef& g) {
       add_tf_floats(&g, "c", {1 << 30, 1 << 30, 1 << 30}, {});
       node(g)->set_input(0, "c");
     },
     "overflows"},
    {"one value for a terabyte",
     [](GraphDef& g) {
       add_tf_floats(&g, "c", {1 << 20, 1 << 18}, {1});
       node(g)->set_input(0, "c");
     },
     "constants that repeat one value take more than 64 MiB"},
    {"constant of too many values",
     [](GraphDef& g) {
       add_tf_floats(&g, "c", {1}, {1, 2});
       node(g)->set_input(0, "c");
     },
     "a constant holds 2 values, shape [1] takes 1"},
    {"constant of too few bytes",
     [](GraphDef& g) {
       add_tf_floats(&g, "c", {2}, {})->set_tensor_content("1234");
       node(g)->set_input(0, "c");
     },
     "a tensor of 4 bytes found, shape [2] of f32 takes 8"},
    {"constant of a bool that is 2",
     [](GraphDef& g) {
       add_tf_const(g.mutable_node(), "c", {1}, testing::kTfBool)->set_tensor_content("\2");
       node(g)->set_op("LogicalNot");
       node(g)->clear_attr();
       node(g)->set_input(0, "c");
     },
     "element 0 of a bool tensor is 2, expected 0 or 1"},
    {"constant of an int8 that is 300",
     [](GraphDef& g) {
       add_tf_const(g.mutable_node(), "c", {1}, 6)->add_int_val(300);
       node(g)->clear_attr();
       node(g)->set_input(0, "c");
     },
     "element 0 is 300, which is not a s8"},
    {"input of strings", [](GraphDef& g) { tf_attr(g.mutable_node(0), "dtype").set_type(7); },
     "input \"x\": DT_STRING found, which is not supported here"},

    {"variable",
     [](GraphDef& g) {
       add_tf_node(&g, "VarHandleOp", "v", {});
       node(g)->set_op("ReadVariableOp");
       node(g)->clear_attr();
       tf_attr(node(g), "dtype").set_type(kTfFloat);
       node(g)->set_input(0, "v");
     },
     "variable \"v\" has no value: freeze the graph"},
    {"permutation that is computed",
     [](GraphDef& g) {
       add_tf_input(&g, "perm", {2}, kTfInt32);
       node(g)->set_op("Transpose");
       node(g)->add_input("perm");
     },
     "unsupported: model in memory: node \"node\" (Transpose): perm is computed when the model runs"},
    {"permutation out of range",
     [](GraphDef& g) {
       add_tf_ints(&g, "perm", {0, 2});
       node(g)->set_op("Transpose");
       node(g)->add_input("perm");
     },
     "axis 2 found, expected -2 to 1"},
    {"switch that is not known",
     [](GraphDef& g) {
       add_tf_input(&g, "c", {}, testing::kTfBool);
       node(g)->set_op("Switch");
       node(g)->add_input("c");
     },
     "the condition is computed when the model runs; a constant is supported"},
    {"stride 0",
     [](GraphDef& g) {
       add_tf_ints(&g, "zero", {0});
       node(g)->set_op("StridedSlice");
       for (int i = 0; i < 3; ++i) node(g)->add_input("zero");
     },
     "stride 0 found"},
    {"slice of too many dimensions",
     [](GraphDef& g) {
       add_tf_ints(&g, "i", {0, 0, 0});
       add_tf_ints(&g, "one", {1, 1, 1});
       node(g)->set_op("StridedSlice");
       for (const char* input : {"i", "one", "one"}) node(g)->add_input(input);
     },
     "node \"node\" (Slice)"},
    {"negative index",
     [](GraphDef& g) {
       node(g)->set_op("GatherV2");
       node(g)->clear_attr();
       add_tf_ints(&g, "i", {1, -1});
       add_tf_ints(&g, "axis", {0}, true);
       node(g)->add_input("i");
       node(g)->add_input("axis");
     },
     "index -1 found, expected 0 or more"},
    {"ignored bad indices",
     [](GraphDef& g) {
       node(g)->set_op("GatherNd");
       node(g)->clear_attr();
       tf_attr(node(g), "bad_indices_policy").set_s("IGNORE");
     },
     "bad_indices_policy IGNORE found, supported are DEFAULT and ERROR"},
    {"range of a 32-bit product", [](GraphDef& g) { tf_attr(quantized_product(g, "Relu", {":1"}), "T").set_type(1); },
     "input 0 is the range of a quantized product of 32 bits, a tensor is supported here"},
    {"numbers of a 32-bit product", [](GraphDef& g) { quantized_product(g, "Relu", {""}); },
     "input 0 is a quantized product of 32 bits, a tensor is supported here"},
    {"another range for a 32-bit product",
     [](GraphDef& g) {
       quantized_product(g, "Dequantize", {"", "/low", "/high"});
     },
     "input 1 is not an end of the range of input 0, a quantized product of 32 bits"},
    {"affine product with a bias",
     [](GraphDef& g) {
       quantized_product(g, "Identity", {""});
       for (tf::NodeDef& each : *g.mutable_node()) {
         if (each.name() == "p") each.mutable_attr()->erase("input_quant_mode");
       }
     },
     "input_quant_mode MIN_FIRST found, SCALED is supported"},
    {"rounding to even of affine integers",
     [](GraphDef& g) {
       add_tf_floats(&g, "low", {}, {-1});
       add_tf_floats(&g, "high", {}, {1});
       node(g)->set_op("QuantizeV2");
       node(g)->clear_attr();
       tf_attr(node(g), "T").set_type(12);
       tf_attr(node(g), "round_mode").set_s("HALF_TO_EVEN");
       node(g)->add_input("low");
       node(g)->add_input("high");
     },
     "round_mode HALF_TO_EVEN found with mode MIN_COMBINED"},
    {"training",
     [](GraphDef& g) {
       node(g)->set_op("FusedBatchNormV3");
       tf_attr(node(g), "is_training").set_b(true);
     },
     "attribute \"is_training\" is true, false is supported"},
    {"quantization of an empty range",
     [](GraphDef& g) {
       node(g)->set_op("FakeQuantWithMinMaxArgs");
       node(g)->clear_attr();
       tf_attr(node(g), "min").set_f(1);
       tf_attr(node(g), "max").set_f(1);
     },
     "the range is 1 to 1"},
    {"4-bit quantization",
     [](GraphDef& g) {
       node(g)->set_op("FakeQuantWithMinMaxArgs");
       node(g)->clear_attr();
       tf_attr(node(g), "num_bits").set_i(4);
     },
     "num_bits 4 found, 8 is supported"},
};

TEST(BadTensorFlow, EachGetsItsMessage) {
  ASSERT_EQ(load_error(relu_graph()), "");
  for (const BadGraph& bad : kBadGraphs) {
    SCOPED_TRACE(bad.name);
    GraphDef graph = relu_graph();
    bad.spoil(graph);
    const std::string error = load_error(graph);
    EXPECT_NE(error.find(bad.message), std::string::npos) << error;
  }
}

// What cannot be parsed at all, and each prefix of a graph that can.
TEST(BadTensorFlow, BytesThatAreNoGraph) {
  const auto error_of = [](const std::string& bytes) {
    try {
      load_frozen_graph(std::as_bytes(std::span(bytes)));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(error_of(""), "model in memory: the file is empty");
  EXPECT_NE(error_of("\x0a\xff\x01").find("the file is truncated or malformed"), std::string::npos);
  GraphDef graph = relu_graph();
  add_tf_floats(&graph, "c", {2, 2}, {})->set_tensor_content(std::string(16, 'a'));
  const std::string bytes = graph.SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    try {
      load_frozen_graph(std::as_bytes(std::span(bytes).subspan(0, size)));
    } catch (const Error& error) {
      EXPECT_NE(error.code(), Code::kInternal) << error.what();
    }
  }
}

// Chains of nodes and of calls are walked, not recursed into, or refused.
TEST(BadTensorFlow, DeepGraphs) {
  GraphDef graph = relu_graph();
  std::string last = "node";
  for (int i = 0; i < 50000; ++i) {
    const std::string name = "n" + std::to_string(i);
    add_tf_node(&graph, "Identity", name, {last});
    last = name;
  }
  EXPECT_EQ(load_error(graph), "");

  GraphDef calls = relu_graph();
  call_function(calls);
  for (int i = 0; i < 100; ++i) {
    tf::FunctionDef* function = calls.mutable_library()->add_function();
    *function = calls.library().function(0);
    function->mutable_signature()->set_name("f" + std::to_string(i));
    if (i > 0) {
      function->mutable_node_def(0)->set_op("PartitionedCall");
      tf_attr(function->mutable_node_def(0), "f").mutable_func()->set_name("f" + std::to_string(i - 1));
    }
  }
  tf_attr(node(calls), "f").mutable_func()->set_name("f99");
  EXPECT_NE(load_error(calls).find("functions are nested more than 64 deep"), std::string::npos);
}

// Each function calls the next twice: 2^40 nodes from a few kilobytes.
TEST(BadTensorFlow, CallsThatMultiply) {
  GraphDef graph = relu_graph();
  call_function(graph);
  for (int i = 0; i < 40; ++i) {
    tf::FunctionDef* function = graph.mutable_library()->add_function();
    function->mutable_signature()->set_name("f" + std::to_string(i));
    function->mutable_signature()->add_input_arg()->set_name("a");
    function->mutable_signature()->add_output_arg()->set_name("b");
    const std::string callee = i == 0 ? "f" : "f" + std::to_string(i - 1);
    for (const char* name : {"left", "right"}) {
      tf::NodeDef* call = add_tf_node(function->mutable_node_def(), "PartitionedCall", name, {"a"});
      tf_attr(call, "f").mutable_func()->set_name(callee);
    }
    add_tf_node(function->mutable_node_def(), "AddV2", "sum", {"left:output:0", "right:output:0"});
    (*function->mutable_ret())["b"] = "sum:z:0";
  }
  tf_attr(node(graph), "f").mutable_func()->set_name("f39");
  EXPECT_NE(load_error(graph).find("function calls and loops expand to more than 262144 nodes"), std::string::npos);
}

}  // namespace
}  // namespace neural_engine
