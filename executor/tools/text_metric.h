// A metric of a text model on labelled texts.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/labelled_text.h"
#include "neural_engine/text.h"

namespace neural_engine::tools {

struct Predictions {
  std::vector<int64_t> labels;
  std::vector<double> values;
};

// UsageError for a metric that there is not.
void check_metric(const std::string& metric);
// accuracy, f1, mcc, pearson or spearman of predictions for the first rows of the data.
double measure(const std::string& metric, const Predictions& predictions, const LabelledText& data);
// Appends the answers for `count` rows from `begin` on.
void predict(TextClassifier& classifier, const LabelledText& data, size_t begin, size_t count,
             Predictions& predictions);

// Half the width of the 95 % interval of the difference of two accuracies on the same rows: only rows that the one has
// right and the other wrong count.
double paired_margin(std::span<const int64_t> reference, std::span<const int64_t> other,
                     std::span<const double> labels);

}  // namespace neural_engine::tools
