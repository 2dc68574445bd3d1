// JSON files beside models: parsed with bounds, and fields read with their types.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace neural_engine {

// Parses an object. Error(kInvalidModel) for what is no object, is nested deeper than 64 or names a field twice.
nlohmann::json parse_json_object(std::string_view text);
// The same from a file of at most 16 MiB; errors name it.
nlohmann::json read_json_object(const std::string& path);

// Fields of a config.json; null counts as absent, another type is refused. Fields that nothing reads are left alone:
// most of them concern training.
class JsonConfig {
 public:
  explicit JsonConfig(const nlohmann::json& object) : object_(object) {}

  bool has(const char* name) const { return find(name) != nullptr; }
  int64_t integer(const char* name, int64_t low, int64_t high, std::optional<int64_t> otherwise = std::nullopt) const;
  double number(const char* name, std::optional<double> otherwise = std::nullopt) const;
  bool boolean(const char* name, bool otherwise) const;
  std::string string(const char* name, std::optional<std::string> otherwise = std::nullopt) const;
  // nullptr: absent
  const nlohmann::json* find(const char* name) const;

 private:
  const nlohmann::json& object_;
};

}  // namespace neural_engine
