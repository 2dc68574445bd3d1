// Metrics over predictions and references.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace neural_engine {

// Agreement of two label sequences of one length (Error kInvalidArgument otherwise).
double accuracy(std::span<const int64_t> predicted, std::span<const int64_t> expected);
// F1 of label 1 when the labels are 0 and 1, else the mean of the labels' F1 (macro), over the labels that occur.
double f1(std::span<const int64_t> predicted, std::span<const int64_t> expected);
// Matthews' correlation coefficient, for any number of labels (Gorodkin 2004); 0 when one side is constant.
double mcc(std::span<const int64_t> predicted, std::span<const int64_t> expected);
// Pearson's correlation coefficient; 0 when one side is constant.
double pearson(std::span<const double> predicted, std::span<const double> expected);
// Spearman's: Pearson's of the ranks, ties having their mean rank.
double spearman(std::span<const double> predicted, std::span<const double> expected);

// Half the width of the 95 % confidence interval of a rate over n trials (normal approximation).
double rate_margin(double rate, int64_t trials);

}  // namespace neural_engine
