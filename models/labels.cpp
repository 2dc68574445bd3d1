#include "models/labels.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace neural_engine {

namespace {

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(std::move(line));
  }
  require(!file.bad(), Code::kIo, path, ": cannot be read");
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::vector<std::string> read_id2label(const std::string& path) {
  std::ifstream file(path);
  const nlohmann::json config = nlohmann::json::parse(file, nullptr, false);
  require(config.is_object(), Code::kInvalidData, path, ": is not a JSON object");
  const auto it = config.find("id2label");
  if (it == config.end() || !it->is_object()) return {};
  std::vector<std::string> labels;
  for (size_t i = 0; i < it->size(); ++i) {
    const auto label = it->find(std::to_string(i));
    require(label != it->end() && label->is_string(), Code::kInvalidData, path, ": id2label has no name for label ", i);
    labels.push_back(label->get<std::string>());
  }
  return labels;
}

}  // namespace

std::vector<std::string> read_labels(const std::string& folder) {
  const std::filesystem::path base(folder);
  if (std::filesystem::exists(base / "labels.txt")) return read_lines((base / "labels.txt").string());
  if (std::filesystem::exists(base / "config.json")) return read_id2label((base / "config.json").string());
  return {};
}

}  // namespace neural_engine
