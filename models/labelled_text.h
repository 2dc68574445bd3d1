// Files of labelled text.
#pragma once

#include <string>
#include <vector>

namespace neural_engine {

struct LabelledText {
  std::vector<double> labels;  // a class's index, or a value
  std::vector<std::string> texts;
  std::vector<std::string> pairs;  // empty when the file has one text per row
};

// Tab-separated UTF-8 with a header line whose columns are `label`, and `text` or `text1` and `text2`; other columns
// are ignored. No quoting. Error(kInvalidData) names the line and what was expected.
LabelledText read_labelled_text(const std::string& path);

}  // namespace neural_engine
