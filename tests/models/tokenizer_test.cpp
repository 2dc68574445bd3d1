#include "models/tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "models/tokenizer/decode_stream.h"
#include "sanitized.h"

namespace neural_engine {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<int64_t>;

// Ids by line: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, [MASK] 4, a 5, lib 6, ##rary 7, for 8, images 9, ##s 10, ! 11, image
// 12
const std::string kLines = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nlib\n##rary\nfor\nimages\n##s\n!\nimage\r\n";

std::unique_ptr<Tokenizer> bert(const WordPieceFileOptions& options = {}) {
  return Tokenizer::from_vocabulary(kLines, options);
}

// Words of letters a to e, bytes as ByteAlphabet; merges ab, cd, abcd.
const std::string kBpe = R"({"model": {"type": "BPE",
  "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "Ġ": 4, "ab": 5, "cd": 6, "abcd": 7, "Ã": 8, "©": 9, "Ģ": 10, "â": 11, "Ĥ": 12, "¬": 13},
  "merges": ["a b", "c d", "ab cd"]},
  "added_tokens": [{"id": 14, "content": "<end>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
  "decoder": {"type": "ByteLevel"}})";

TEST(Tokenizer, WordPiece) {
  const auto tokenizer = bert();
  const Encoding row = tokenizer->encode("A Library, for [MASK] IMAGES!");
  EXPECT_EQ(row.ids, (Ids{2, 5, 6, 7, 1, 8, 4, 9, 11, 3}));
  EXPECT_EQ(row.type_ids, Ids(10, 0));
  EXPECT_EQ(row.attention_mask, Ids(10, 1));
  EXPECT_EQ(row.offsets[2], (Span{2, 5}));
  EXPECT_EQ(row.offsets[3], (Span{5, 9}));
  EXPECT_EQ(row.sequence_ids, (std::vector<int32_t>{-1, 0, 0, 0, 0, 0, 0, 0, 0, -1}));
  EXPECT_EQ(row.word_ids, (std::vector<int32_t>{-1, 0, 1, 1, 2, 3, 4, 5, 6, -1}));
  EXPECT_EQ(tokenizer->encode("").ids, (Ids{2, 3}));
  EXPECT_EQ(tokenizer->encode("", {.add_special_tokens = false}).ids, Ids{});
  EXPECT_EQ(tokenizer->encode(std::string(101, 'a')).ids, (Ids{2, 1, 3}));  // longer than 100 characters
}

TEST(Tokenizer, WordPieceOptions) {
  WordPieceFileOptions cased;
  cased.lowercase = false;
  EXPECT_EQ(bert(cased)->encode("a A \xC3\xA0").ids, (Ids{2, 5, 1, 1, 3}));
  EXPECT_EQ(bert()->encode("a A \xC3\xA0").ids, (Ids{2, 5, 5, 5, 3}));
  WordPieceFileOptions accents;
  accents.strip_accents = false;
  EXPECT_EQ(bert(accents)->encode("A \xC3\x80").ids, (Ids{2, 5, 1, 3}));
}

TEST(Tokenizer, Pairs) {
  const Encoding row = bert()->encode_pair("a", "for images");
  EXPECT_EQ(row.ids, (Ids{2, 5, 3, 8, 9, 3}));
  EXPECT_EQ(row.type_ids, (Ids{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(row.sequence_ids, (std::vector<int32_t>{-1, 0, -1, 1, 1, -1}));
}

EncodeOptions truncated(int64_t length, TruncationStrategy strategy = TruncationStrategy::kLongestFirst,
                        int64_t stride = 0, Side side = Side::kRight) {
  EncodeOptions options;
  options.truncation = Truncation{length, strategy, stride, side};
  return options;
}

TEST(Tokenizer, Truncates) {
  const auto tokenizer = bert();
  EXPECT_EQ(tokenizer->encode("a for a for", truncated(4)).ids, (Ids{2, 5, 8, 3}));
  EXPECT_EQ(tokenizer->encode("a for a !", truncated(4, TruncationStrategy::kOnlyFirst, 0, Side::kLeft)).ids,
            (Ids{2, 5, 11, 3}));
  EXPECT_EQ(tokenizer->encode("a for", truncated(2)).ids, (Ids{2, 3}));
  EXPECT_EQ(tokenizer->encode_pair("a a a a", "for", truncated(6)).ids, (Ids{2, 5, 5, 3, 8, 3}));
  EXPECT_EQ(tokenizer->encode_pair("a a a a", "for for for", truncated(6)).ids, (Ids{2, 5, 5, 3, 8, 3}));
  EXPECT_EQ(tokenizer->encode_pair("a a", "for for", truncated(6, TruncationStrategy::kOnlySecond)).ids,
            (Ids{2, 5, 5, 3, 8, 3}));
}

TEST(Tokenizer, Windows) {
  const auto tokenizer = bert();
  const auto rows = tokenizer->encode_windows("a lib for images !", truncated(5, TruncationStrategy::kOnlyFirst, 1));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].ids, (Ids{2, 5, 6, 8, 3}));
  EXPECT_EQ(rows[1].ids, (Ids{2, 8, 9, 11, 3}));
  const auto pairs =
      tokenizer->encode_pair_windows("a", "for images ! a", truncated(6, TruncationStrategy::kOnlySecond, 1));
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[1].ids, (Ids{2, 5, 3, 9, 11, 3}));
  EXPECT_EQ(pairs[2].ids, (Ids{2, 5, 3, 11, 5, 3}));
  EXPECT_EQ(pairs[2].offsets[4], (Span{13, 14}));
}

TEST(Tokenizer, BatchesArePadded) {
  const auto tokenizer = bert();
  const Batch batch = tokenizer->encode_batch({"a", "a lib !"});
  EXPECT_EQ(batch.rows, 2);
  EXPECT_EQ(batch.columns, 5);
  EXPECT_EQ(batch.ids, (Ids{2, 5, 3, 0, 0, 2, 5, 6, 11, 3}));
  EXPECT_EQ(batch.attention_mask, (Ids{1, 1, 1, 0, 0, 1, 1, 1, 1, 1}));
  EncodeOptions options;
  options.padding = Padding{PaddingStrategy::kFixed, 4, 3, Side::kLeft, 7, 1};
  const Batch fixed = tokenizer->encode_batch({"a"}, {"for"}, options);
  EXPECT_EQ(fixed.ids, (Ids{7, 2, 5, 3, 8, 3}));
  EXPECT_EQ(fixed.type_ids, (Ids{1, 0, 0, 0, 1, 1}));
  options.padding = Padding{PaddingStrategy::kFixed, 3, 1, Side::kRight, {}, 0};
  EXPECT_EQ(tokenizer->encode_batch({"a", "a lib !"}, {}, options).columns, 5);
  EXPECT_EQ(tokenizer->encode_batch(std::span<const std::string>()).rows, 0);
}

TEST(Tokenizer, ByteLevelAndDecode) {
  const auto tokenizer = Tokenizer::from_json(kBpe);
  const Encoding row = tokenizer->encode("abcd abc<end>\xC3\xA9");
  EXPECT_EQ(row.ids, (Ids{7, 4, 5, 2, 14, 8, 9}));
  EXPECT_EQ(row.offsets[4], (Span{8, 13}));
  EXPECT_EQ(row.offsets[5], (Span{13, 15}));
  EXPECT_EQ(row.offsets[6], (Span{13, 15}));
  EXPECT_EQ(tokenizer->decode(row.ids), "abcd abc\xC3\xA9");
  EXPECT_EQ(tokenizer->decode(row.ids, false), "abcd abc<end>\xC3\xA9");
  EXPECT_EQ(tokenizer->decode(Ids{8}), "\xEF\xBF\xBD");
  EXPECT_EQ(tokenizer->decode(Ids{}), "");
  EXPECT_EQ(tokenizer->decode(Ids{-1, 99, 0}), "a");
  EXPECT_EQ(tokenizer->vocabulary_size(), 15);
  EXPECT_EQ(tokenizer->token_to_id("<end>"), 14);
  EXPECT_EQ(tokenizer->token_to_id("x"), std::nullopt);
  EXPECT_EQ(tokenizer->id_to_token(7), "abcd");
  EXPECT_TRUE(tokenizer->is_special(14));
  EXPECT_FALSE(tokenizer->is_special(7));
}

TEST(Tokenizer, DecodesStreams) {
  const auto tokenizer = Tokenizer::from_json(kBpe);
  DecodeStream stream(*tokenizer);
  std::string all;
  std::vector<std::string> parts;
  for (const int64_t id : {7, 4, 8, 9, 14, 11, 12, 13, 0}) parts.push_back(stream.push(id));
  EXPECT_EQ(parts, (std::vector<std::string>{"abcd", " ", "", "\xC3\xA9", "", "", "", "\xE2\x82\xAC", "a"}));
}

TEST(Tokenizer, DecodesWordPiece) { EXPECT_EQ(bert()->decode(Ids{2, 5, 6, 7, 11, 3}), "a library!"); }

TEST(Tokenizer, ManyThreadsUseOne) {
  const auto tokenizer = bert();
  const Ids expected = tokenizer->encode("a library for images!").ids;
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) wrong += tokenizer->encode("a library for images!").ids != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// Long words cost n log n.
TEST(Tokenizer, LongWordsEnd) {
  const auto tokenizer = Tokenizer::from_json(kBpe);
  const int words = kSanitized ? 20000 : 200000;
  std::string text;
  for (int i = 0; i < words; ++i) text += "abcd";
  EXPECT_EQ(tokenizer->encode(text).ids, Ids(static_cast<size_t>(words), 7));
}

class TokenizerFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("ne_tokenizer_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  fs::path folder_;
};

TEST_F(TokenizerFolder, VocabularyWithItsConfig) {
  write("vocab.txt", kLines);
  EXPECT_EQ(Tokenizer::load(folder_.string())->encode("A").ids, (Ids{2, 5, 3}));
  EXPECT_EQ(Tokenizer::load((folder_ / "vocab.txt").string())->model_max_length(), std::nullopt);
  write("config.json", R"({"max_position_embeddings": 128})");
  write("tokenizer_config.json", R"({"do_lower_case": false, "tokenizer_class": "BertTokenizerFast",
        "mask_token": {"content": "!"}, "model_max_length": 1000000000000000019884624838656, "name": "x"})");
  const auto tokenizer = Tokenizer::load(folder_.string());
  EXPECT_EQ(tokenizer->encode("A").ids, (Ids{2, 1, 3}));
  EXPECT_EQ(tokenizer->encode("a[MASK]").ids, (Ids{2, 5, 1, 1, 1, 3}));
  EXPECT_EQ(tokenizer->model_max_length(), 128);
  EXPECT_EQ(tokenizer->pad_id(), 0);
}

TEST_F(TokenizerFolder, JsonComesFirst) {
  write("vocab.txt", kLines);
  write("tokenizer.json", kBpe);
  write("tokenizer_config.json", R"({"model_max_length": 77})");
  const auto tokenizer = Tokenizer::load(folder_.string());
  EXPECT_EQ(tokenizer->encode("ab").ids, Ids{5});
  EXPECT_EQ(tokenizer->model_max_length(), 77);
  EXPECT_EQ(tokenizer->pad_id(), std::nullopt);
  EXPECT_THROW(tokenizer->encode_batch({"ab", "a b"}), Error);  // nothing to pad with
}

// The call is refused with the code and a text that contains each of `parts`.
template <class Call>
void expect_error(Call call, Code code, std::initializer_list<std::string> parts) {
  try {
    call();
    ADD_FAILURE() << "not refused: " << *parts.begin();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (const std::string& part : parts)
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST_F(TokenizerFolder, Refusals) {
  const auto load = [&] { Tokenizer::load(folder_.string()); };
  expect_error([] { Tokenizer::load("/no/such/folder"); }, Code::kIo, {"/no/such/folder"});
  expect_error(load, Code::kIo, {"neither tokenizer.json nor vocab.txt"});
  write("vocab.txt", "a\nb\n");
  expect_error(load, Code::kInvalidData, {"vocab.txt", "[UNK]"});
  write("vocab.txt", "[UNK]\na\n");
  expect_error(load, Code::kInvalidData, {"[CLS]"});
  write("vocab.txt", "[UNK]\n\xff\n");
  expect_error(load, Code::kInvalidData, {"line 2"});
  write("vocab.txt", kLines);
  write("tokenizer_config.json", R"({"tokenizer_class": "RobertaTokenizer"})");
  expect_error(load, Code::kUnsupported, {"tokenizer_config.json", "RobertaTokenizer", "BertTokenizer"});
  write("tokenizer_config.json", R"({"do_basic_tokenize": false})");
  expect_error(load, Code::kUnsupported, {"do_basic_tokenize"});
  write("tokenizer_config.json", R"({"do_lower_case": "no"})");
  expect_error(load, Code::kInvalidData, {"do_lower_case is a string, expected true or false"});
  write("tokenizer.json", "{");
  expect_error(load, Code::kInvalidData, {"tokenizer.json", "not JSON"});
}

TEST(Tokenizer, RefusesBadArguments) {
  const auto tokenizer = bert();
  const auto encode = [&](const EncodeOptions& options) { return [&] { tokenizer->encode("a a a a", options); }; };
  expect_error(encode(truncated(1)), Code::kInvalidArgument, {"truncation to 1", "alone are 2"});
  expect_error(encode(truncated(4, TruncationStrategy::kOnlySecond)), Code::kInvalidArgument, {"there is one text"});
  expect_error([&] { tokenizer->encode_windows("a a a a", truncated(4, TruncationStrategy::kOnlyFirst, 2)); },
               Code::kInvalidArgument, {"stride of 2"});
  expect_error([&] { tokenizer->encode_pair("a", "a a", truncated(4, TruncationStrategy::kOnlyFirst)); },
               Code::kInvalidArgument, {"cannot cut 2 tokens"});
  expect_error([&] { tokenizer->encode_pair_windows("a a a", "a a a", truncated(5)); }, Code::kUnsupported,
               {"windows of both"});
  expect_error([&] { tokenizer->encode_batch({"a", "b"}, {"c"}); }, Code::kInvalidArgument, {"2 texts with 1 pairs"});
  EncodeOptions options;
  options.padding = Padding{PaddingStrategy::kNone};
  expect_error(
      [&] {
        tokenizer->encode_batch({"a", "a a"}, {}, options);
      },
      Code::kInvalidArgument, {"without padding"});
}

}  // namespace
}  // namespace neural_engine
