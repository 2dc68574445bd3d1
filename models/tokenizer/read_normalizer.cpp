#include "base/error.h"
#include "models/tokenizer/tokenizer_json.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

constexpr std::string_view kSupported =
    "BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Prepend, Replace, Sequence, Strip, StripAccents";

NormalizerPtr read_bert(JsonObject& object) {
  BertNormalizerOptions options;
  options.clean_text = object.boolean("clean_text");
  options.handle_chinese_chars = object.boolean("handle_chinese_chars");
  options.strip_accents = object.optional_boolean("strip_accents");
  options.lowercase = object.boolean("lowercase");
  return make_bert_normalizer(options);
}

NormalizerPtr read_sequence(JsonObject& object) {
  std::vector<NormalizerPtr> parts;
  const Json& list = object.array("normalizers");
  for (size_t i = 0; i < list.size(); ++i) parts.push_back(read_normalizer(list[i], object.path_of("normalizers", i)));
  return make_normalizer_sequence(std::move(parts));
}

NormalizerPtr read(JsonObject& object, const std::string& type) {
  if (type == "BertNormalizer") return read_bert(object);
  if (type == "Sequence") return read_sequence(object);
  if (type == "Lowercase") return make_lowercase();
  if (type == "NFC") return make_normal_form(NormalForm::kNfc);
  if (type == "NFD") return make_normal_form(NormalForm::kNfd);
  if (type == "NFKC") return make_normal_form(NormalForm::kNfkc);
  if (type == "NFKD") return make_normal_form(NormalForm::kNfkd);
  if (type == "StripAccents") return make_strip_accents();
  if (type == "Nmt") return make_nmt();
  if (type == "ByteLevel") return make_byte_level_normalizer();
  if (type == "Strip") {
    const bool left = object.boolean("strip_left");
    return make_strip(left, object.boolean("strip_right"));
  }
  if (type == "Prepend") return make_prepend(utf8::decode(object.string("prepend")));
  if (type == "Replace") {
    Regex pattern = read_pattern(object.required("pattern"), object.path_of("pattern"));
    return make_replace(std::move(pattern), utf8::decode(object.string("content")));
  }
  unsupported_type(object.path(), type, kSupported);
}

}  // namespace

NormalizerPtr read_normalizer(const Json& value, const std::string& path) {
  JsonObject object(value, path);
  NormalizerPtr normalizer = read(object, object.string("type"));
  object.finish();
  return normalizer;
}

Regex read_pattern(const Json& value, const std::string& path) {
  JsonObject object(value, path);
  return with_context([&] { return path; },
                      [&] {
                        const std::optional<std::string> text = object.optional_string("String");
                        Regex regex = text ? Regex::literal(utf8::decode(*text)) : Regex(object.string("Regex"));
                        object.finish();
                        return regex;
                      });
}

}  // namespace neural_engine
