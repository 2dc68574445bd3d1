#include "models/tokenizer/unicode.h"

#include <gtest/gtest.h>

#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

TEST(Utf8, RoundTripsEveryCharacter) {
  for (char32_t c = 0; c <= unicode::kLastCodePoint; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string bytes;
    utf8::append(bytes, c);
    char32_t back;
    ASSERT_EQ(utf8::decode(bytes, 0, &back), bytes.size());
    ASSERT_EQ(back, c);
    ASSERT_EQ(utf8::length(c), bytes.size());
  }
}

// Python: bytes.decode("utf-8", "replace").
TEST(Utf8, ReplacesEachMaximalPart) {
  const std::pair<std::string_view, size_t> cases[] = {
      {"\x80", 1},
      {"\xff", 1},
      {"\xc3", 1},
      {"\xc0\x80", 2},          // overlong: no lead byte, and a lone continuation
      {"\xe0\x80\xaf", 3},      // overlong
      {"\xed\xa0\x80", 3},      // a surrogate
      {"\xf4\x90\x80\x80", 4},  // above U+10FFFF
      {"\xe2\x82", 1},          // one unfinished character
      {"\xf0\x9f\x98", 1},
      {"\xf0\x9f\x98\xf0\x9f", 2},
      {"\xf8\x88\x80\x80\x80", 5},
  };
  for (const auto& [bytes, count] : cases) EXPECT_EQ(utf8::decode(bytes), std::u32string(count, 0xFFFD)) << bytes;
  EXPECT_EQ(utf8::sanitize("a\xe2\x28\xa1z"), "a\xEF\xBF\xBD(\xEF\xBF\xBDz");
}

TEST(Unicode, KnowsTheReferencesVersions) {
  EXPECT_EQ(unicode::category('a'), unicode::kLl);
  EXPECT_EQ(unicode::category(0x4E2D), unicode::kLo);
  EXPECT_EQ(unicode::category(0x378), unicode::kCn);
  EXPECT_EQ(unicode::category(0xD800), unicode::kCs);
  EXPECT_EQ(unicode::category(0x1C89), unicode::kLu);  // new in Unicode 16
  EXPECT_TRUE(unicode::has(0x3000, unicode::kWhitespace));
  EXPECT_FALSE(unicode::has(0x200B, unicode::kWhitespace));
  EXPECT_TRUE(unicode::has('$', unicode::kPunctuation));  // a symbol, but ASCII
  EXPECT_FALSE(unicode::has(0x20AC, unicode::kPunctuation));
  EXPECT_FALSE(unicode::has(0x2E5D, unicode::kPunctuation));  // punctuation since Unicode 14 only
  EXPECT_TRUE(unicode::has(0xE000, unicode::kControl));       // private use
  EXPECT_FALSE(unicode::has('\n', unicode::kControl));
  EXPECT_TRUE(unicode::has(0xBD, unicode::kNumeric));
  EXPECT_EQ(unicode::properties(0x110000), 0);
}

TEST(Unicode, Lowers) {
  char32_t second;
  EXPECT_EQ(unicode::lower('Z', &second), U'z');
  EXPECT_EQ(unicode::lower(0xC4, &second), 0xE4u);
  EXPECT_EQ(unicode::lower(0xD7, &second), 0xD7u);    // the multiplication sign among the letters
  EXPECT_EQ(unicode::lower(0x3A3, &second), 0x3C3u);  // no final sigma: one character at a time
  EXPECT_EQ(unicode::lower(0x178, &second), 0xFFu);
  EXPECT_EQ(unicode::lower(0x101, &second), 0x101u);  // every second one of a run
  EXPECT_EQ(unicode::lower(0x10400, &second), 0x10428u);
  EXPECT_EQ(unicode::lower(0x130, &second), U'i');
  EXPECT_EQ(second, 0x307u);
}

TEST(Unicode, CombiningClasses) {
  EXPECT_EQ(unicode::combining_class(0x301), 230);
  EXPECT_EQ(unicode::combining_class(0x334), 1);
  EXPECT_EQ(unicode::combining_class('a'), 0);
  EXPECT_EQ(unicode::combining_class(0x1ACF), 0);  // a mark that Unicode 9 does not have
}

}  // namespace
}  // namespace neural_engine
