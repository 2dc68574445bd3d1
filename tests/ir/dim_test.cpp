#include "ir/dim.h"

#include <gtest/gtest.h>

namespace neural_engine {
namespace {

Dim sym(const char* text) { return Dim::symbol(text); }

TEST(Dim, SumsAndProductsHaveOneText) {
  const Dim b = sym("batch"), s = sym("seq"), p = sym("past");
  EXPECT_EQ((b * s) * 768, b * (Dim(768) * s));
  EXPECT_EQ(to_string(s * b * 2), "2*batch*seq");
  EXPECT_EQ((p + s) + 1, Dim(1) + (s + p));
  EXPECT_EQ((p + s) * 2, p * 2 + s * 2);
  EXPECT_EQ(to_string(Dim(1) - s), "1-seq");
}

TEST(Dim, EqualTermsAndFactorsCancel) {
  const Dim b = sym("batch"), s = sym("seq"), p = sym("past");
  EXPECT_EQ((p + s) - p, s);
  EXPECT_EQ((b * s * 768) / (b * 768), s);
  EXPECT_EQ((s * 2 + 4) / 2, s + 2);
  EXPECT_EQ((s * 2 + 2) / (s + 1), Dim(2));
  EXPECT_EQ(s - s, Dim(0));
  EXPECT_EQ(s * 0, Dim(0));
}

TEST(Dim, InexactDivisionIsOneAtom) {
  const Dim s = sym("seq");
  const Dim half = (s + 1) / 2;
  EXPECT_EQ(to_string(half), "((seq+1)/2)");
  EXPECT_EQ(half, (Dim(1) + s) / 2);
  EXPECT_EQ((half * 6) / half, Dim(6));
  EXPECT_EQ(half + half, half * 2);
  EXPECT_EQ(to_string(half * 2), "2*((seq+1)/2)");
}

TEST(Dim, ForeignTextIsBroughtToTheNormalForm) {
  EXPECT_EQ(sym("past_sequence_length + 1"), sym("past_sequence_length") + 1);
  EXPECT_EQ(sym("2*s0*(b + 1)"), sym("s0") * 2 * (sym("b") + 1));
  EXPECT_EQ(to_string(sym("floor(s0/2)") * 2), "2*floor(s0/2)");
}

TEST(Dim, TextOfAnotherFormIsEqualOnlyToItself) {
  for (const char* odd : {"((", "a)", "a**b", "-", "+", "*x", "7", "x++"}) {
    EXPECT_EQ(sym(odd), sym(odd)) << odd;
    EXPECT_EQ(sym(odd) - sym(odd), Dim(0)) << odd;
    EXPECT_EQ(sym(odd) * 1, sym(odd)) << odd;
    EXPECT_TRUE(to_string(sym(odd) * 2) == "?") << odd;
  }
}

TEST(Dim, OverflowAndUnknownGiveUnknown) {
  const Dim s = sym("seq");
  const auto nothing = [](const Dim& dim) { return !dim.known() && !dim.is_symbol(); };
  EXPECT_TRUE(nothing(s * INT64_MAX * 2));
  EXPECT_TRUE(nothing(Dim(INT64_MAX) + 1));
  EXPECT_TRUE(nothing(Dim(INT64_MIN) / -1));
  EXPECT_TRUE(nothing(s / 0));
  EXPECT_TRUE(nothing(s + Dim()));
  EXPECT_TRUE(nothing(Dim() - Dim()));
}

TEST(Dim, LongExpressionsBecomeUnknown) {
  Dim sum = sym("x");
  for (int i = 0; i < 40; ++i) sum = sum + sym(("x" + std::to_string(i)).c_str());
  EXPECT_FALSE(sum.known() || sum.is_symbol());
}

}  // namespace
}  // namespace neural_engine
