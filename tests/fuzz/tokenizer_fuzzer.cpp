// Input: a tokenizer.json, a NUL byte, a text. Whatever the file, loading either throws Error or gives a tokenizer that
// encodes any text, with ids in its vocabulary and offsets in the text. An input without NUL is a text for a tokenizer
// of its own making that uses most parts.
#include <string>
#include <string_view>

#include "fuzz/targets.h"
#include "models/tokenizer/tokenizer.h"
#include "neural_engine/error.h"

namespace neural_engine {
namespace {

constexpr std::string_view kTokenizer = R"({
  "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "NFD"}, {"type": "BertNormalizer",
    "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}]},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
    {"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s+(?!\\S)|\\s+"},
     "behavior": "Isolated", "invert": false},
    {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": false}]},
  "post_processor": {"type": "RobertaProcessing", "sep": ["<s>", 6], "cls": ["<s>", 6], "trim_offsets": true, "add_prefix_space": true},
  "decoder": {"type": "ByteLevel"},
  "added_tokens": [
    {"id": 6, "content": "<s>", "single_word": false, "lstrip": true, "rstrip": true, "normalized": false, "special": true},
    {"id": 7, "content": "Ab", "single_word": true, "lstrip": false, "rstrip": true, "normalized": true, "special": false}],
  "model": {"type": "BPE", "unk_token": "Ġ", "fuse_unk": true, "merges": ["a b", "ab ab", "Ġ a"],
    "vocab": {"a": 0, "b": 1, "ab": 2, "abab": 3, "Ġ": 4, "Ġa": 5}}})";

void check(bool holds) {
  if (!holds) throw Finding("an id or an offset is out of range, or an internal error");
}

void use(const Tokenizer& tokenizer, std::string_view text) {
  const Encoding row = tokenizer.encode(text);
  for (size_t i = 0; i < row.size(); ++i) {
    check(row.ids[i] >= 0 && (row.ids[i] < tokenizer.vocabulary_size() || row.attention_mask[i] == 0));
    check(row.offsets[i].begin <= text.size() && row.offsets[i].end <= text.size());
  }
  tokenizer.decode(row.ids);
}

void run(std::string_view input) {
  const size_t end = input.find('\0');
  try {
    if (end == std::string_view::npos) {
      static const std::unique_ptr<Tokenizer> tokenizer = Tokenizer::from_json(kTokenizer);
      use(*tokenizer, input);
    } else {
      use(*Tokenizer::from_json(input.substr(0, end)), input.substr(end + 1));
    }
  } catch (const Error& error) {
    check(error.code() != Code::kInternal);
  }
}

}  // namespace

void fuzz_tokenizer(std::span<const std::byte> bytes) {
  run({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace neural_engine
