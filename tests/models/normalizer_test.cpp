#include "models/tokenizer/normalizer.h"

#include <gtest/gtest.h>

#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

AlignedText run(const NormalizerPtr& normalizer, std::u32string_view text) {
  AlignedText out = AlignedText::from_utf8(utf8::encode(text));
  normalizer->apply(out);
  EXPECT_EQ(out.chars.size(), out.origin.size());
  return out;
}

std::u32string normalized(const NormalizerPtr& normalizer, std::u32string_view text) {
  return run(normalizer, text).chars;
}

TEST(BertNormalizer, CleansText) {
  const auto normalizer = make_bert_normalizer({true, false, false, false});
  EXPECT_EQ(normalized(normalizer, std::u32string_view(U"a\u0000b\u00adc\ufffdd\ue000e\u200df", 11)), U"abcdef");
  EXPECT_EQ(normalized(normalizer, U"a\tb\nc\u00a0d\u3000e"), U"a b c d e");
  EXPECT_EQ(normalized(normalizer, U"a\u000bb\u0378"),
            U"ab\u0378");  // a control character, though a space; unassigned stays
}

TEST(BertNormalizer, PutsSpacesAroundIdeographs) {
  const auto normalizer = make_bert_normalizer({false, true, false, false});
  EXPECT_EQ(normalized(normalizer, U"a\u4e2d\u6587b"), U"a \u4e2d  \u6587 b");
  EXPECT_EQ(normalized(normalizer, U"\U0002b820\u3042"),
            U"\U0002b820\u3042");  // the reference's gap; kana are not meant
}

TEST(BertNormalizer, StripsAccentsAsLowercaseSays) {
  EXPECT_EQ(normalized(make_bert_normalizer({}), U"\u00c9T\u00c9 \u0130\u00df"), U"ete i\u00df");
  EXPECT_EQ(normalized(make_bert_normalizer({true, true, true, false}), U"\u00c9\u0130"), U"\u00e9i\u0307");
  EXPECT_EQ(normalized(make_bert_normalizer({true, true, false, {}}), U"\u00c9"), U"\u00c9");
  EXPECT_EQ(normalized(make_bert_normalizer({true, true, false, true}), U"\u00c9"), U"E");
}

TEST(NormalForms, DecomposeOrderAndCompose) {
  const auto nfd = make_normal_form(NormalForm::kNfd);
  const auto nfc = make_normal_form(NormalForm::kNfc);
  EXPECT_EQ(normalized(nfd, U"\u1e69"), U"s\u0323\u0307");
  EXPECT_EQ(normalized(nfd, U"s\u0307\u0323"), U"s\u0323\u0307");
  EXPECT_EQ(normalized(nfc, U"s\u0307\u0323"), U"\u1e69");
  EXPECT_EQ(normalized(nfc, U"a\u0301\u0301"), U"\u00e1\u0301");
  EXPECT_EQ(normalized(nfc, U"a\u0334\u0301"), U"\u00e1\u0334");  // composes past a lower class
  EXPECT_EQ(normalized(nfc, U"a\u0301x\u0301"), U"\u00e1x\u0301");
  EXPECT_EQ(normalized(nfc, U"\u0301a"), U"\u0301a");
  EXPECT_EQ(normalized(nfc, U"\u1100\u1161\u11a8"), U"\uac01");
  EXPECT_EQ(normalized(nfd, U"\uac01"), U"\u1100\u1161\u11a8");
  EXPECT_EQ(normalized(nfc, U"\u0958"), U"\u0915\u093c");  // excluded from composition
  EXPECT_EQ(normalized(nfc, U"\u212b"), U"\u00c5");
}

TEST(NormalForms, Compatibility) {
  EXPECT_EQ(normalized(make_normal_form(NormalForm::kNfkd), U"\ufb01\u00bd\u2460"), U"fi1\u204421");
  EXPECT_EQ(normalized(make_normal_form(NormalForm::kNfkc), U"\uff21\u0301\u3392"), U"\u00c1MHz");
  EXPECT_EQ(normalized(make_normal_form(NormalForm::kNfkc), U"\ufdfa").size(), 18u);
}

// Characters that later versions of Unicode added stay as they are.
TEST(NormalForms, AreThoseOfUnicode9) {
  EXPECT_EQ(normalized(make_normal_form(NormalForm::kNfd), U"\U00011938"), U"\U00011938");
  EXPECT_EQ(normalized(make_normal_form(NormalForm::kNfc), U"\U00011935\U00011930"), U"\U00011935\U00011930");
  EXPECT_EQ(normalized(make_normal_form(NormalForm::kNfkd), U"\u32ff"), U"\u32ff");
  EXPECT_EQ(normalized(make_normal_form(NormalForm::kNfd), U"a\u0345\u1acf"), U"a\u0345\u1acf");
}

TEST(NormalForms, KeepTheOrigin) {
  const AlignedText composed = run(make_normal_form(NormalForm::kNfc), U"xe\u0301y");
  ASSERT_EQ(composed.chars, U"x\u00e9y");
  EXPECT_EQ(composed.origin[1], (Span{1, 2}));
  EXPECT_EQ(composed.origin[2], (Span{4, 5}));
  const AlignedText decomposed = run(make_normal_form(NormalForm::kNfd), U"x\u00e9y");
  EXPECT_EQ(decomposed.origin[1], (Span{1, 3}));
  EXPECT_EQ(decomposed.origin[2], (Span{1, 3}));
  EXPECT_EQ(decomposed.origin[3], (Span{3, 4}));
}

TEST(Normalizers, Simple) {
  EXPECT_EQ(normalized(make_lowercase(), U"A\u0130\u03a3"), U"ai\u0307\u03c3");
  EXPECT_EQ(normalized(make_strip_accents(), U"e\u0301\u20dd\u00e9"), U"e\u00e9");
  EXPECT_EQ(normalized(make_strip(true, true), U" \u3000a b\n"), U"a b");
  EXPECT_EQ(normalized(make_strip(true, false), U" a "), U"a ");
  EXPECT_EQ(normalized(make_strip(false, true), U" a "), U" a");
  EXPECT_EQ(normalized(make_strip(true, true), U" \n "), U"");
  EXPECT_EQ(normalized(make_prepend(U"\u2581"), U"a"), U"\u2581a");
  EXPECT_EQ(normalized(make_prepend(U"\u2581"), U""), U"");
  EXPECT_EQ(normalized(make_replace(Regex::literal(U" "), U"__"), U"a b "), U"a__b__");
  EXPECT_EQ(normalized(make_replace(Regex("\\s{2,}"), U""), U"a  b c"), U"ab c");
  EXPECT_EQ(normalized(make_nmt(), U"a\u0001b\u200bc\u2581d\u0085"), U"ab c d\u0085");
  EXPECT_EQ(normalized(make_byte_level_normalizer(), U"a \u00e9\n"), U"a\u0120\u00c3\u00a9\u010a");
}

TEST(Normalizers, SequenceKeepsTheOrigin) {
  std::vector<NormalizerPtr> parts;
  parts.push_back(make_lowercase());
  parts.push_back(make_prepend(U"\u2581"));
  parts.push_back(make_replace(Regex::literal(U"bc"), U"xyz"));
  const AlignedText text = run(make_normalizer_sequence(std::move(parts)), U"ABCD");
  ASSERT_EQ(text.chars, U"\u2581axyzd");
  EXPECT_EQ(text.origin[0], (Span{0, 1}));
  EXPECT_EQ(text.origin[2], (Span{2, 3}));  // what is put in has the origin of the last character replaced
  EXPECT_EQ(text.origin[4], (Span{2, 3}));
  EXPECT_EQ(text.origin[5], (Span{3, 4}));
}

}  // namespace
}  // namespace neural_engine
