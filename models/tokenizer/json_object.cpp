#include "models/tokenizer/json_object.h"

#include "base/error.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

constexpr int kMaxDepth = 64;

// Checked before parsing: the parser itself has no bound.
void check_depth(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) fail(Code::kInvalidData, "JSON nested deeper than ", kMaxDepth, " at byte ", i);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
}

}  // namespace

Json parse_json(std::string_view text) {
  check_depth(text);
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::exception& error) {
    fail(Code::kInvalidData, "not JSON: ", error.what());
  }
}

const char* describe(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::object: return "an object";
    case Json::value_t::array: return "an array";
    case Json::value_t::string: return "a string";
    case Json::value_t::boolean: return "true or false";
    default: return "a number";
  }
}

JsonObject::JsonObject(const Json& value, std::string path) : object_(value), path_(std::move(path)) {
  if (!value.is_object()) {
    fail(Code::kInvalidData, path_.empty() ? "the file" : path_, " is ", describe(value), ", expected an object");
  }
}

std::string JsonObject::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

std::string JsonObject::path_of(std::string_view name, size_t index) const {
  return path_of(name) + "[" + std::to_string(index) + "]";
}

void JsonObject::wrong_type(const char* name, const Json& value, const char* expected) const {
  fail(Code::kInvalidData, path_of(name), " is ", describe(value), ", expected ", expected);
}

const Json* JsonObject::optional(const char* name) {
  read_.insert(name);
  const auto it = object_.find(name);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

const Json& JsonObject::required(const char* name) {
  const Json* value = optional(name);
  if (value == nullptr) fail(Code::kInvalidData, path_of(name), " is missing");
  return *value;
}

std::optional<std::string> JsonObject::optional_string(const char* name) {
  const Json* value = optional(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) wrong_type(name, *value, "a string");
  return value->get<std::string>();
}

std::string JsonObject::string(const char* name, std::optional<std::string> fallback) {
  std::optional<std::string> value = optional_string(name);
  if (!value) value = std::move(fallback);
  if (!value) fail(Code::kInvalidData, path_of(name), " is missing");
  return *std::move(value);
}

std::optional<bool> JsonObject::optional_boolean(const char* name) {
  const Json* value = optional(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) wrong_type(name, *value, "true or false");
  return value->get<bool>();
}

bool JsonObject::boolean(const char* name, std::optional<bool> fallback) {
  std::optional<bool> value = optional_boolean(name);
  if (!value) value = fallback;
  if (!value) fail(Code::kInvalidData, path_of(name), " is missing");
  return *value;
}

int64_t JsonObject::integer(const char* name, int64_t low, int64_t high, std::optional<int64_t> fallback) {
  const Json* found = optional(name);
  if (found == nullptr && fallback) return *fallback;
  const Json& value = found != nullptr ? *found : required(name);
  if (!value.is_number_integer()) wrong_type(name, value, "an integer");
  const bool huge = value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
  const int64_t number = huge ? INT64_MAX : value.get<int64_t>();
  if (number < low || number > high || huge) {
    fail(Code::kInvalidData, path_of(name), " is ", value.dump(), ", expected ", low, " to ", high);
  }
  return number;
}

char32_t JsonObject::character(const char* name) {
  const std::u32string text = utf8::decode(string(name));
  if (text.size() != 1) fail(Code::kInvalidData, path_of(name), " has ", text.size(), " characters, expected one");
  return text.front();
}

const Json& JsonObject::array(const char* name) {
  const Json& value = required(name);
  if (!value.is_array()) wrong_type(name, value, "an array");
  return value;
}

void JsonObject::finish() const {
  for (const auto& [name, value] : object_.items()) {
    if (read_.count(name) == 0) {
      fail(Code::kUnsupported, "the field ", path_of(name), " (", describe(value), ") is not known");
    }
  }
}

void unsupported_type(const std::string& path, std::string_view found, std::string_view supported) {
  fail(Code::kUnsupported, path, " has the type \"", found, "\"; supported are ", supported);
}

}  // namespace neural_engine
