#include "models/labelled_text.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>

#include "base/error.h"

namespace neural_engine {

namespace {

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> columns;
  for (;;) {
    const size_t tab = line.find('\t');
    columns.push_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return columns;
    line.remove_prefix(tab + 1);
  }
}

bool read_line(std::ifstream& file, std::string& line) {
  if (!std::getline(file, line)) return false;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return true;
}

// The position of a column; columns.size() when there is none.
size_t find(const std::vector<std::string_view>& columns, std::string_view name) {
  return static_cast<size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
}

double parse_label(std::string_view word, const std::string& path, int64_t number) {
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  require(error == std::errc() && end == word.data() + word.size(), Code::kInvalidData, path, ": line ", number,
          ": label \"", std::string(word), "\" is not a number");
  return value;
}

LabelledText read(const std::string& path, bool labelled, int64_t max_rows) {
  std::ifstream file(path);
  require(file.good(), Code::kIo, path, ": cannot be opened");
  std::string line;
  read_line(file, line);
  const std::string header_line = line;
  const std::vector<std::string_view> header = split(header_line);
  const size_t label = find(header, "label");
  const bool paired = find(header, "text") == header.size();
  const size_t text_column = find(header, paired ? "text1" : "text"), pair = find(header, "text2");
  const bool complete =
      (label < header.size() || !labelled) && text_column < header.size() && (!paired || pair < header.size());
  require(complete, Code::kInvalidData, path, ": line 1: the header is \"", header_line, "\", expected the columns ",
          labelled ? "label and " : "", "text, or ", labelled ? "label, " : "", "text1 and text2");

  LabelledText data;
  for (int64_t number = 2; number < max_rows + 2 && read_line(file, line); ++number) {
    const std::vector<std::string_view> columns = split(line);
    require(columns.size() == header.size(), Code::kInvalidData, path, ": line ", number, ": ", columns.size(),
            " columns found, the header has ", header.size());
    if (label < header.size()) data.labels.push_back(parse_label(columns[label], path, number));
    data.texts.emplace_back(columns[text_column]);
    if (paired) data.pairs.emplace_back(columns[pair]);
  }
  require(!file.bad(), Code::kIo, path, ": cannot be read");
  require(!data.texts.empty(), Code::kInvalidData, path, ": has no rows");
  return data;
}

}  // namespace

LabelledText read_labelled_text(const std::string& path, int64_t max_rows) {
  return read(path, /*labelled=*/true, max_rows);
}

LabelledText read_texts(const std::string& path, int64_t max_rows) { return read(path, /*labelled=*/false, max_rows); }

}  // namespace neural_engine
