// The ops behind ai.onnx.ml's operators; tests/data/ml compares whole models with ONNX Runtime.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using Ints = std::vector<int64_t>;
using testing::run_op;
using testing::values;

Tensor doubles(const std::vector<double>& v) { return Tensor::of<double>({static_cast<int64_t>(v.size())}, v); }

// x0 <= 0.5 ? 10 : (x1 is 2 or 3 ? 20 : 30 to target 1 and 5 to target 0)
Attrs two_branches() {
  return {{"mode", Ints{1, 0, 7, 0, 0}},
          {"feature", Ints{0, 0, 1, 0, 0}},
          {"split", doubles({0.5, 0, 0, 0, 0})},
          {"yes", Ints{1, 0, 3, 0, 0}},
          {"no", Ints{2, 0, 4, 0, 0}},
          {"missing_yes", Ints{1, 0, 0, 0, 0}},
          {"member_begin", Ints{0, 0, 0, 2, 2, 2}},
          {"members", doubles({2, 3})},
          {"leaf_begin", Ints{0, 0, 1, 1, 2, 4}},
          {"leaf_target", Ints{0, 0, 1, 0}},
          {"leaf_weight", doubles({10, 20, 30, 5})},
          {"roots", Ints{0}},
          {"targets", int64_t{2}}};
}

TEST(DecisionTrees, Walks) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = Tensor::of<float>({5, 2}, {0.5f, 0, 0.6f, 3, 0.6f, 4, nan, 2, 1.f, nan});
  const Tensor y = run_op("DecisionTrees", {x}, two_branches())[0];
  EXPECT_EQ(y.shape(), (Shape{5, 2}));
  EXPECT_EQ(values<float>(y), (std::vector<float>{10, 0, 20, 0, 5, 30, 10, 0, 5, 30}));
}

TEST(DecisionTrees, Aggregates) {
  const Tensor x = Tensor::of<double>({1, 2}, {0.7, 2});
  const std::pair<const char*, float> expected[] = {{"SUM", 30}, {"AVERAGE", 15}, {"MIN", 10}, {"MAX", 20}};
  for (const auto& [aggregate, value] : expected) {
    Attrs attrs = two_branches();
    attrs.set("roots", Ints{0, 1});
    attrs.set("aggregate", std::string(aggregate));
    EXPECT_EQ(values<float>(run_op("DecisionTrees", {x}, attrs)[0])[0], value) << aggregate;
  }
}

TEST(DecisionTrees, RefusesWhatCannotBeWalked) {
  const Tensor x = Tensor::of<float>({1, 2}, {0, 0});
  const auto refused = [&](const char* name, AttrValue value) {
    Attrs attrs = two_branches();
    attrs.set(name, std::move(value));
    EXPECT_THROW(run_op("DecisionTrees", {x}, attrs), Error) << name;
  };
  refused("yes", Ints{0, 0, 3, 0, 0});  // a circle
  refused("no", Ints{2, 0, 5, 0, 0});
  refused("yes", Ints{1, 0, 3});
  refused("mode", Ints{8, 0, 7, 0, 0});
  refused("feature", Ints{2, 0, 1, 0, 0});
  refused("feature", Ints{-1, 0, 1, 0, 0});
  refused("roots", Ints{5});
  refused("split", doubles({0.5}));
  refused("leaf_begin", Ints{0, 0, 1, 1, 2, 3});
  refused("leaf_begin", Ints{0, 0, 2, 1, 2, 4});
  refused("leaf_target", Ints{0, 0, 2, 0});
  refused("member_begin", Ints{0, 0, 0, 3, 3, 3});
  refused("targets", int64_t{0});
  refused("aggregate", std::string("MEDIAN"));
}

TEST(SquaredDistance, OfEachTwoRows) {
  const Tensor a = Tensor::of<float>({2, 3}, {0, 0, 0, 1, 2, 3}), b = Tensor::of<float>({2, 3}, {1, 2, 2, -1, 0, 0});
  EXPECT_EQ(values<float>(run_op("SquaredDistance", {a, b})[0]), (std::vector<float>{9, 1, 1, 17}));
  EXPECT_THROW(run_op("SquaredDistance", {a, Tensor::of<float>({1, 2}, {0, 0})}), Error);
}

TEST(PairwiseVote, CountsPairs) {
  // Class 1 beats 0 and 2; then all win once and the first counts.
  const Tensor x = Tensor::of<float>({2, 3}, {-1, 1, 2, 1, -1, 1});
  const Attrs attrs = {{"classes", int64_t{3}}};
  EXPECT_EQ(values<int64_t>(run_op("PairwiseVote", {x}, attrs)[0]), (Ints{1, 0}));
  EXPECT_THROW(run_op("PairwiseVote", {Tensor::of<float>({1, 2}, {0, 0})}, attrs), Error);
  EXPECT_THROW(run_op("PairwiseVote", {x}, attrs, 2), Error) << "no prob_a";
}

TEST(PairwiseVote, CouplesProbabilities) {
  const Attrs attrs = {
      {"classes", int64_t{3}}, {"prob_a", std::vector<float>{-1, -1, -1}}, {"prob_b", std::vector<float>{0, 0, 0}}};
  // r(i,j) = p(i) / (p(i) + p(j)) for p = (1,2,5)/8: the coupling finds p.
  const auto logit = [](float i, float j) { return std::log(i / j); };
  const Tensor x = Tensor::of<float>({1, 3}, {logit(1, 2), logit(1, 5), logit(2, 5)});
  const std::vector<Tensor> both = run_op("PairwiseVote", {x}, attrs, 2);
  EXPECT_EQ(values<int64_t>(both[0]), (Ints{2}));
  const std::vector<float> p = values<float>(both[1]);
  EXPECT_NEAR(p[0], 0.125, 2e-3);
  EXPECT_NEAR(p[1], 0.25, 2e-3);
  EXPECT_NEAR(p[2], 0.625, 2e-3);
}

TEST(LabelEncoder, MapsNanToo) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Attrs attrs = {{"keys", Tensor::of<float>({2}, {1.5f, nan})},
                       {"values", Tensor::of<int64_t>({2}, {7, 8})},
                       {"default", Tensor::scalar<int64_t>(-1)}};
  EXPECT_EQ(values<int64_t>(run_op("LabelEncoder", {Tensor::of<float>({3}, {nan, 1.5f, 2})}, attrs)[0]),
            (Ints{8, 7, -1}));
  EXPECT_THROW(run_op("LabelEncoder", {Tensor::of<int64_t>({1}, {1})}, attrs), Error) << "another dtype";
}

TEST(CategoryOneHot, RefusesUnknownOnesWhenStrict) {
  const Tensor x = Tensor::of<int64_t>({2}, {5, 3});
  const Attrs attrs = {{"categories", Ints{3, 4}}};
  EXPECT_EQ(values<float>(run_op("CategoryOneHot", {x}, attrs)[0]), (std::vector<float>{0, 0, 1, 0}));
  Attrs strict = attrs;
  strict.set("strict", int64_t{1});
  EXPECT_THROW(run_op("CategoryOneHot", {x}, strict), Error);
}

}  // namespace
}  // namespace neural_engine
