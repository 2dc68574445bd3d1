#include "models/tokenizer/pre_tokenizer.h"

#include <gtest/gtest.h>

#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

using Words = std::vector<std::string>;

Pieces pieces_of(std::string_view text) {
  Pieces pieces;
  pieces.text = AlignedText::from_utf8(text);
  if (!pieces.text.empty()) pieces.list = {{0, static_cast<uint32_t>(pieces.text.size()), -1}};
  return pieces;
}

Words words_of(const Pieces& pieces) {
  Words words;
  for (const Piece& piece : pieces.list) words.push_back(utf8::encode(pieces.view(piece)));
  return words;
}

Words split(const PreTokenizerPtr& pre_tokenizer, std::string_view text) {
  Pieces pieces = pieces_of(text);
  pre_tokenizer->apply(pieces);
  return words_of(pieces);
}

TEST(PreTokenizer, Bert) {
  EXPECT_EQ(split(make_bert_pre_tokenizer(), "Hey, friend!  $5\xE3\x80\x80x\xE2\x82\xAC"),
            (Words{"Hey", ",", "friend", "!", "$", "5", "x\xE2\x82\xAC"}));
  EXPECT_EQ(split(make_bert_pre_tokenizer(), ""), Words{});
  EXPECT_EQ(split(make_bert_pre_tokenizer(), " \n "), Words{});
}

TEST(PreTokenizer, ByteLevel) {
  EXPECT_EQ(split(make_byte_level(false, true), "I'll go  to\n\xC3\xA9t\xC3\xA9 42!"),
            (Words{"I", "'ll", "\xC4\xA0go", "\xC4\xA0", "\xC4\xA0to", "\xC4\x8A", "\xC3\x83\xC2\xA9t\xC3\x83\xC2\xA9",
                   "\xC4\xA0"
                   "42",
                   "!"}));
  EXPECT_EQ(split(make_byte_level(true, true), "go"), Words{"\xC4\xA0go"});
  EXPECT_EQ(split(make_byte_level(true, true), " go"), Words{"\xC4\xA0go"});
  EXPECT_EQ(split(make_byte_level(false, false), "a b"), Words{"a\xC4\xA0"
                                                               "b"});
}

TEST(PreTokenizer, Whitespace) {
  EXPECT_EQ(split(make_whitespace(), "How are_you?! e\xCC\x81--"), (Words{"How", "are_you", "?!", "e\xCC\x81", "--"}));
  EXPECT_EQ(split(make_whitespace_split(), " How are\xC2\xA0you?! "), (Words{"How", "are", "you?!"}));
}

TEST(PreTokenizer, DigitsAndPunctuation) {
  EXPECT_EQ(split(make_digits(false),
                  "ab123\xC2\xBD"
                  "c"),
            (Words{"ab", "123\xC2\xBD", "c"}));
  EXPECT_EQ(split(make_digits(true), "ab12c"), (Words{"ab", "1", "2", "c"}));
  EXPECT_EQ(split(make_punctuation(SplitBehavior::kIsolated), "a--b"), (Words{"a", "-", "-", "b"}));
}

// The example of the header.
TEST(PreTokenizer, SplitBehaviors) {
  const auto run = [](SplitBehavior behavior, bool invert = false) {
    return split(make_split(Regex("-"), behavior, invert), "the-final--countdown");
  };
  EXPECT_EQ(run(SplitBehavior::kRemoved), (Words{"the", "final", "countdown"}));
  EXPECT_EQ(run(SplitBehavior::kIsolated), (Words{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(run(SplitBehavior::kMergedWithPrevious), (Words{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(run(SplitBehavior::kMergedWithNext), (Words{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(run(SplitBehavior::kContiguous), (Words{"the", "-", "final", "--", "countdown"}));
  EXPECT_EQ(run(SplitBehavior::kRemoved, true), (Words{"-", "-", "-"}));
}

TEST(PreTokenizer, Metaspace) {
  const std::string m = "\xE2\x96\x81";
  const auto run = [](PrependScheme scheme, bool cuts, std::string_view text) {
    return split(make_metaspace(0x2581, scheme, cuts), text);
  };
  EXPECT_EQ(run(PrependScheme::kAlways, true, "Hey you  x"), (Words{m + "Hey", m + "you", m, m + "x"}));
  EXPECT_EQ(run(PrependScheme::kNever, true, "Hey you"), (Words{"Hey", m + "you"}));
  EXPECT_EQ(run(PrependScheme::kFirst, false, "Hey you"), (Words{m + "Hey" + m + "you"}));
  EXPECT_EQ(run(PrependScheme::kAlways, true, " Hey"), (Words{m + "Hey"}));
  EXPECT_EQ(run(PrependScheme::kAlways, true, m + "Hey"), (Words{m + "Hey"}));
}

TEST(PreTokenizer, LeavesAddedTokensAlone) {
  Pieces pieces = pieces_of("a b<x y>c d");
  pieces.list = {{0, 3, -1}, {3, 8, 7}, {8, 11, -1}};
  make_byte_level(true, true)->apply(pieces);
  EXPECT_EQ(words_of(pieces), (Words{"\xC4\xA0"
                                     "a",
                                     "\xC4\xA0"
                                     "b",
                                     "<x y>",
                                     "\xC4\xA0"
                                     "c",
                                     "\xC4\xA0"
                                     "d"}));
  EXPECT_EQ(pieces.list[2].token, 7);
}

TEST(PreTokenizer, SequenceAndDelimiter) {
  std::vector<PreTokenizerPtr> parts;
  parts.push_back(make_char_delimiter_split('|'));
  parts.push_back(make_digits(false));
  EXPECT_EQ(split(make_pre_tokenizer_sequence(std::move(parts)), "a1||b"), (Words{"a", "1", "b"}));
}

}  // namespace
}  // namespace neural_engine
