// Character properties as Hugging Face's tokenizers sees them: each asks a different version of Unicode, so no library
// gives them all. The tables come from make_unicode_tables.py, which probes that package.
#pragma once

#include <cstdint>
#include <string>

namespace neural_engine::unicode {

// General categories (Unicode 16). Numbered as in the generated table.
enum Category : uint8_t {
  kCn,
  kLu,
  kLl,
  kLt,
  kLm,
  kLo,
  kMn,
  kMc,
  kMe,
  kNd,
  kNl,
  kNo,
  kPc,
  kPd,
  kPs,
  kPe,
  kPi,
  kPf,
  kPo,
  kSm,
  kSc,
  kSk,
  kSo,
  kZs,
  kZl,
  kZp,
  kCc,
  kCf,
  kCo,
  kCs,
  kCategories  // clang-format off (a list of thirty names)
};             // clang-format on

// The bits above the category in a character's properties.
enum Property : uint16_t {
  kWhitespace = 1 << 5,       // White_Space; `\s`
  kRegexWord = 1 << 6,        // `\w` of the regular expressions in tokenizer.json (Oniguruma)
  kWord = 1 << 7,             // `\w` of the Whitespace pre-tokenizer and of `single_word` (Rust's regex)
  kNumeric = 1 << 8,          // Nd, Nl or No (Unicode 17): the Digits pre-tokenizer
  kPunctuation = 1 << 9,      // ASCII punctuation, or P* in Unicode 8
  kControl = 1 << 10,         // what BertNormalizer's clean_text removes
  kNonspacingMark = 1 << 11,  // Mn in Unicode 8: BertNormalizer's strip_accents
  kCombiningMark = 1 << 12,   // M* in Unicode 9: the StripAccents normalizer
  kNormalizes = 1 << 13,      // decomposes, or has a combining class, in Unicode 9
};

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kLastCodePoint = 0x10FFFF;

// The category in the low five bits, and the Property bits. Any value above U+10FFFF has none.
uint16_t properties(char32_t c) noexcept;

inline bool has(char32_t c, Property property) noexcept { return (properties(c) & property) != 0; }
inline Category category(char32_t c) noexcept { return static_cast<Category>(properties(c) & 31); }

// The lower case of one character, without context (no final sigma). U+0130 has two characters, `*second` is then not
// 0.
char32_t lower(char32_t c, char32_t* second) noexcept;

// Canonical combining class in Unicode 9.
uint8_t combining_class(char32_t c) noexcept;

}  // namespace neural_engine::unicode
