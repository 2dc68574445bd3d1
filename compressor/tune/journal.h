// A file of results that outlives a search that is cut off: one JSON object per line, appended as results come. A line
// that a kill cut short is left out when the file is read.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace neural_engine {

class Journal {
 public:
  // Reads what is there. No path: keeps results in memory only. Error(kInvalidData) when the file is no journal, or one
  // of a search with another fingerprint.
  Journal(const std::string& path, const std::string& fingerprint);

  // The result of this kind and key; nullptr: none yet.
  const nlohmann::json* find(const std::string& kind, const std::string& key) const;
  // Error(kIo) when it cannot be written.
  void add(const std::string& kind, const std::string& key, const nlohmann::json& result);
  // Deletes the file: the search came to its end.
  void discard();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  size_t read(const std::string& content, const std::string& fingerprint);
  void append(const nlohmann::json& line);

  std::string path_;
  std::map<std::pair<std::string, std::string>, nlohmann::json> results_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace neural_engine
