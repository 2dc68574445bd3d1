// What a tokenizer.json may not contain: each row is a change of a valid file and the words that name it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "models/tokenizer/tokenizer.h"

namespace neural_engine {
namespace {

using Json = nlohmann::json;

const char* const kValid = R"({
  "version": "1.0", "truncation": null, "padding": null,
  "added_tokens": [{"id": 3, "content": "<x>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
  "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
  "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "",
            "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}})";

struct Change {
  const char* at;     // a JSON pointer
  const char* value;  // what is put there
  Code code;
  const char* message;
};

void PrintTo(const Change& change, std::ostream* out) { *out << change.at << " = " << change.value; }

class TokenizerJson : public testing::TestWithParam<Change> {};

TEST_P(TokenizerJson, IsRefused) {
  Json value = Json::parse(kValid);
  value[Json::json_pointer(GetParam().at)] = Json::parse(GetParam().value);
  try {
    Tokenizer::from_json(value.dump());
    ADD_FAILURE() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), GetParam().code) << error.what();
    EXPECT_NE(std::string(error.what()).find(GetParam().message), std::string::npos) << error.what();
  }
}

constexpr Code kBad = Code::kInvalidData;
constexpr Code kNot = Code::kUnsupported;

INSTANTIATE_TEST_SUITE_P(
    Model, TokenizerJson,
    testing::Values(
        Change{"/version", "\"2.0\"", kNot, "version \"2.0\""}, Change{"/version", "1", kBad, "version is a number"},
        Change{"/extra", "1", kNot, "the field extra (a number)"}, Change{"/model", "null", kBad, "model is missing"},
        Change{"/model", "[]", kBad, "model is an array, expected an object"},
        Change{"/model/type", "\"WordLevel\"", kNot, "\"WordLevel\"; supported are BPE, Unigram, WordPiece"},
        Change{"/model/type", "3", kBad, "model.type is a number"},
        Change{"/model/dropout", "0.1", kNot, "dropout is 0.1"},
        Change{"/model/fuse_unk", "\"x\"", kBad, "model.fuse_unk is a string, expected true or false"},
        Change{"/model/new_setting", "true", kNot, "model.new_setting"},
        Change{"/model/unk_token", "\"<unk>\"", kBad, "unknown token \"<unk>\""},
        Change{"/model/vocab", "null", kBad, "model.vocab is missing"},
        Change{"/model/vocab", "[]", kBad, "model.vocab is an array"},
        Change{"/model/vocab/b", "0", kBad, "have the same id 0"},
        Change{"/model/vocab/b", "-1", kBad, "has the id -1"},
        Change{"/model/vocab/b", "1.5", kBad, "is 1.5, expected an integer"},
        Change{"/model/vocab/b", "4000000000", kBad, "4000000000"},
        Change{"/model/vocab/b", "18446744073709551615", kBad, "18446744073709551615"},
        Change{"/model/merges", "null", kBad, "model.merges is missing"},
        Change{"/model/merges/0", "[\"a\", \"c\"]", kBad, "\"c\" is not in the vocabulary"},
        Change{"/model/merges/0", "[\"b\", \"a\"]", kBad, "\"ba\" is not in the vocabulary"},
        Change{"/model/merges/0", "[\"a\"]", kBad, "model.merges[0] is an array"},
        Change{"/model/merges/0", "\"a b c\"", kBad, "expected two tokens and one space"},
        Change{"/model/merges/0", "7", kBad, "model.merges[0] is a number"},
        Change{"/model/continuing_subword_prefix", "\"##\"", kBad, "does not begin with the prefix"},
        Change{
            "/model",
            R"({"type": "WordPiece", "unk_token": "x", "continuing_subword_prefix": "##", "max_input_chars_per_word": -1, "vocab": {"x": 0}})",
            kBad, "max_input_chars_per_word is -1"},
        Change{
            "/model",
            R"({"type": "WordPiece", "unk_token": "y", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9, "vocab": {"x": 0}})",
            kBad, "\"y\" is not in the vocabulary"},
        Change{"/model", R"({"type": "Unigram", "unk_id": 5, "vocab": [["a", 0.5]]})", kBad, "unk_id is 5"},
        Change{"/model", R"({"type": "Unigram", "unk_id": 0, "vocab": [["a", "b"]]})", kBad, "model.vocab[0]"},
        Change{"/model", R"({"type": "Unigram", "unk_id": 0, "vocab": []})", kBad, "is empty"},
        Change{"/model", R"({"vocab": {}})", kBad, "model.type is missing"}));

INSTANTIATE_TEST_SUITE_P(
    Parts, TokenizerJson,
    testing::Values(
        Change{"/added_tokens", "{}", kBad, "added_tokens is an object"},
        Change{"/added_tokens/0/id", "9", kBad, "states the id 9, but has the id 3"},
        Change{"/added_tokens/0/content", "\"\"", kBad, "without content"},
        Change{"/added_tokens/0/content", "null", kBad, "added_tokens[0].content is missing"},
        Change{"/added_tokens/0/lstrip", "0", kBad, "added_tokens[0].lstrip is a number"},
        Change{"/normalizer", R"({"type": "Precompiled", "precompiled_charsmap": ""})", kNot,
               "\"Precompiled\"; supported are Bert"},
        Change{"/normalizer", R"({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Upper"}]})", kNot,
               "normalizer.normalizers[1] has the type \"Upper\""},
        Change{"/normalizer", R"({"type": "NFC", "form": 1})", kNot, "normalizer.form"},
        Change{"/normalizer", R"({"type": "Strip", "strip_left": true})", kBad, "normalizer.strip_right is missing"},
        Change{"/normalizer", R"({"type": "Replace", "pattern": {"Regex": "(?<=a)b"}, "content": ""})", kNot,
               "normalizer.pattern: regular"},
        Change{"/normalizer", R"({"type": "Replace", "pattern": {"String": ""}, "content": ""})", kNot, "empty string"},
        Change{"/normalizer", "\"NFC\"", kBad, "normalizer is a string"},
        Change{"/pre_tokenizer", R"({"type": "UnicodeScripts"})", kNot, "\"UnicodeScripts\"; supported are"},
        Change{"/pre_tokenizer", R"({"type": "ByteLevel", "trim_offsets": true})", kBad, "add_prefix_space is missing"},
        Change{"/pre_tokenizer",
               R"({"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": false})", kBad,
               "pre_tokenizer.pattern"},
        Change{"/pre_tokenizer",
               R"({"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Merged", "invert": false})", kNot,
               "behavior is \"Merged\""},
        Change{"/pre_tokenizer", R"({"type": "Metaspace", "replacement": "__"})", kBad, "has 2 characters"},
        Change{"/pre_tokenizer", R"({"type": "Metaspace", "replacement": "_", "prepend_scheme": "last"})", kNot,
               "\"last\""},
        Change{"/pre_tokenizer", R"({"type": "Metaspace", "replacement": "_", "add_prefix_space": false})", kBad,
               "add_prefix_space is false"},
        Change{"/post_processor", R"({"type": "Other"})", kNot, "\"Other\"; supported are BertProcessing"},
        Change{"/post_processor", R"({"type": "BertProcessing", "sep": ["b", 1], "cls": ["z", 77]})", kBad,
               "the id 77"},
        Change{"/post_processor", R"({"type": "BertProcessing", "sep": ["b", 1], "cls": "a"})", kBad,
               "post_processor.cls is a string"},
        Change{
            "/post_processor",
            R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "q", "type_id": 0}}], "pair": [], "special_tokens": {}})",
            kBad, "\"q\" is not among the special_tokens"},
        Change{
            "/post_processor",
            R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "B", "type_id": 0}}], "pair": [], "special_tokens": {}})",
            kBad, "post_processor.single has sequence B"},
        Change{
            "/post_processor",
            R"({"type": "Sequence", "processors": [{"type": "BertProcessing", "sep": ["b", 1], "cls": ["a", 0]}, {"type": "BertProcessing", "sep": ["b", 1], "cls": ["a", 0]}]})",
            kNot, "second processor"},
        Change{"/decoder", R"({"type": "CTC"})", kNot, "decoder has the type \"CTC\""},
        Change{"/decoder", R"({"type": "WordPiece", "prefix": "##"})", kBad, "decoder.cleanup is missing"},
        Change{"/truncation", R"({"max_length": -1, "strategy": "LongestFirst", "stride": 0})", kBad,
               "truncation.max_length is -1"},
        Change{"/truncation", R"({"max_length": 9, "strategy": "Any", "stride": 0})", kNot,
               "truncation.strategy is \"Any\""},
        Change{"/padding",
               R"({"strategy": "Longest", "direction": "Right", "pad_id": 0, "pad_type_id": 0, "pad_token": "x"})",
               kNot, "padding.strategy"},
        Change{"/padding",
               R"({"strategy": "BatchLongest", "direction": "Up", "pad_id": 0, "pad_type_id": 0, "pad_token": "x"})",
               kNot, "padding.direction is \"Up\""}));

TEST(TokenizerJsonFile, AcceptsWhatTheChangesStartFrom) {
  EXPECT_EQ(Tokenizer::from_json(kValid)->encode("ab<x>a").ids, (std::vector<int64_t>{2, 3, 0}));
}

void expect_invalid(const std::string& text, const std::string& message) {
  try {
    Tokenizer::from_json(text);
    ADD_FAILURE() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidData);
    EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
  }
}

TEST(TokenizerJsonFile, RefusesWhatIsNoTokenizer) {
  expect_invalid("", "not JSON");
  expect_invalid("[1, 2", "not JSON");
  expect_invalid("{\"a\": \"\xff\"}", "not JSON");
  expect_invalid("[]", "the file is an array, expected an object");
  expect_invalid("{}", "model is missing");
  expect_invalid(std::string(1000000, '['), "nested deeper than 64");
}

TEST(TokenizerJsonFile, RefusesAddedTokensThatRepeatOrVanish) {
  Json value = Json::parse(kValid);
  value["added_tokens"].push_back(value["added_tokens"][0]);
  expect_invalid(value.dump(), "is there twice");
  value = Json::parse(kValid);
  value["normalizer"] = {{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}};
  value["added_tokens"][0]["content"] = "  ";
  value["added_tokens"][0]["normalized"] = true;
  EXPECT_THROW(Tokenizer::from_json(value.dump()), Error);
}

// Files of the first versions of the format: no type, merges as lines.
TEST(TokenizerJsonFile, ReadsOldForms) {
  const auto tokenizer =
      Tokenizer::from_json(R"({"model": {"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["#version: 0.2", "a b"]}})");
  EXPECT_EQ(tokenizer->encode("abb").ids, (std::vector<int64_t>{2, 1}));
}

}  // namespace
}  // namespace neural_engine
