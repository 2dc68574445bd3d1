#include "base/error.h"
#include "models/tokenizer/tokenizer_json.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

constexpr std::string_view kSupported =
    "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, Metaspace, Punctuation, Sequence, Split, Whitespace, "
    "WhitespaceSplit";

PreTokenizerPtr read_byte_level(JsonObject& object) {
  const bool add_prefix_space = object.boolean("add_prefix_space");
  object.boolean("trim_offsets");  // a matter of the post-processor
  return make_byte_level(add_prefix_space, object.boolean("use_regex", true));
}

PreTokenizerPtr read_metaspace(JsonObject& object) {
  const char32_t replacement = object.character("replacement");
  const std::string name = object.string("prepend_scheme", "always");
  const std::optional<bool> add_prefix_space = object.optional_boolean("add_prefix_space");
  object.ignore("str_rep");
  if (name != "always" && name != "first" && name != "never") {
    fail(Code::kUnsupported, object.path_of("prepend_scheme"), " is \"", name,
         "\"; supported are always, first, never");
  }
  // Older files say only add_prefix_space; the reference takes false with no scheme but "never".
  if (add_prefix_space == false && name != "never") {
    fail(Code::kInvalidData, object.path_of("add_prefix_space"), " is false, but prepend_scheme is \"", name, "\"");
  }
  const auto scheme = name == "always"  ? PrependScheme::kAlways
                      : name == "first" ? PrependScheme::kFirst
                                        : PrependScheme::kNever;
  return make_metaspace(replacement, scheme, object.boolean("split", true));
}

PreTokenizerPtr read_split(JsonObject& object) {
  Regex pattern = read_pattern(object.required("pattern"), object.path_of("pattern"));
  const SplitBehavior behavior = read_behavior(object.string("behavior"), object.path_of("behavior"));
  return make_split(std::move(pattern), behavior, object.boolean("invert"));
}

PreTokenizerPtr read_sequence(JsonObject& object) {
  std::vector<PreTokenizerPtr> parts;
  const Json& list = object.array("pretokenizers");
  for (size_t i = 0; i < list.size(); ++i) {
    parts.push_back(read_pre_tokenizer(list[i], object.path_of("pretokenizers", i)));
  }
  return make_pre_tokenizer_sequence(std::move(parts));
}

PreTokenizerPtr read(JsonObject& object, const std::string& type) {
  if (type == "BertPreTokenizer") return make_bert_pre_tokenizer();
  if (type == "ByteLevel") return read_byte_level(object);
  if (type == "Whitespace") return make_whitespace();
  if (type == "WhitespaceSplit") return make_whitespace_split();
  if (type == "Digits") return make_digits(object.boolean("individual_digits"));
  if (type == "Punctuation") {
    return make_punctuation(read_behavior(object.string("behavior", "Isolated"), object.path_of("behavior")));
  }
  if (type == "CharDelimiterSplit") return make_char_delimiter_split(object.character("delimiter"));
  if (type == "Metaspace") return read_metaspace(object);
  if (type == "Split") return read_split(object);
  if (type == "Sequence") return read_sequence(object);
  unsupported_type(object.path(), type, kSupported);
}

}  // namespace

PreTokenizerPtr read_pre_tokenizer(const Json& value, const std::string& path) {
  JsonObject object(value, path);
  PreTokenizerPtr pre_tokenizer = read(object, object.string("type"));
  object.finish();
  return pre_tokenizer;
}

SplitBehavior read_behavior(const std::string& name, const std::string& path) {
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  fail(Code::kUnsupported, path, " is \"", name,
       "\"; supported are Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
}

}  // namespace neural_engine
