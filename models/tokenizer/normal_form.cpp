// Decompose, order the marks, and for NFC and NFKC compose again (Unicode annex 15).
//
// utf8proc knows a later Unicode than the reference does. Stability rules make that harmless for characters that
// Unicode 9 has, so only those (Property kNormalizes) are ever given to it; all others are inert starters.
//
// Each character also carries how much of the input it takes: 0 = the place of one character, 1 = inserted after
// another, -n = its place and the n that follow. This is the reference's own bookkeeping, marks that ordering moves
// included, so that offsets agree with it.
#include "models/tokenizer/normal_form.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>

#include "models/tokenizer/unicode.h"

namespace neural_engine {
namespace {

struct Element {
  char32_t c;
  uint8_t ccc;
  int32_t change;
};

bool is_inert(char32_t c) { return c < 0xA0 || !unicode::has(c, unicode::kNormalizes); }

void decompose(char32_t c, bool compatible, std::vector<Element>& out) {
  if (is_inert(c)) {
    out.push_back({c, 0, 0});
    return;
  }
  // U+FDFA, the longest, has 18 characters.
  std::array<utf8proc_int32_t, 32> buffer;
  int boundary = 0;
  const int options = UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer.data(), buffer.size(),
                                             static_cast<utf8proc_option_t>(options), &boundary);
  if (count <= 0 || count > static_cast<utf8proc_ssize_t>(buffer.size())) {
    out.push_back({c, unicode::combining_class(c), 0});
    return;
  }
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    const auto part = static_cast<char32_t>(buffer[static_cast<size_t>(i)]);
    out.push_back({part, unicode::combining_class(part), i == 0 ? 0 : 1});
  }
}

void order_marks(std::vector<Element>& elements) {
  for (auto it = elements.begin(); it != elements.end();) {
    if (it->ccc == 0) {
      ++it;
      continue;
    }
    const auto end = std::find_if(it, elements.end(), [](const Element& e) { return e.ccc == 0; });
    std::stable_sort(it, end, [](const Element& a, const Element& b) { return a.ccc < b.ccc; });
    it = end;
  }
}

// The primary composite of two characters, 0 when there is none.
char32_t compose(char32_t first, char32_t second) {
  // Every second half of a composite is a mark, a vowel sign or a Hangul jamo: none is below U+0300.
  if (second < 0x300) return 0;
  utf8proc_int32_t pair[3] = {static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second), 0};
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  if (utf8proc_normalize_utf32(pair, 2, options) != 1) return 0;
  const auto composite = static_cast<char32_t>(pair[0]);
  return unicode::has(composite, unicode::kNormalizes) ? composite : 0;
}

void recompose(std::vector<Element>& elements) {
  constexpr size_t kNone = ~size_t{0};
  size_t kept = 0;
  size_t starter = kNone;
  for (const Element& next : elements) {
    // The mark or starter `next` meets the starter unless a kept mark of the same or a higher class is between.
    const bool adjacent = starter != kNone && kept == starter + 1;
    const bool blocked = starter != kNone && !adjacent && elements[kept - 1].ccc >= next.ccc;
    if (starter != kNone && !blocked) {
      if (const char32_t composite = compose(elements[starter].c, next.c)) {
        elements[starter].c = composite;
        elements[starter].change += next.change - 1;
        continue;
      }
    }
    if (next.ccc == 0) starter = kept;
    elements[kept++] = next;
  }
  elements.resize(kept);
}

// Gives each element its origin by the bookkeeping described at the head.
AlignedText realign(const AlignedText& text, const std::vector<Element>& elements) {
  AlignedText out;
  out.reserve(elements.size());
  size_t at = 0;
  for (const Element& element : elements) {
    Span span;
    if (element.change > 0) {
      if (at > 0) span = text.origin[std::min(at, text.size()) - 1];
    } else {
      span = text.origin[std::min(at, text.size() - 1)];
      at += static_cast<size_t>(1 - element.change);
    }
    out.push_back(element.c, span);
  }
  return out;
}

}  // namespace

void normalize(NormalForm form, AlignedText& text) {
  const bool compatible = form == NormalForm::kNfkd || form == NormalForm::kNfkc;
  if (std::all_of(text.chars.begin(), text.chars.end(), [](char32_t c) { return c < 0xA0; })) return;
  std::vector<Element> elements;
  elements.reserve(text.size());
  for (const char32_t c : text.chars) decompose(c, compatible, elements);
  order_marks(elements);
  if (form == NormalForm::kNfc || form == NormalForm::kNfkc) recompose(elements);
  text = realign(text, elements);
}

}  // namespace neural_engine
