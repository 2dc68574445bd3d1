// Builds Tokenizers from tokenizer.json, from vocab.txt, and from folders that have one of them.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "models/tokenizer/tokenizer_json.h"
#include "models/tokenizer/tokenizer_parts.h"
#include "models/tokenizer/unicode.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(Code::kIo, path.string(), ": cannot be opened");
  std::ostringstream out;
  out << in.rdbuf();
  if (in.bad()) fail(Code::kIo, path.string(), ": cannot be read");
  return std::move(out).str();
}

// The ids that the file states must be those that the tokens get: else the file was made by hand, and whichever is
// meant, the model would see wrong ids.
AddedTokens build_added(const std::vector<AddedTokenEntry>& entries, const Vocabulary& vocabulary,
                        const Normalizer* normalizer) {
  std::vector<AddedToken> tokens;
  for (const AddedTokenEntry& entry : entries) {
    for (const AddedToken& other : tokens) {
      if (other.content == entry.token.content) {
        fail(Code::kInvalidData, "added token \"", other.content, "\" is there twice");
      }
    }
    tokens.push_back(entry.token);
  }
  AddedTokens added(tokens, vocabulary, normalizer);
  for (const AddedTokenEntry& entry : entries) {
    const int32_t id = added.find(entry.token.content);
    if (id != entry.id) {
      fail(Code::kInvalidData, "added token \"", entry.token.content, "\" states the id ", entry.id,
           ", but has the id ", id, " (", vocabulary.find(entry.token.content) >= 0 ? "in" : "next after",
           " the vocabulary of ", vocabulary.size(), " tokens)");
    }
  }
  return added;
}

void check_ids(const PostProcessor& post, const AddedTokens& added, const Vocabulary& vocabulary) {
  for (const auto* parts : {&post.single, &post.pair}) {
    for (const TemplatePart& part : *parts) {
      for (const int64_t id : part.ids) {
        if (added.token(id) == nullptr && vocabulary.token(id) == nullptr) {
          fail(Code::kInvalidData, "post_processor has the id ", id, ", which is no token");
        }
      }
    }
  }
}

// One line of vocab.txt, as the reference reads it: without the line end and trailing white space.
std::string read_line(std::string_view line, size_t number) {
  std::u32string text = utf8::decode(line);
  if (utf8::encode(text) != line) fail(Code::kInvalidData, "line ", number, " is not UTF-8");
  while (!text.empty() && unicode::has(text.back(), unicode::kWhitespace)) text.pop_back();
  return utf8::encode(text);
}

Vocabulary read_lines(std::string_view lines) {
  Vocabulary vocabulary;
  int64_t id = 0;
  for (size_t at = 0; at < lines.size(); ++id) {
    const size_t end = std::min(lines.find('\n', at), lines.size());
    vocabulary.add(read_line(lines.substr(at, end - at), static_cast<size_t>(id) + 1), id);
    at = end + 1;
  }
  return vocabulary;
}

// Special tokens of tokenizer_config.json are strings, or objects with their content.
void read_token(JsonObject& config, const char* name, std::string& token) {
  const Json* value = config.optional(name);
  if (value == nullptr) return;
  if (value->is_object()) {
    token = JsonObject(*value, name).string("content");
  } else {
    token = config.string(name);
  }
}

WordPieceFileOptions read_word_piece_config(JsonObject& config) {
  const std::string type = config.string("tokenizer_class", "BertTokenizer");
  constexpr std::string_view kTypes[] = {"BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer",
                                         "MobileBertTokenizer"};
  const auto is_type = [&](std::string_view known) { return type == known || type == std::string(known) + "Fast"; };
  if (std::none_of(std::begin(kTypes), std::end(kTypes), is_type)) {
    fail(Code::kUnsupported, "tokenizer_class \"", type,
         "\" with a vocab.txt; supported are BertTokenizer, "
         "DistilBertTokenizer, ElectraTokenizer, MobileBertTokenizer; others need a tokenizer.json");
  }
  const Json* never_split = config.optional("never_split");
  if (!config.boolean("do_basic_tokenize", true) || (never_split != nullptr && !never_split->empty())) {
    fail(Code::kUnsupported, "do_basic_tokenize false or never_split; supported is neither");
  }
  WordPieceFileOptions options;
  options.lowercase = config.boolean("do_lower_case", true);
  options.strip_accents = config.optional_boolean("strip_accents");
  options.handle_chinese_chars = config.boolean("tokenize_chinese_chars", true);
  read_token(config, "unk_token", options.unk_token);
  read_token(config, "cls_token", options.cls_token);
  read_token(config, "sep_token", options.sep_token);
  read_token(config, "pad_token", options.pad_token);
  read_token(config, "mask_token", options.mask_token);
  return options;
}

// Runs `read` on a JSON file of the folder, with the file's name in front of what it throws; nothing without the file.
template <class Read>
void with_config(const fs::path& path, Read read) {
  if (!fs::exists(path)) return;
  with_context([&] { return path.string(); },
               [&] {
                 const Json value = parse_json(read_file(path));
                 JsonObject config(value, "");
                 read(config);
               });
}

std::optional<int64_t> find_max_length(const fs::path& folder) {
  std::optional<int64_t> length;
  // Where nobody set it, transformers writes 10^30: such a length is none.
  constexpr double kUnset = 1e9;
  const auto read = [&](JsonObject& config, const char* name) {
    const Json* value = config.optional(name);
    if (!length && value != nullptr && value->is_number() && value->get<double>() >= 1 &&
        value->get<double>() < kUnset) {
      length = value->get<int64_t>();
    }
  };
  with_config(folder / "tokenizer_config.json", [&](JsonObject& config) { read(config, "model_max_length"); });
  with_config(folder / "config.json", [&](JsonObject& config) { read(config, "max_position_embeddings"); });
  return length;
}

}  // namespace

std::unique_ptr<Tokenizer> Tokenizer::from_json(std::string_view json) {
  const Json value = parse_json(json);
  JsonObject root(value, "");
  const std::string version = root.string("version", "1.0");
  if (version != "1.0") fail(Code::kUnsupported, "version \"", version, "\"; supported is 1.0");
  auto parts = std::make_unique<Parts>();
  if (const Json* part = root.optional("normalizer")) parts->normalizer = read_normalizer(*part, "normalizer");
  if (const Json* part = root.optional("pre_tokenizer")) {
    parts->pre_tokenizer = read_pre_tokenizer(*part, "pre_tokenizer");
  }
  parts->model = read_model(root.required("model"), "model");
  const Vocabulary& vocabulary = parts->model->vocabulary();
  if (const Json* part = root.optional("added_tokens")) {
    parts->added = build_added(read_added_tokens(*part, "added_tokens"), vocabulary, parts->normalizer.get());
  }
  if (const Json* part = root.optional("post_processor")) {
    parts->post_processor = read_post_processor(*part, "post_processor");
    check_ids(parts->post_processor, parts->added, vocabulary);
  }
  const Json* decoder = root.optional("decoder");
  parts->decoder = decoder != nullptr ? read_decoder(*decoder, "decoder") : make_join_decoder(" ");
  if (const Json* part = root.optional("truncation")) parts->truncation = read_truncation(*part, "truncation");
  if (const Json* part = root.optional("padding")) parts->padding = read_padding(*part, "padding");
  root.finish();
  auto tokenizer = std::unique_ptr<Tokenizer>(new Tokenizer(std::move(parts)));
  Parts& own = *tokenizer->parts_;
  if (own.padding) own.pad_id = own.padding->pad_id;
  for (const char* name : {"[PAD]", "<pad>"}) {
    if (!own.pad_id) own.pad_id = tokenizer->token_to_id(name);
  }
  return tokenizer;
}

std::unique_ptr<Tokenizer> Tokenizer::from_vocabulary(std::string_view lines, const WordPieceFileOptions& options) {
  auto parts = std::make_unique<Parts>();
  BertNormalizerOptions normalizer;
  normalizer.lowercase = options.lowercase;
  normalizer.strip_accents = options.strip_accents;
  normalizer.handle_chinese_chars = options.handle_chinese_chars;
  parts->normalizer = make_bert_normalizer(normalizer);
  parts->pre_tokenizer = make_bert_pre_tokenizer();
  WordPieceOptions word_piece;
  word_piece.unk_token = options.unk_token;
  parts->model = make_word_piece(read_lines(lines), word_piece);
  const Vocabulary& vocabulary = parts->model->vocabulary();

  const auto required = [&](const std::string& token) -> int64_t {
    const int32_t id = vocabulary.find(token);
    if (id < 0) fail(Code::kInvalidData, "the vocabulary lacks the special token \"", token, "\"");
    return id;
  };
  const int64_t cls = required(options.cls_token);
  const int64_t sep = required(options.sep_token);
  std::vector<AddedToken> added;
  for (const auto* token :
       {&options.unk_token, &options.sep_token, &options.cls_token, &options.pad_token, &options.mask_token}) {
    if (vocabulary.find(*token) < 0) continue;
    AddedToken special;
    special.content = *token;
    special.special = true;
    added.push_back(std::move(special));
  }
  parts->added = AddedTokens(added, vocabulary, parts->normalizer.get());
  const TemplatePart first{0, {}, 0};
  const TemplatePart second{1, {}, 1};
  parts->post_processor.single = {{-1, {cls}, 0}, first, {-1, {sep}, 0}};
  parts->post_processor.pair = {{-1, {cls}, 0}, first, {-1, {sep}, 0}, second, {-1, {sep}, 1}};
  parts->decoder = make_word_piece_decoder("##", true);
  if (const int32_t pad = vocabulary.find(options.pad_token); pad >= 0) parts->pad_id = pad;
  return std::unique_ptr<Tokenizer>(new Tokenizer(std::move(parts)));
}

std::unique_ptr<Tokenizer> Tokenizer::load(const std::string& path) {
  const fs::path given(path);
  if (!fs::exists(given)) fail(Code::kIo, path, ": there is no such file or folder");
  const bool is_folder = fs::is_directory(given);
  const fs::path folder = is_folder ? given : given.parent_path();
  fs::path file = given;
  if (is_folder) {
    file = folder / "tokenizer.json";
    if (!fs::exists(file)) file = folder / "vocab.txt";
    if (!fs::exists(file)) {
      fail(Code::kIo, path,
           ": the folder has neither tokenizer.json nor vocab.txt, other tokenizer files are not read");
    }
  }
  std::unique_ptr<Tokenizer> tokenizer;
  if (file.extension() == ".json") {
    tokenizer = with_context([&] { return file.string(); }, [&] { return from_json(read_file(file)); });
  } else {
    WordPieceFileOptions options;
    with_config(folder / "tokenizer_config.json",
                [&](JsonObject& config) { options = read_word_piece_config(config); });
    tokenizer = with_context([&] { return file.string(); }, [&] { return from_vocabulary(read_file(file), options); });
  }
  tokenizer->parts_->model_max_length = find_max_length(folder);
  return tokenizer;
}

}  // namespace neural_engine
