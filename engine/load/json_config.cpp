#include "load/json_config.h"

#include <cmath>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/mapped_file.h"

namespace neural_engine {

namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 64;
constexpr size_t kMaxConfig = size_t{16} << 20;

[[noreturn]] void wrong_type(const char* name, const Json& value, const char* expected) {
  fail(Code::kInvalidModel, "field \"", name, "\" is ", value.type_name(), ", expected ", expected);
}

}  // namespace

Json parse_json_object(std::string_view text) {
  // nlohmann keeps the last of two fields of one name, and recurses as deep as the text tells it to.
  std::vector<std::set<std::string>> names;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth) fail(Code::kInvalidModel, "JSON nested deeper than ", kMaxDepth, " found");
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second) {
      fail(Code::kInvalidModel, "field \"", parsed.get<std::string>(), "\" is given twice");
    }
    return true;
  };
  const Json result = Json::parse(text.begin(), text.end(), check, false);
  if (!result.is_object()) fail(Code::kInvalidModel, "a JSON object is expected, and not found");
  return result;
}

Json read_json_object(const std::string& path) {
  return with_context([&] { return path; }, [&] { return parse_json_object(read_file(path, kMaxConfig)); });
}

const Json* JsonConfig::find(const char* name) const {
  const auto it = object_.find(name);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

int64_t JsonConfig::integer(const char* name, int64_t low, int64_t high, std::optional<int64_t> otherwise) const {
  const Json* value = find(name);
  if (value == nullptr) {
    if (!otherwise) fail(Code::kInvalidModel, "field \"", name, "\" is missing");
    return *otherwise;
  }
  if (!value->is_number_integer()) wrong_type(name, *value, "an integer");
  const bool fits = !value->is_number_unsigned() || value->get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX);
  if (!fits || value->get<int64_t>() < low || value->get<int64_t>() > high) {
    fail(Code::kInvalidModel, "field \"", name, "\" is ", value->dump(), ", expected ", low, " to ", high);
  }
  return value->get<int64_t>();
}

double JsonConfig::number(const char* name, std::optional<double> otherwise) const {
  const Json* value = find(name);
  if (value == nullptr) {
    if (!otherwise) fail(Code::kInvalidModel, "field \"", name, "\" is missing");
    return *otherwise;
  }
  if (!value->is_number()) wrong_type(name, *value, "a number");
  return value->get<double>();
}

bool JsonConfig::boolean(const char* name, bool otherwise) const {
  const Json* value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) wrong_type(name, *value, "true or false");
  return value->get<bool>();
}

std::string JsonConfig::string(const char* name, std::optional<std::string> otherwise) const {
  const Json* value = find(name);
  if (value == nullptr) {
    if (!otherwise) fail(Code::kInvalidModel, "field \"", name, "\" is missing");
    return *otherwise;
  }
  if (!value->is_string()) wrong_type(name, *value, "a string");
  return value->get<std::string>();
}

}  // namespace neural_engine
