#include "base/error.h"
#include "models/tokenizer/tokenizer_json.h"

namespace neural_engine {
namespace {

constexpr std::string_view kSupported = "BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing";
constexpr int64_t kMaxType = INT32_MAX;

TemplatePart special(int64_t id, int64_t type_id) { return {-1, {id}, type_id}; }
TemplatePart text(int32_t sequence, int64_t type_id) { return {sequence, {}, type_id}; }

// ["[CLS]", 101]
int64_t read_special(JsonObject& object, const char* name) {
  const Json& value = object.required(name);
  if (!value.is_array() || value.size() != 2 || !value[0].is_string() || !value[1].is_number_integer()) {
    object.wrong_type(name, value, "a token and its id");
  }
  const Json& id = value[1];
  if (id.get<int64_t>() < 0 || id.get<int64_t>() > Vocabulary::kMaxId) {
    fail(Code::kInvalidData, object.path_of(name), ": the id is ", id.dump(), ", expected 0 to ", Vocabulary::kMaxId);
  }
  return id.get<int64_t>();
}

void read_trimming(JsonObject& object, PostProcessor& out) {
  out.add_prefix_space = object.boolean("add_prefix_space");
  out.trim_offsets = object.boolean("trim_offsets");
}

PostProcessor read_bert(JsonObject& object) {
  const int64_t sep = read_special(object, "sep");
  const int64_t cls = read_special(object, "cls");
  PostProcessor out;
  out.single = {special(cls, 0), text(0, 0), special(sep, 0)};
  out.pair = {special(cls, 0), text(0, 0), special(sep, 0), text(1, 1), special(sep, 1)};
  return out;
}

PostProcessor read_roberta(JsonObject& object) {
  const int64_t sep = read_special(object, "sep");
  const int64_t cls = read_special(object, "cls");
  PostProcessor out;
  out.single = {special(cls, 0), text(0, 0), special(sep, 0)};
  out.pair = {special(cls, 0), text(0, 0), special(sep, 0), special(sep, 0), text(1, 0), special(sep, 0)};
  read_trimming(object, out);
  return out;
}

using SpecialTokens = std::map<std::string, std::vector<int64_t>>;

SpecialTokens read_special_tokens(JsonObject& object) {
  SpecialTokens out;
  const Json& tokens = object.required("special_tokens");
  if (!tokens.is_object()) object.wrong_type("special_tokens", tokens, "an object");
  for (const auto& [name, value] : tokens.items()) {
    JsonObject token(value, object.path_of("special_tokens") + "." + name);
    token.string("id");
    const Json& ids = token.array("ids");
    const Json& texts = token.array("tokens");
    if (ids.size() != texts.size()) {
      fail(Code::kInvalidData, token.path(), " has ", ids.size(), " ids and ", texts.size(), " tokens");
    }
    std::vector<int64_t>& list = out[name];
    for (const Json& id : ids) {
      if (!id.is_number_unsigned() || id.get<uint64_t>() > static_cast<uint64_t>(Vocabulary::kMaxId)) {
        fail(Code::kInvalidData, token.path_of("ids"), " has ", id.dump(), ", expected 0 to ", Vocabulary::kMaxId);
      }
      list.push_back(id.get<int64_t>());
    }
    token.finish();
  }
  return out;
}

TemplatePart read_part(const Json& value, const std::string& path, const SpecialTokens& specials) {
  JsonObject part(value, path);
  const Json* sequence = part.optional("Sequence");
  JsonObject body(sequence != nullptr ? *sequence : part.required("SpecialToken"), path);
  const std::string id = body.string("id");
  const int64_t type_id = body.integer("type_id", 0, kMaxType);
  body.finish();
  part.finish();
  if (sequence != nullptr) {
    if (id != "A" && id != "B") fail(Code::kInvalidData, path, " is sequence \"", id, "\", expected A or B");
    return text(id == "A" ? 0 : 1, type_id);
  }
  const auto it = specials.find(id);
  if (it == specials.end()) fail(Code::kInvalidData, path, ": \"", id, "\" is not among the special_tokens");
  return {-1, it->second, type_id};
}

std::vector<TemplatePart> read_template(JsonObject& object, const char* name, const SpecialTokens& specials) {
  std::vector<TemplatePart> out;
  const Json& parts = object.array(name);
  for (size_t i = 0; i < parts.size(); ++i) {
    out.push_back(read_part(parts[i], object.path_of(name, i), specials));
  }
  return out;
}

PostProcessor read_template_processing(JsonObject& object) {
  const SpecialTokens specials = read_special_tokens(object);
  PostProcessor out;
  out.single = read_template(object, "single", specials);
  out.pair = read_template(object, "pair", specials);
  for (const TemplatePart& part : out.single) {
    if (part.sequence == 1) fail(Code::kInvalidData, object.path_of("single"), " has sequence B");
  }
  return out;
}

// One of the processors may put tokens around the text; the byte-level ones only trim offsets.
PostProcessor read_sequence(JsonObject& object) {
  PostProcessor out;
  bool has_template = false;
  const Json& processors = object.array("processors");
  for (size_t i = 0; i < processors.size(); ++i) {
    const std::string path = object.path_of("processors", i);
    JsonObject probe(processors[i], path);
    const bool is_byte_level = probe.string("type") == "ByteLevel";
    PostProcessor part = read_post_processor(processors[i], path);
    if (!is_byte_level) {
      if (has_template) fail(Code::kUnsupported, path, " is a second processor that adds tokens; supported is one");
      has_template = true;
      out.single = std::move(part.single);
      out.pair = std::move(part.pair);
    }
    if (part.trim_offsets) {
      if (out.trim_offsets) fail(Code::kUnsupported, path, " trims offsets a second time; supported is once");
      out.trim_offsets = true;
      out.add_prefix_space = part.add_prefix_space;
    }
  }
  return out;
}

PostProcessor read(JsonObject& object, const std::string& type) {
  if (type == "BertProcessing") return read_bert(object);
  if (type == "RobertaProcessing") return read_roberta(object);
  if (type == "TemplateProcessing") return read_template_processing(object);
  if (type == "Sequence") return read_sequence(object);
  if (type == "ByteLevel") {
    PostProcessor out;
    read_trimming(object, out);
    object.boolean("use_regex", true);
    return out;
  }
  unsupported_type(object.path(), type, kSupported);
}

}  // namespace

PostProcessor read_post_processor(const Json& value, const std::string& path) {
  JsonObject object(value, path);
  PostProcessor out = read(object, object.string("type"));
  object.finish();
  return out;
}

}  // namespace neural_engine
