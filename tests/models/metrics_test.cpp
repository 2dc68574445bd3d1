#include "models/metrics.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace neural_engine {
namespace {

using Labels = std::vector<int64_t>;
using Values = std::vector<double>;

TEST(Metrics, Accuracy) {
  EXPECT_DOUBLE_EQ(accuracy(Labels{1, 2, 3, 4}, Labels{1, 2, 0, 4}), 0.75);
  EXPECT_THROW(accuracy(Labels{1}, Labels{1, 2}), Error);
  EXPECT_THROW(accuracy(Labels{}, Labels{}), Error);
}

TEST(Metrics, F1OfBinaryLabelsIsThatOfLabelOne) {
  // 2 hits, 1 false alarm, 1 miss: 2*2 / (3 + 3)
  EXPECT_DOUBLE_EQ(f1(Labels{1, 1, 1, 0, 0}, Labels{1, 1, 0, 1, 0}), 2.0 / 3);
}

TEST(Metrics, F1OfManyLabelsIsTheirMean) {
  // label 0: 2/(1+1)... all right; label 1: 0; label 2: 2*1/(2+1)
  EXPECT_DOUBLE_EQ(f1(Labels{0, 2, 2}, Labels{0, 1, 2}), (1.0 + 0.0 + 2.0 / 3) / 3);
}

TEST(Metrics, Mcc) {
  EXPECT_DOUBLE_EQ(mcc(Labels{0, 1, 0, 1}, Labels{0, 1, 0, 1}), 1);
  EXPECT_DOUBLE_EQ(mcc(Labels{1, 0, 1, 0}, Labels{0, 1, 0, 1}), -1);
  EXPECT_DOUBLE_EQ(mcc(Labels{1, 1, 1, 1}, Labels{0, 1, 0, 1}), 0);
  // TP 2, TN 1, FP 1, FN 1: (2*1 - 1*1) / sqrt(3*3*2*2)
  EXPECT_NEAR(mcc(Labels{1, 1, 1, 0, 0}, Labels{1, 1, 0, 0, 1}), 1.0 / 6, 1e-12);
}

TEST(Metrics, Correlations) {
  EXPECT_NEAR(pearson(Values{1, 2, 3}, Values{2, 4, 6}), 1, 1e-12);
  EXPECT_NEAR(pearson(Values{1, 2, 3}, Values{1, 0, 2}), 0.5, 1e-12);
  EXPECT_DOUBLE_EQ(pearson(Values{1, 1, 1}, Values{1, 2, 3}), 0);
  EXPECT_NEAR(spearman(Values{1, 10, 100}, Values{3, 4, 5}), 1, 1e-12);
  EXPECT_NEAR(spearman(Values{1, 2, 2, 3}, Values{1, 2, 2, 3}), 1, 1e-12);
}

}  // namespace
}  // namespace neural_engine
