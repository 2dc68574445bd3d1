#include "compressor/tune/journal.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"

namespace neural_engine {

namespace {

using nlohmann::json;
constexpr const char* kFormat = "neural_engine tuning journal 1";

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (file) content << file.rdbuf();
  return content.str();
}

}  // namespace

Journal::Journal(const std::string& path, const std::string& fingerprint) : path_(path) {
  if (path_.empty()) return;
  const std::string content = content_of(path_);
  const size_t whole = read(content, fingerprint);
  // What a kill left half of a line goes away before the next one is appended.
  std::error_code error;
  if (whole < content.size()) std::filesystem::resize_file(path_, whole, error);
  if (!error) file_.reset(std::fopen(path_.c_str(), "ab"));
  require(!error && file_ != nullptr, Code::kIo, path_,
          ": cannot be written: ", error ? error.message() : std::strerror(errno));
  if (whole == 0) append({{"format", kFormat}, {"fingerprint", fingerprint}});
}

// Returns the bytes of whole lines.
size_t Journal::read(const std::string& content, const std::string& fingerprint) {
  size_t begin = 0;
  for (int number = 1;; ++number) {
    const size_t end = content.find('\n', begin);
    if (end == std::string::npos) break;
    const json line = json::parse(content.begin() + static_cast<int64_t>(begin),
                                  content.begin() + static_cast<int64_t>(end), nullptr, /*allow_exceptions=*/false);
    if (number == 1) {
      require(line.is_object() && line.value("format", json()) == kFormat, Code::kInvalidData, path_,
              ": is no tuning journal; give another file, or remove it");
      require(line.value("fingerprint", json()) == fingerprint, Code::kInvalidData, path_,
              ": is the journal of a search with another model, data or settings; remove it to begin anew");
    } else {
      const bool complete = line.is_object() && line.contains("kind") && line["kind"].is_string() &&
                            line.contains("key") && line["key"].is_string() && line.contains("result");
      require(complete, Code::kInvalidData, path_, ": line ", number, " is no result");
      results_[{line["kind"], line["key"]}] = line["result"];
    }
    begin = end + 1;
  }
  return begin;
}

const json* Journal::find(const std::string& kind, const std::string& key) const {
  const auto found = results_.find({kind, key});
  return found == results_.end() ? nullptr : &found->second;
}

void Journal::add(const std::string& kind, const std::string& key, const json& result) {
  results_[{kind, key}] = result;
  if (file_) append({{"kind", kind}, {"key", key}, {"result", result}});
}

void Journal::append(const json& line) {
  const std::string text = line.dump() + "\n";
  const bool written = std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size();
  require(written && std::fflush(file_.get()) == 0, Code::kIo, path_, ": cannot be written: ", std::strerror(errno));
}

void Journal::discard() {
  if (!file_) return;
  file_.reset();
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace neural_engine
