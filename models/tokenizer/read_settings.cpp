#include "base/error.h"
#include "models/tokenizer/tokenizer_json.h"

namespace neural_engine {
namespace {

constexpr int64_t kMaxTokens = INT32_MAX;

Side read_side(JsonObject& object) {
  const std::string name = object.string("direction", "Right");
  if (name == "Right") return Side::kRight;
  if (name == "Left") return Side::kLeft;
  fail(Code::kUnsupported, object.path_of("direction"), " is \"", name, "\"; supported are Left, Right");
}

}  // namespace

std::vector<AddedTokenEntry> read_added_tokens(const Json& value, const std::string& path) {
  if (!value.is_array()) fail(Code::kInvalidData, path, " is ", describe(value), ", expected an array");
  std::vector<AddedTokenEntry> out;
  for (size_t i = 0; i < value.size(); ++i) {
    JsonObject object(value[i], path + "[" + std::to_string(i) + "]");
    AddedTokenEntry entry;
    entry.id = object.integer("id", 0, Vocabulary::kMaxId);
    entry.token.content = object.string("content");
    entry.token.single_word = object.boolean("single_word");
    entry.token.lstrip = object.boolean("lstrip");
    entry.token.rstrip = object.boolean("rstrip");
    entry.token.normalized = object.boolean("normalized");
    entry.token.special = object.boolean("special");
    object.finish();
    out.push_back(std::move(entry));
  }
  return out;
}

Truncation read_truncation(const Json& value, const std::string& path) {
  JsonObject object(value, path);
  Truncation out;
  out.side = read_side(object);
  out.max_length = object.integer("max_length", 0, kMaxTokens);
  out.stride = object.integer("stride", 0, kMaxTokens);
  const std::string strategy = object.string("strategy");
  if (strategy == "LongestFirst") {
    out.strategy = TruncationStrategy::kLongestFirst;
  } else if (strategy == "OnlyFirst") {
    out.strategy = TruncationStrategy::kOnlyFirst;
  } else if (strategy == "OnlySecond") {
    out.strategy = TruncationStrategy::kOnlySecond;
  } else {
    fail(Code::kUnsupported, object.path_of("strategy"), " is \"", strategy,
         "\"; supported are LongestFirst, OnlyFirst, OnlySecond");
  }
  object.finish();
  return out;
}

Padding read_padding(const Json& value, const std::string& path) {
  JsonObject object(value, path);
  Padding out;
  out.side = read_side(object);
  // "BatchLongest", or {"Fixed": 128}.
  const Json& strategy = object.required("strategy");
  if (strategy.is_object()) {
    JsonObject fixed(strategy, object.path_of("strategy"));
    out.strategy = PaddingStrategy::kFixed;
    out.length = fixed.integer("Fixed", 0, kMaxTokens);
    fixed.finish();
  } else if (strategy != "BatchLongest") {
    fail(Code::kUnsupported, object.path_of("strategy"), " is ", strategy.dump(),
         "; supported are \"BatchLongest\" and {\"Fixed\": length}");
  }
  out.multiple_of = std::max<int64_t>(1, object.integer("pad_to_multiple_of", 0, kMaxTokens, 1));
  out.pad_id = object.integer("pad_id", 0, Vocabulary::kMaxId);
  out.pad_type_id = object.integer("pad_type_id", 0, kMaxTokens);
  object.string("pad_token");
  object.finish();
  return out;
}

}  // namespace neural_engine
