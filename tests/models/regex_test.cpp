#include "models/tokenizer/regex.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

// The matches, with "|" between them.
std::string find(std::string_view pattern, std::string_view text) {
  const Regex regex{pattern};
  std::vector<Regex::Match> matches;
  const std::u32string chars = utf8::decode(text);
  regex.find_all(chars, matches);
  std::string out;
  for (const Regex::Match& match : matches) {
    if (!out.empty()) out += '|';
    out += utf8::encode(std::u32string_view(chars).substr(match.begin, match.end - match.begin));
  }
  return out;
}

TEST(Regex, MatchesAsBacktrackingDoes) {
  const struct {
    const char *pattern, *text, *expected;
  } cases[] = {
      {"a|ab", "ab", "a"},
      {"(?:a|ab)c", "abc", "abc"},
      {"a+b", "aaab ab b", "aaab|ab"},
      {"a*b", "aaab ab b", "aaab|ab|b"},
      {"a+?b?", "aaab", "a|a|ab"},
      {"a{2,3}", "aaaaaaa", "aaa|aaa"},
      {"a{2}", "aaaaa", "aa|aa"},
      {"(ab){1,2}c", "abababc", "ababc"},
      {"(?:ab){2,}", "abababab", "abababab"},
      {"(ab|a)+?b", "aabab", "aabab"},
      {"[a-c]+[b]", "abcabd", "abcab"},
      {"[^a-c ]+", "abcxyz abd", "xyz|d"},
      {"a++b", "aaab", "aaab"},
      {"a++ab|b", "aaab", "b"},
      {"(?>a+)ab|b", "aaab", "b"},
      {"(?:ab)?+abc", "abc ababc", "ababc"},
      {"\\s+(?!\\S)|\\s+", "a   b  ", "  | |  "},
      {"\\w+(?=!)", "one two! three!", "two|three"},
      {".", "a\nb", "a|b"},
      {"\\x41\\u00e9\\.\\n", "A\xC3\xA9.\n", "A\xC3\xA9.\n"},
      {"\\p{Lu}\\p{Ll}+", "Ab ABc \xC3\x89t", "Ab|Bc|\xC3\x89t"},
      {"\\P{L}+", "a12b", "12"},
      {"\\p{^L}+", "a12b", "12"},
      {"[\\p{N}\\-_]+", "1-\xC2\xBD_a", "1-\xC2\xBD_"},
      {"[\\]x-]+", "a]x-]", "]x-]"},
      {"\\d+", "12\xD9\xA3\xC2\xBD", "12\xD9\xA3"},
      {"(?i:'s|'LL)", "'S 'll 'Ll '\xC5\xBF", "'S|'ll|'Ll|'\xC5\xBF"},
      {"'(?i:[sk]|d)x", "'Sx '\xE2\x84\xAAx 'SX", "'Sx|'\xE2\x84\xAAx"},
      {"x(?:)y|z", "xyz", "xy|z"},
  };
  for (const auto& c : cases) EXPECT_EQ(find(c.pattern, c.text), c.expected) << c.pattern << " on " << c.text;
}

TEST(Regex, LiteralsAreNoPatterns) {
  std::vector<Regex::Match> matches;
  Regex::literal(U"a.b").find_all(U"aab a.b a.b", matches);
  ASSERT_EQ(matches.size(), 2u);
  EXPECT_EQ(matches[0].begin, 4u);
}

void expect_refused(const std::string& pattern, Code code) {
  try {
    Regex regex{pattern};
    ADD_FAILURE() << pattern << " was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << pattern << ": " << error.what();
  }
}

TEST(Regex, RefusesWhatItDoesNotUnderstand) {
  for (const char* pattern : {"^a",
                              "a$",
                              "(?<=a)b",
                              "(?<!a)b",
                              "(?<name>a)",
                              "(a)\\1",
                              "\\p{Han}",
                              "\\p{IsLu}",
                              "[[:alpha:]]",
                              "[a[b]]",
                              "[a&&b]",
                              "\\bword",
                              "\\Aa",
                              "\\h",
                              "a*",
                              "a?",
                              "",
                              "(?:)",
                              "a||",
                              "(a*)+",
                              "a{2}{3}",
                              "a{2}+",
                              "a{2}?",
                              "a{",
                              "a{,3}",
                              "a{1001}",
                              "(?i)a",
                              "(?i:ss)",
                              "(?i:\xC3\xA9)",
                              "\\xff",
                              "(?=a)+b",
                              "a**",
                              "[]a]",
                              "\\pL",
                              "[\\d-a]",
                              "[a-\\d]",
                              "(?m:a)",
                              "((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))",
                              "(((a{100}b){100}c){100}d)"}) {
    expect_refused(pattern, Code::kUnsupported);
  }
  for (const char* pattern : {"(a", "a)", "[a", "a\\", "*a", "+", "?", "[b-a]", "\\xg0", "a{3,2}", "\\p{L", "(?:a"}) {
    expect_refused(pattern, Code::kInvalidData);
  }
}

TEST(Regex, RunsOfSpacesAreLinear) {
  const std::u32string spaces(200000, U' ');
  std::vector<Regex::Match> matches;
  Regex("\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+").find_all(spaces, matches);
  EXPECT_EQ(matches.size(), 1u);
}

TEST(Regex, StopsWhenBacktrackingExplodes) {
  const Regex regex("(?:a+a+)+b");
  std::vector<Regex::Match> matches;
  EXPECT_THROW(regex.find_all(std::u32string(200, U'a'), matches), Error);
}

}  // namespace
}  // namespace neural_engine
