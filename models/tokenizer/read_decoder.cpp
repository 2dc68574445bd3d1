#include "base/error.h"
#include "models/tokenizer/tokenizer_json.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

constexpr std::string_view kSupported =
    "BPEDecoder, ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip, WordPiece";

DecoderPtr read_metaspace(JsonObject& object) {
  const char32_t replacement = object.character("replacement");
  const std::string scheme = object.string("prepend_scheme", "always");
  const bool add_prefix_space = object.boolean("add_prefix_space", true);
  object.boolean("split", true);
  object.ignore("str_rep");
  return make_metaspace_decoder(replacement, scheme != "never" && add_prefix_space);
}

DecoderPtr read_sequence(JsonObject& object) {
  std::vector<DecoderPtr> parts;
  const Json& list = object.array("decoders");
  for (size_t i = 0; i < list.size(); ++i) parts.push_back(read_decoder(list[i], object.path_of("decoders", i)));
  return make_decoder_sequence(std::move(parts));
}

DecoderPtr read(JsonObject& object, const std::string& type) {
  if (type == "ByteLevel") {
    // How the text was cut does not matter for putting it together.
    object.boolean("add_prefix_space", true);
    object.boolean("trim_offsets", true);
    object.boolean("use_regex", true);
    return make_byte_level_decoder();
  }
  if (type == "WordPiece") {
    std::string prefix = object.string("prefix");
    return make_word_piece_decoder(std::move(prefix), object.boolean("cleanup"));
  }
  if (type == "Metaspace") return read_metaspace(object);
  if (type == "BPEDecoder") return make_bpe_decoder(object.string("suffix"));
  if (type == "ByteFallback") return make_byte_fallback_decoder();
  if (type == "Fuse") return make_fuse_decoder();
  if (type == "Strip") {
    const char32_t content = object.character("content");
    const int64_t start = object.integer("start", 0, INT32_MAX);
    return make_strip_decoder(content, start, object.integer("stop", 0, INT32_MAX));
  }
  if (type == "Replace") {
    Regex pattern = read_pattern(object.required("pattern"), object.path_of("pattern"));
    return make_replace_decoder(std::move(pattern), utf8::decode(object.string("content")));
  }
  if (type == "Sequence") return read_sequence(object);
  unsupported_type(object.path(), type, kSupported);
}

}  // namespace

DecoderPtr read_decoder(const Json& value, const std::string& path) {
  JsonObject object(value, path);
  DecoderPtr decoder = read(object, object.string("type"));
  object.finish();
  return decoder;
}

}  // namespace neural_engine
