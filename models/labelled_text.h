// Files of labelled text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace neural_engine {

struct LabelledText {
  std::vector<double> labels;  // a class's index, or a value; empty for texts without labels
  std::vector<std::string> texts;
  std::vector<std::string> pairs;  // empty when the file has one text per row
};

inline constexpr int64_t kAllRows = int64_t{1} << 40;

// Tab-separated UTF-8 with a header line whose columns are `label`, and `text` or `text1` and `text2`; other columns
// are ignored. No quoting. Error(kInvalidData) names the line and what was expected.
LabelledText read_labelled_text(const std::string& path, int64_t max_rows = kAllRows);
// The same, where the column `label` may be missing (labels are empty then), of the first `max_rows` rows.
LabelledText read_texts(const std::string& path, int64_t max_rows);

}  // namespace neural_engine
