// Compares with Hugging Face's tokenizers on 30,000 to 120,000 strings for each tokenizer of variants.json, by hashes
// that make_tokenizer_goldens.py wrote: ids, type ids and mask; offsets; decoded text.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "hostile_text.h"
#include "models/tokenizer/tokenizer.h"
#include "models/tokenizer/utf8.h"
#include "sanitized.h"

namespace neural_engine {
namespace {

using Json = nlohmann::json;

constexpr size_t kLeast = 30000;

const std::string kData = NE_SOURCE_DIR "/tests/data/tokenizer/";
const std::string kVocabulary = NE_SOURCE_DIR "/models/tiny_a/vocab.txt";

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> lines;
  std::istringstream in(read(path));
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

struct Hashes {
  uint64_t ids = 0, offsets = 0, text = 0;
  bool operator==(const Hashes&) const = default;
};

struct Golden {
  size_t strings = 0;
  std::vector<Hashes> chunks;
};

// The chunk size and the goldens by name.
size_t read_goldens(const std::string& path, std::map<std::string, Golden>& goldens) {
  std::istringstream in(read(path));
  std::string word, version;
  size_t chunk = 0;
  in >> word >> version >> word >> chunk;
  std::string name;
  for (Golden golden; chunk != 0 && in >> name >> golden.strings; goldens[name] = std::exchange(golden, {})) {
    golden.chunks.resize((golden.strings + chunk - 1) / chunk);
    for (Hashes& hashes : golden.chunks) in >> std::hex >> hashes.ids >> hashes.offsets >> hashes.text >> std::dec;
  }
  return chunk;
}

// A polynomial hash modulo 2^61 - 1: of the bytes as one little-endian number, and of what was before.
void mix(uint64_t& hash, std::string data) {
  __extension__ using Wide = unsigned __int128;
  constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
  const uint64_t size = data.size();
  data.resize((size + 7) / 8 * 8);  // zeros at the high end change nothing
  uint64_t number = 0;
  for (size_t at = data.size(); at > 0; at -= 8) {
    uint64_t word;
    std::memcpy(&word, data.data() + at - 8, 8);
    // 2^61 is 1, so that times 2^64 is a rotation by 3 of 61 bits.
    const uint64_t rotated = (number << 3 & kPrime) | number >> 58;
    number = (rotated + (word & kPrime) + (word >> 61)) % kPrime;
  }
  hash = static_cast<uint64_t>((Wide{hash} * 0x9E3779B97F4A7C15u + number + size) % kPrime);
}

void append(std::string& out, uint64_t word) { out.append(reinterpret_cast<const char*>(&word), sizeof word); }

// Offsets are bytes here and characters there: the character that each byte of the text begins.
std::vector<uint32_t> characters_of(const std::string& text) {
  std::vector<uint32_t> characters(text.size() + 1);
  uint32_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) {
    char32_t c;
    const uint32_t taken = utf8::decode(text, at, &c);
    for (uint32_t i = 0; i < taken; ++i) characters[at + i] = count;
    at += taken;
  }
  characters[text.size()] = count;
  return characters;
}

void mix(Hashes& hashes, const Tokenizer& tokenizer, const Encoding& row, const std::string& text,
         const std::string& pair) {
  const std::vector<uint32_t> of_text = characters_of(text);
  const std::vector<uint32_t> of_pair = characters_of(pair);
  std::string ids, offsets;
  for (size_t i = 0; i < row.size(); ++i) {
    append(ids, static_cast<uint64_t>(row.ids[i] | row.type_ids[i] << 32 | row.attention_mask[i] << 40));
    const auto& of = row.sequence_ids[i] == 1 ? of_pair : of_text;
    append(offsets, of[row.offsets[i].begin] | uint64_t{of[row.offsets[i].end]} << 32);
  }
  mix(hashes.ids, ids);
  mix(hashes.offsets, offsets);
  mix(hashes.text, tokenizer.decode(row.ids, false));
}

struct Variant {
  std::unique_ptr<Tokenizer> tokenizer;
  EncodeOptions options;
  bool pairs = false;
};

Variant load_bert(const Json& options) {
  Variant variant;
  WordPieceFileOptions file;
  file.lowercase = options.value("lowercase", true);
  variant.tokenizer = Tokenizer::from_vocabulary(read(kVocabulary), file);
  if (options.contains("max_length")) {
    Truncation truncation;
    truncation.max_length = options["max_length"];
    if (options["strategy"] == "only_first") truncation.strategy = TruncationStrategy::kOnlyFirst;
    if (options.value("direction", "right") == "left") truncation.side = Side::kLeft;
    variant.options.truncation = truncation;
  }
  return variant;
}

Variant load(const Json& description) {
  Variant variant;
  if (description["base"] == "vocab.txt") {
    variant = load_bert(description["options"]);
  } else {
    Json value = Json::parse(read(kData + description["base"].get<std::string>()));
    if (description.contains("set")) value.update(description["set"]);
    if (description.contains("model")) value["model"].update(description["model"]);
    variant.tokenizer = Tokenizer::from_json(value.dump());
  }
  variant.pairs = description.value("pairs", false);
  return variant;
}

// The hashes of one chunk of texts.
Hashes hash(const Variant& variant, const std::vector<std::string>& texts) {
  Hashes hashes;
  for (size_t i = 0; i < texts.size(); ++i) {
    const bool pair = variant.pairs && i + 1 < texts.size();
    const Encoding row = pair ? variant.tokenizer->encode_pair(texts[i], texts[i + 1], variant.options)
                              : variant.tokenizer->encode(texts[i], variant.options);
    mix(hashes, *variant.tokenizer, row, texts[i], pair ? texts[i + 1] : std::string());
  }
  return hashes;
}

void expect_same(const Hashes& ours, const Hashes& theirs, size_t first) {
  EXPECT_EQ(ours.ids, theirs.ids) << "ids differ in the strings from " << first;
  EXPECT_EQ(ours.offsets, theirs.offsets) << "offsets differ in the strings from " << first;
  EXPECT_EQ(ours.text, theirs.text) << "decoded texts differ in the strings from " << first;
}

// Under sanitizers, a sample: they look for other faults than wrong tokens.
constexpr size_t kChunkStep = kSanitized ? 64 : 1;

class TokenizerGolden : public testing::TestWithParam<const char*> {};

TEST_P(TokenizerGolden, EqualsHuggingFaceOnHostileStrings) {
  const hostile::Maker maker(read_lines(kData + "real.txt"));
  std::map<std::string, Golden> goldens;
  const size_t chunk = read_goldens(kData + "goldens.txt", goldens);
  const Golden& golden = goldens[GetParam()];
  ASSERT_GE(golden.strings, kLeast);
  for (const Json& description : Json::parse(read(kData + "variants.json"))) {
    if (description["name"] != GetParam()) continue;
    const Variant variant = load(description);
    for (size_t i = 0; i < golden.chunks.size(); i += kChunkStep) {
      std::vector<std::string> texts;
      for (size_t k = i * chunk; k < std::min((i + 1) * chunk, golden.strings); ++k) texts.push_back(maker.make(k));
      expect_same(hash(variant, texts), golden.chunks[i], i * chunk);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, TokenizerGolden,
                         testing::Values("bpe_gpt2", "bpe_roberta", "bpe_llama3", "bpe_qwen2", "bpe_gpt4o",
                                         "bpe_cl100k", "bpe_deepseek", "bpe_words", "bpe_nfkc", "bpe_nfkd", "bpe_nfd",
                                         "bpe_bytes", "spm_llama2", "spm_metaspace", "clip", "prefix", "unigram",
                                         "bert", "bert_pair", "bert_cased"),
                         [](const auto& param) { return std::string(param.param); });

// Other texts and tokenizers, prepared by make_tokenizer_goldens.py --external.
TEST(TokenizerGoldenExternal, EqualsHuggingFace) {
  const char* folder = std::getenv("NE_TOKENIZER_GOLDENS");
  if (folder == nullptr) GTEST_SKIP() << "NE_TOKENIZER_GOLDENS names no folder";
  const std::string root = folder;
  std::map<std::string, Golden> goldens;
  const size_t chunk = read_goldens(root + "/goldens.txt", goldens);
  const Golden& golden = goldens["external"];
  const std::vector<std::string> lines = read_lines(root + "/texts.txt");
  ASSERT_EQ(lines.size(), golden.strings);
  Variant variant;
  variant.tokenizer = Tokenizer::load(root);
  for (size_t i = 0; i < golden.chunks.size(); ++i) {
    const auto first = lines.begin() + static_cast<int64_t>(i * chunk);
    const auto last = lines.begin() + static_cast<int64_t>(std::min((i + 1) * chunk, lines.size()));
    expect_same(hash(variant, {first, last}), golden.chunks[i], i * chunk);
  }
}

}  // namespace
}  // namespace neural_engine
