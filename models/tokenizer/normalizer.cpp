#include "models/tokenizer/normalizer.h"

#include <algorithm>
#include <utility>

#include "models/tokenizer/byte_alphabet.h"
#include "models/tokenizer/unicode.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

// The blocks that BERT takes for Chinese; the gap at U+2B820..U+2B91F is the reference's.
bool is_chinese(char32_t c) {
  constexpr char32_t kRanges[][2] = {{0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
                                     {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};
  if (c < 0x3400) return false;
  return std::any_of(std::begin(kRanges), std::end(kRanges), [c](const auto& r) { return c >= r[0] && c <= r[1]; });
}

void lowercase(AlignedText& text) {
  text.expand([](char32_t c, std::u32string& out) {
    char32_t second;
    out.push_back(unicode::lower(c, &second));
    if (second != 0) out.push_back(second);
  });
}

class BertNormalizer final : public Normalizer {
 public:
  explicit BertNormalizer(const BertNormalizerOptions& options) : options_(options) {}

  void apply(AlignedText& text) const override {
    if (options_.clean_text) clean(text);
    if (options_.handle_chinese_chars) space_chinese(text);
    if (options_.strip_accents.value_or(options_.lowercase)) {
      normalize(NormalForm::kNfd, text);
      text.keep_if([](char32_t c) { return c < 0x80 || !unicode::has(c, unicode::kNonspacingMark); });
    }
    if (options_.lowercase) lowercase(text);
  }

 private:
  static void clean(AlignedText& text) {
    text.keep_if([](char32_t c) { return !unicode::has(c, unicode::kControl); });
    for (char32_t& c : text.chars) {
      if (unicode::has(c, unicode::kWhitespace)) c = ' ';
    }
  }

  static void space_chinese(AlignedText& text) {
    if (std::none_of(text.chars.begin(), text.chars.end(), is_chinese)) return;
    text.expand([](char32_t c, std::u32string& out) {
      if (is_chinese(c)) {
        out.append({' ', c, ' '});
      } else {
        out.push_back(c);
      }
    });
  }

  BertNormalizerOptions options_;
};

// A normalizer that is one function without settings beyond its captures.
template <class Function>
class SimpleNormalizer final : public Normalizer {
 public:
  explicit SimpleNormalizer(Function function) : function_(std::move(function)) {}
  void apply(AlignedText& text) const override { function_(text); }

 private:
  Function function_;
};

template <class Function>
NormalizerPtr make(Function function) {
  return std::make_unique<SimpleNormalizer<Function>>(std::move(function));
}

void strip(AlignedText& text, bool left, bool right) {
  const auto is_space = [](char32_t c) { return unicode::has(c, unicode::kWhitespace); };
  size_t begin = 0;
  size_t end = text.size();
  while (left && begin < end && is_space(text.chars[begin])) ++begin;
  while (right && end > begin && is_space(text.chars[end - 1])) --end;
  if (end - begin != text.size()) text = text.slice(begin, end);
}

// SentencePiece's rules for machine translation: what is dropped, and what counts as a space.
bool nmt_drops(char32_t c) {
  return (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
}
bool nmt_spaces(char32_t c) {
  return c == 0x9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 || (c >= 0x200B && c <= 0x200F) || c == 0x2028 ||
         c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
}

}  // namespace

void to_byte_alphabet(char32_t c, std::u32string& out) {
  if (c < 0x80) {
    out.push_back(kByteAlphabet.chars[c]);
    return;
  }
  std::string bytes;
  utf8::append(bytes, c);
  for (const char byte : bytes) out.push_back(kByteAlphabet.chars[static_cast<uint8_t>(byte)]);
}

void replace_all(const Regex& pattern, std::u32string_view content, const AlignedText& text, size_t begin, size_t end,
                 AlignedText& out) {
  std::vector<Regex::Match> matches;
  pattern.find_all(text.view(begin, end), matches);
  size_t at = begin;
  for (const Regex::Match& match : matches) {
    out.append(text, at, begin + match.begin);
    at = begin + match.end;
    for (const char32_t c : content) out.push_back(c, text.origin[at - 1]);
  }
  out.append(text, at, end);
}

NormalizerPtr make_bert_normalizer(const BertNormalizerOptions& options) {
  return std::make_unique<BertNormalizer>(options);
}

NormalizerPtr make_lowercase() { return make(lowercase); }

NormalizerPtr make_normal_form(NormalForm form) {
  return make([form](AlignedText& text) { normalize(form, text); });
}

NormalizerPtr make_strip_accents() {
  return make([](AlignedText& text) {
    text.keep_if([](char32_t c) { return c < 0x80 || !unicode::has(c, unicode::kCombiningMark); });
  });
}

NormalizerPtr make_strip(bool left, bool right) {
  return make([left, right](AlignedText& text) { strip(text, left, right); });
}

NormalizerPtr make_replace(Regex pattern, std::u32string content) {
  return make([pattern = std::move(pattern), content = std::move(content)](AlignedText& text) {
    AlignedText out;
    replace_all(pattern, content, text, 0, text.size(), out);
    text = std::move(out);
  });
}

NormalizerPtr make_prepend(std::u32string prefix) {
  return make([prefix = std::move(prefix)](AlignedText& text) {
    if (text.empty()) return;
    const Span first = text.origin.front();
    text.chars.insert(0, prefix);
    text.origin.insert(text.origin.begin(), prefix.size(), first);
  });
}

NormalizerPtr make_nmt() {
  return make([](AlignedText& text) {
    text.keep_if([](char32_t c) { return !nmt_drops(c); });
    std::replace_if(text.chars.begin(), text.chars.end(), nmt_spaces, U' ');
  });
}

NormalizerPtr make_byte_level_normalizer() {
  return make([](AlignedText& text) { text.expand(to_byte_alphabet); });
}

NormalizerPtr make_normalizer_sequence(std::vector<NormalizerPtr> parts) {
  class Sequence final : public Normalizer {
   public:
    explicit Sequence(std::vector<NormalizerPtr> parts) : parts_(std::move(parts)) {}
    void apply(AlignedText& text) const override {
      for (const NormalizerPtr& part : parts_) part->apply(text);
    }

   private:
    std::vector<NormalizerPtr> parts_;
  };
  return std::make_unique<Sequence>(std::move(parts));
}

}  // namespace neural_engine
