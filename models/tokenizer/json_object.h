// Strict reading of JSON objects: every field is read with its type or refused, and errors name the place.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace neural_engine {

using Json = nlohmann::json;

// Parses a file's text. Throws kInvalidData for what is not JSON, and for values nested deeper than 64.
Json parse_json(std::string_view text);

// A short name of a value's type: "an object", "a number"...
const char* describe(const Json& value);

class JsonObject {
 public:
  // `path` names the object in errors, as in `normalizer.normalizers[1]`. `value` must outlive this.
  JsonObject(const Json& value, std::string path);

  // The field, or nullptr where it is missing or null.
  const Json* optional(const char* name);
  const Json& required(const char* name);

  // With `fallback`, a missing or null field has that value.
  std::string string(const char* name, std::optional<std::string> fallback = std::nullopt);
  std::optional<std::string> optional_string(const char* name);
  bool boolean(const char* name, std::optional<bool> fallback = std::nullopt);
  std::optional<bool> optional_boolean(const char* name);
  int64_t integer(const char* name, int64_t low, int64_t high, std::optional<int64_t> fallback = std::nullopt);
  char32_t character(const char* name);  // a string of one character
  const Json& array(const char* name);

  // A field that changes nothing here, whatever it holds.
  void ignore(const char* name) { read_.insert(name); }

  // Refuses the fields that nothing has read (kUnsupported): a setting that is not honoured must not pass unseen.
  void finish() const;

  std::string path_of(std::string_view name) const;
  std::string path_of(std::string_view name, size_t index) const;
  const std::string& path() const { return path_; }

  [[noreturn]] void wrong_type(const char* name, const Json& value, const char* expected) const;

 private:
  const Json& object_;
  std::string path_;
  std::set<std::string, std::less<>> read_;
};

// kUnsupported for a "type" that is none of `supported`.
[[noreturn]] void unsupported_type(const std::string& path, std::string_view found, std::string_view supported);

}  // namespace neural_engine
