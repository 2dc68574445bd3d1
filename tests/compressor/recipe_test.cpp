// Recipes: YAML and C++ say the same; later settings win; what fits nothing is refused.
#include "compressor/recipe.h"

#include <gtest/gtest.h>

#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::error_of;

std::vector<Target> targets() {
  return {{.kind = TargetKind::kLinear, .name = "/encoder/layer.0/query", .aliases = {"encoder.layer.0.output.weight"}},
          {.kind = TargetKind::kLinear, .name = "/encoder/layer.1/query", .aliases = {}},
          {.kind = TargetKind::kEmbedding, .name = "/embeddings/Gather", .aliases = {}}};
}

constexpr const char* kYaml = R"(
version: 1
global:
  approach: dynamic
  activation: {observer: percentile, percentile: 99.9}
op_types:
  Embedding: {precision: fp32}
ops:
  - name: "encoder.*output"
    precision: bf16
    weight: {granularity: per_tensor, reduce_range: true}
smooth_quant: {alpha: 0.7}
bias_correction: true
mask_input: mask
)";

TEST(Recipe, YamlSaysWhatTheCallsSay) {
  Recipe expected;
  expected.set_global({.approach = Approach::kDynamic, .observer = Observer::kPercentile, .percentile = 99.9});
  expected.set_type("Embedding", {.precision = OpPrecision::kF32});
  expected.set_local("encoder.*output",
                     {.precision = OpPrecision::kBF16, .weight_per_channel = false, .weight_reduce_range = true});
  expected.smooth = {.enabled = true, .alpha = SmoothSettings::Alpha::kFixed, .value = 0.7};
  expected.bias_correction = true;
  expected.mask_input = "mask";
  EXPECT_EQ(Recipe::parse(kYaml), expected);
}

TEST(Recipe, WhatIsWrittenIsReadBack) {
  const Recipe recipe = Recipe::parse(kYaml);
  EXPECT_EQ(Recipe::parse(recipe.yaml()), recipe);
  EXPECT_EQ(Recipe::parse(Recipe().yaml()), Recipe());
  Recipe odd;
  odd.set_local("a\"b\\\\.c: [x]", {.scheme = Scheme::kMxnet, .activation_dtype = DType::kS8});
  odd.smooth.alpha = SmoothSettings::Alpha::kPerLayer;
  EXPECT_EQ(Recipe::parse(odd.yaml()), odd);
}

TEST(Recipe, GlobalThenTypeThenName) {
  Recipe recipe;
  recipe.set_local("layer.1", {.precision = OpPrecision::kInt8});
  recipe.set_type("Linear", {.precision = OpPrecision::kBF16});
  recipe.set_global({.precision = OpPrecision::kF32});
  const std::vector<Settings> found = resolve(recipe, targets());
  EXPECT_EQ(found[0].precision, OpPrecision::kBF16);
  EXPECT_EQ(found[1].precision, OpPrecision::kInt8);
  EXPECT_EQ(found[2].precision, OpPrecision::kF32);
}

TEST(Recipe, LaterOnesWinAndOnlyInWhatTheySay) {
  Recipe recipe;
  recipe.set_local("encoder", {.precision = OpPrecision::kF32, .observer = Observer::kMse});
  recipe.set_local("encoder.*output", {.precision = OpPrecision::kInt8});  // through the name of a constant
  const std::vector<Settings> found = resolve(recipe, targets());
  EXPECT_EQ(found[0].precision, OpPrecision::kInt8);
  EXPECT_EQ(found[0].observer, Observer::kMse);
  EXPECT_EQ(found[1].precision, OpPrecision::kF32);
}

TEST(Recipe, RefusesWhatMatchesNothing) {
  Recipe recipe;
  recipe.set_local("decoder", {});
  EXPECT_NE(error_of([&] { resolve(recipe, targets()); }).find("\"decoder\" matches no operation"), std::string::npos);
  Recipe typed;
  typed.set_type("Attention", {});
  EXPECT_NE(error_of([&] { resolve(typed, targets()); }).find("no such operation"), std::string::npos);
}

TEST(Recipe, RefusesWhatExcludesEachOther) {
  Recipe recipe;
  recipe.set_global({.scheme = Scheme::kTensorFlow, .activation_symmetric = false});
  EXPECT_NE(error_of([&] { resolve(recipe, targets()); }).find("no asymmetric form"), std::string::npos);
  recipe.set_global({.activation_symmetric = true});
  EXPECT_TRUE(resolve(recipe, targets())[0].activation.symmetric);
  Recipe silent;
  silent.set_global({.scheme = Scheme::kTensorFlow});
  EXPECT_TRUE(resolve(silent, targets())[0].activation.symmetric);
  Recipe dynamic;
  dynamic.set_global({.approach = Approach::kDynamic, .activation_dtype = DType::kS8});
  EXPECT_NE(error_of([&] { resolve(dynamic, targets()); }).find("dynamic"), std::string::npos);
}

struct BadYaml {
  const char* yaml;
  const char* message;
};

TEST(Recipe, RefusesBadYamlWithItsLine) {
  const BadYaml cases[] = {
      {"global: {}", "version is missing"},
      {"version: 2", "line 1: version 2 found"},
      {"version: 1\nglobl: {}", "line 2: \"globl\" is no key of the recipe"},
      {"version: 1\nglobal: {precision: int9}", "line 2: precision is \"int9\", expected one of fp32, bf16, int8"},
      {"version: 1\nglobal: {precision: int8, precision: fp32}", "given twice"},
      {"version: 1\nglobal: {activation: {percentile: 20}}", "percentile is 20"},
      {"version: 1\nglobal: {activation: {symmetric: perhaps}}", "symmetric is not true or false"},
      {"version: 1\nglobal: [1]", "global is not a map"},
      {"version: 1\nops: [{precision: fp32}]", "has no name"},
      {"version: 1\nops: [{name: '(', precision: fp32}]", "no regular expression"},
      {"version: 1\nop_types: {Pooling: {}}", "\"Pooling\" is no type"},
      {"version: 1\nsmooth_quant: {alpha: 1.5}", "alpha is neither"},
      {"version: 1\nglobal: {", "line"},
      {"- 1", "the recipe is not a map"},
  };
  for (const BadYaml& each : cases) {
    const std::string error = error_of([&] { Recipe::parse(each.yaml); });
    EXPECT_NE(error.find(each.message), std::string::npos) << each.yaml << "\n" << error;
  }
  EXPECT_NE(error_of([] { Recipe::load("/no/such/recipe.yaml"); }).find("/no/such/recipe.yaml"), std::string::npos);
}

TEST(Recipe, DeeplyNestedYamlIsRefused) {
  EXPECT_NE(error_of([] { Recipe::parse("version: " + std::string(100000, '[')); }), "");
}

}  // namespace
}  // namespace neural_engine
