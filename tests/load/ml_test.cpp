// ai.onnx.ml: what is refused; tests/data/ml compares answers.
#include <gtest/gtest.h>

#include "onnx_model.h"

namespace neural_engine {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Value = std::variant<int64_t, std::string, Ints, Floats, std::vector<std::string>>;
using Attributes = std::vector<std::pair<std::string, Value>>;

std::string error_of(const std::string& op_type, const Attributes& attributes) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(17);
  onnx::OperatorSetIdProto* ml = model.add_opset_import();
  ml->set_domain("ai.onnx.ml");
  ml->set_version(3);
  testing::add_input(model.mutable_graph(), "x", {2, 3});
  const bool classifies = op_type.ends_with("Classifier");
  onnx::NodeProto* node =
      testing::add_node(model.mutable_graph(), op_type, {"x"},
                        classifies ? std::vector<std::string>{"l", "y"} : std::vector<std::string>{"y"});
  node->set_domain("ai.onnx.ml");
  for (const auto& [name, value] : attributes) {
    onnx::AttributeProto* attribute = node->add_attribute();
    attribute->set_name(name);
    if (const auto* number = std::get_if<int64_t>(&value)) {
      attribute->set_type(onnx::AttributeProto::INT);
      attribute->set_i(*number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      attribute->set_type(onnx::AttributeProto::STRING);
      attribute->set_s(*text);
    } else if (const auto* ints = std::get_if<Ints>(&value)) {
      attribute->set_type(onnx::AttributeProto::INTS);
      for (int64_t each : *ints) attribute->add_ints(each);
    } else if (const auto* floats = std::get_if<Floats>(&value)) {
      attribute->set_type(onnx::AttributeProto::FLOATS);
      for (float each : *floats) attribute->add_floats(each);
    } else {
      attribute->set_type(onnx::AttributeProto::STRINGS);
      for (const std::string& each : std::get<std::vector<std::string>>(value)) attribute->add_strings(each);
    }
  }
  testing::add_output(model.mutable_graph(), "y");
  const std::string bytes = model.SerializeAsString();
  try {
    load_onnx(std::as_bytes(std::span(bytes)), "");
    return "no error";
  } catch (const Error& error) {
    return error.what();
  }
}

Attributes replaced(Attributes attributes, const std::string& name, Value value) {
  for (auto& [key, old] : attributes) {
    if (key == name) {
      old = std::move(value);
      return attributes;
    }
  }
  attributes.emplace_back(name, std::move(value));
  return attributes;
}

void expect(const std::string& found, const std::string& expected) {
  EXPECT_NE(found.find(expected), std::string::npos) << "found: " << found << "\nexpected: " << expected;
}

TEST(OnnxMl, RefusesTrees) {
  const Attributes good = {{"nodes_treeids", Ints{0, 0, 0}},
                           {"nodes_nodeids", Ints{0, 1, 2}},
                           {"nodes_featureids", Ints{0, 0, 0}},
                           {"nodes_values", Floats{0.5f, 0, 0}},
                           {"nodes_modes", std::vector<std::string>{"BRANCH_LEQ", "LEAF", "LEAF"}},
                           {"nodes_truenodeids", Ints{1, 0, 0}},
                           {"nodes_falsenodeids", Ints{2, 0, 0}},
                           {"target_treeids", Ints{0, 0}},
                           {"target_nodeids", Ints{1, 2}},
                           {"target_ids", Ints{0, 0}},
                           {"target_weights", Floats{1, 2}}};
  const auto with = [&](const char* name, Value value) {
    return error_of("TreeEnsembleRegressor", replaced(good, name, std::move(value)));
  };
  EXPECT_EQ(error_of("TreeEnsembleRegressor", good), "no error");
  expect(with("nodes_truenodeids", Ints{3, 0, 0}), "tree 0 has no node 3");
  expect(with("nodes_truenodeids", Ints{2, 0, 0}), "two roots");
  expect(with("nodes_truenodeids", Ints{0, 0, 0}), "2 nodes belong to no tree");
  expect(with("nodes_nodeids", Ints{0, 1, 1}), "node 1 of tree 0 is given twice");
  expect(with("nodes_values", Floats{0.5f}), "different lengths");
  expect(with("nodes_modes", std::vector<std::string>{"BRANCH_UP", "LEAF", "LEAF"}), "nodes_modes holds \"BRANCH_UP\"");
  expect(with("nodes_featureids", Ints{3, 0, 0}), "attribute feature holds 3, expected 0 to 2");
  expect(with("target_ids", Ints{0, 1}), "attribute leaf_target holds 1, expected 0 to 0");
  expect(with("target_nodeids", Ints{0, 2}), "which is no leaf");
  expect(with("aggregate_function", std::string("MEDIAN")), "aggregate \"MEDIAN\" found");
  expect(with("post_transform", std::string("PROBIT")), "post_transform \"PROBIT\" found, supported: NONE");
  expect(with("base_values", Floats{1, 2}), "2 base_values found for 1 targets");
  expect(with("nodes_colours", Ints{1}), "attribute \"nodes_colours\" is not one of the operator's");
}

TEST(OnnxMl, RefusesLinearModels) {
  const Attributes good = {
      {"coefficients", Floats{1, 2, 3, 4, 5, 6}}, {"intercepts", Floats{0, 1}}, {"classlabels_ints", Ints{0, 1}}};
  const auto with = [&](const char* name, Value value) {
    return error_of("LinearClassifier", replaced(good, name, std::move(value)));
  };
  EXPECT_EQ(error_of("LinearClassifier", good), "no error");
  expect(with("coefficients", Floats{1, 2, 3, 4, 5}), "5 coefficients found for 2 targets");
  expect(with("coefficients", Floats{}), "0 coefficients found");
  expect(with("intercepts", Floats{1, 2, 3}), "3 intercepts for 2 classes found");
  expect(with("classlabels_strings", std::vector<std::string>{"a", "b"}), "labels that are strings found");
  expect(with("post_transform", std::string("PROBIT")), "PROBIT");
}

TEST(OnnxMl, RefusesSupportVectors) {
  const Attributes good = {{"kernel_type", std::string("RBF")},
                           {"kernel_params", Floats{1, 0, 3}},
                           {"support_vectors", Floats{1, 2, 3, 4, 5, 6}},
                           {"vectors_per_class", Ints{1, 1}},
                           {"coefficients", Floats{1, -1}},
                           {"rho", Floats{0.5f}},
                           {"classlabels_ints", Ints{0, 1}}};
  const auto with = [&](const char* name, Value value) {
    return error_of("SVMClassifier", replaced(good, name, std::move(value)));
  };
  EXPECT_EQ(error_of("SVMClassifier", good), "no error");
  expect(with("vectors_per_class", Ints{1, 2}), "do not fit 2 classes and 3 vectors");
  expect(with("vectors_per_class", Ints{-1, 3}), "vectors_per_class holds -1");
  expect(with("vectors_per_class", Ints{}), "vectors of 0 classes found");
  expect(with("support_vectors", Floats{1, 2, 3}), "3 numbers found for 2 support vectors");
  expect(with("kernel_type", std::string("CHI")), "kernel_type \"CHI\" found");
  expect(with("kernel_params", Floats{1}), "kernel_params has 1 numbers");
  expect(with("coefficients", Floats{1, 1}), "coefficients of one sign");
  expect(with("prob_a", Floats{1}), "do not fit");
}

TEST(OnnxMl, RefusesStringsAndOddLengths) {
  expect(error_of("OneHotEncoder", {{"cats_strings", std::vector<std::string>{"a"}}}),
         "categories that are strings found");
  expect(error_of("LabelEncoder", {{"keys_strings", std::vector<std::string>{"a"}}, {"values_int64s", Ints{1}}}),
         "keys that are strings found");
  expect(error_of("LabelEncoder", {{"keys_floats", Floats{1, 2}}, {"values_int64s", Ints{1}}}),
         "2 keys and 1 values found");
  expect(error_of("Scaler", {{"offset", Floats{1, 2}}, {"scale", Floats{1}}}),
         "\"offset\" has 2 numbers for 3 columns");
  expect(error_of("Imputer", {}), "attribute \"imputed_value_floats\" is missing");
  expect(error_of("Normalizer", {{"norm", std::string("L3")}}), "norm \"L3\" found");
  expect(error_of("DictVectorizer", {}), "operator DictVectorizer of domain \"ai.onnx.ml\" is not supported");
  EXPECT_EQ(error_of("ZipMap", {{"classlabels_int64s", Ints{0, 1, 2}}}), "no error");
}

}  // namespace
}  // namespace neural_engine
