#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "models/tokenizer/tokenizer_json.h"

namespace neural_engine {
namespace {

constexpr std::string_view kSupported = "BPE, Unigram, WordPiece";
// SentencePiece's texts are cut by characters; longer pieces do not occur.
constexpr int64_t kMaxWord = int64_t{1} << 31;

Vocabulary read_vocabulary(JsonObject& object) {
  const Json& tokens = object.required("vocab");
  if (!tokens.is_object()) object.wrong_type("vocab", tokens, "an object");
  Vocabulary vocabulary;
  const auto add = [&](const std::string& token, const Json& id) {
    if (!id.is_number_integer() || (id.is_number_unsigned() && id.get<uint64_t>() > UINT32_MAX)) {
      fail(Code::kInvalidData, "the id of \"", token, "\" is ", id.dump(), ", expected an integer from 0 to ",
           Vocabulary::kMaxId);
    }
    vocabulary.add(token, id.get<int64_t>());
  };
  with_context([&] { return object.path_of("vocab"); },
               [&] {
                 for (const auto& [token, id] : tokens.items()) add(token, id);
               });
  return vocabulary;
}

// A merge is ["a", "b"], or "a b" in older files.
std::pair<std::string, std::string> read_merge(const JsonObject& object, const Json& merge, size_t index) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  }
  if (!merge.is_string()) {
    fail(Code::kInvalidData, object.path_of("merges", index), " is ", describe(merge),
         ", expected two strings or one with a space");
  }
  const auto& text = merge.get_ref<const std::string&>();
  const size_t space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
    fail(Code::kInvalidData, object.path_of("merges", index), " is \"", text, "\", expected two tokens and one space");
  }
  return {text.substr(0, space), text.substr(space + 1)};
}

TokenModelPtr read_byte_pair(JsonObject& object) {
  BytePairOptions options;
  const Json* dropout = object.optional("dropout");
  if (dropout != nullptr && (!dropout->is_number() || dropout->get<double>() != 0.0)) {
    fail(Code::kUnsupported, object.path_of("dropout"), " is ", dropout->dump(), "; supported is no dropout");
  }
  options.unk_token = object.optional_string("unk_token");
  options.continuing_subword_prefix = object.string("continuing_subword_prefix", "");
  options.end_of_word_suffix = object.string("end_of_word_suffix", "");
  options.fuse_unk = object.boolean("fuse_unk", false);
  options.byte_fallback = object.boolean("byte_fallback", false);
  options.ignore_merges = object.boolean("ignore_merges", false);
  const Json& merges = object.array("merges");
  const bool legacy = !merges.empty() && merges.front().is_string();
  options.merges.reserve(merges.size());
  for (size_t i = 0; i < merges.size(); ++i) {
    // The first line of merges.txt found its way into some old files.
    if (legacy && merges[i].is_string() && merges[i].get_ref<const std::string&>().rfind("#version", 0) == 0) continue;
    options.merges.push_back(read_merge(object, merges[i], i));
  }
  return make_byte_pair(read_vocabulary(object), options);
}

TokenModelPtr read_word_piece(JsonObject& object) {
  WordPieceOptions options;
  options.unk_token = object.string("unk_token");
  options.continuing_subword_prefix = object.string("continuing_subword_prefix");
  options.max_input_chars_per_word = object.integer("max_input_chars_per_word", 0, kMaxWord);
  return make_word_piece(read_vocabulary(object), options);
}

// The number as the reference's JSON parser makes it: the digits as an integer, times or divided by a power of ten.
// That is sometimes one unit in the last place off, which decides between cuts of equal scores ("aaaa" as aa-aa or
// a-aa-a).
double reference_double(double value) {
  char text[32];
  const char* const end =
      std::to_chars(std::begin(text), std::end(text), std::abs(value), std::chars_format::scientific).ptr;
  uint64_t digits = 0;
  int exponent = 0;
  const char* at = text;
  for (bool fraction = false; at != end && *at != 'e'; ++at) {
    if (*at == '.') {
      fraction = true;
    } else {
      digits = digits * 10 + static_cast<uint64_t>(*at - '0');
      exponent -= fraction ? 1 : 0;
    }
  }
  int stated = 0;
  if (at != end) std::from_chars(at[1] == '+' ? at + 2 : at + 1, end, stated);
  exponent += stated;
  if (std::abs(exponent) > 300) return value;
  const double power = std::strtod(("1e" + std::to_string(std::abs(exponent))).c_str(), nullptr);
  const double result = exponent < 0 ? static_cast<double>(digits) / power : static_cast<double>(digits) * power;
  return std::signbit(value) ? -result : result;
}

TokenModelPtr read_unigram(JsonObject& object) {
  UnigramOptions options;
  if (object.optional("unk_id") != nullptr) options.unk_id = object.integer("unk_id", 0, Vocabulary::kMaxId);
  options.byte_fallback = object.boolean("byte_fallback", false);
  const Json& vocabulary = object.array("vocab");
  std::vector<std::string> pieces;
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const Json& entry = vocabulary[i];
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number()) {
      fail(Code::kInvalidData, object.path_of("vocab", i), " is ", describe(entry), ", expected a piece and its score");
    }
    pieces.push_back(entry[0].get<std::string>());
    options.scores.push_back(reference_double(entry[1].get<double>()));
  }
  if (pieces.empty()) fail(Code::kInvalidData, object.path_of("vocab"), " is empty");
  return make_unigram(pieces, options);
}

TokenModelPtr read(JsonObject& object, const std::string& type) {
  if (type == "BPE") return read_byte_pair(object);
  if (type == "WordPiece") return read_word_piece(object);
  if (type == "Unigram") return read_unigram(object);
  unsupported_type(object.path(), type, kSupported);
}

}  // namespace

TokenModelPtr read_model(const Json& value, const std::string& path) {
  JsonObject object(value, path);
  std::optional<std::string> type = object.optional_string("type");
  // Files of the first versions have no type; their fields tell.
  if (!type && object.optional("merges") != nullptr) type = "BPE";
  if (!type && object.optional("max_input_chars_per_word") != nullptr) type = "WordPiece";
  if (!type) fail(Code::kInvalidData, object.path_of("type"), " is missing; supported are ", kSupported);
  return with_context([&] { return path + " (" + *type + ")"; },
                      [&] {
                        TokenModelPtr model = read(object, *type);
                        object.finish();
                        return model;
                      });
}

}  // namespace neural_engine
