#include "models/tokenizer/pre_tokenizer.h"

#include <utility>

#include "models/tokenizer/byte_alphabet.h"
#include "models/tokenizer/normalizer.h"
#include "models/tokenizer/unicode.h"

namespace neural_engine {
namespace {

constexpr std::string_view kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

bool is_whitespace(char32_t c) { return unicode::has(c, unicode::kWhitespace); }
bool is_punctuation(char32_t c) { return unicode::has(c, unicode::kPunctuation); }
bool is_numeric(char32_t c) { return unicode::has(c, unicode::kNumeric); }

// A pre-tokenizer that is one function without settings beyond its captures.
template <class Function>
class SimplePreTokenizer final : public PreTokenizer {
 public:
  explicit SimplePreTokenizer(Function function) : function_(std::move(function)) {}
  void apply(Pieces& pieces) const override { function_(pieces); }

 private:
  Function function_;
};

template <class Function>
PreTokenizerPtr make(Function function) {
  return std::make_unique<SimplePreTokenizer<Function>>(std::move(function));
}

void split(Pieces& pieces, const Regex& pattern, SplitBehavior behavior, bool invert) {
  const auto find = [&](std::u32string_view view, std::vector<Regex::Match>& matches) {
    pattern.find_all(view, matches);
  };
  pieces.split(find, behavior, invert);
}

// Words (Rust's \w) and runs of what is neither word nor space.
void find_words(std::u32string_view view, std::vector<Regex::Match>& matches) {
  matches.clear();
  const auto kind = [](char32_t c) {
    const uint16_t properties = unicode::properties(c);
    return (properties & unicode::kWord) != 0 ? 1 : (properties & unicode::kWhitespace) != 0 ? 0 : 2;
  };
  for (size_t i = 0; i < view.size();) {
    const int first = kind(view[i]);
    size_t end = i + 1;
    while (end < view.size() && kind(view[end]) == first) ++end;
    if (first != 0) matches.push_back({i, end});
    i = end;
  }
}

void write_bytes(Pieces& pieces) {
  std::u32string bytes;
  const auto emit = [&](const Piece& piece, AlignedText& out) {
    for (uint32_t i = piece.begin; i < piece.end; ++i) {
      const char32_t c = pieces.text.chars[i];
      if (c < 0x80) {
        out.push_back(kByteAlphabet.chars[c], pieces.text.origin[i]);
        continue;
      }
      bytes.clear();
      to_byte_alphabet(c, bytes);
      for (const char32_t byte : bytes) out.push_back(byte, pieces.text.origin[i]);
    }
  };
  pieces.rewrite(emit);
}

void prefix_spaces(Pieces& pieces) {
  const auto emit = [&](const Piece& piece, AlignedText& out) {
    if (pieces.text.chars[piece.begin] != ' ') out.push_back(' ', pieces.text.origin[piece.begin]);
    out.append(pieces.text, piece.begin, piece.end);
  };
  pieces.rewrite(emit);
}

void to_metaspace(Pieces& pieces, const Regex& space, char32_t replacement, PrependScheme scheme) {
  const auto emit = [&](const Piece& piece, AlignedText& out) {
    const Span first = pieces.text.origin[piece.begin];
    const char32_t c = pieces.text.chars[piece.begin];
    const bool wanted = scheme == PrependScheme::kAlways || (scheme == PrependScheme::kFirst && first.begin == 0);
    if (wanted && c != ' ' && c != replacement) out.push_back(replacement, first);
    replace_all(space, {&replacement, 1}, pieces.text, piece.begin, piece.end, out);
  };
  pieces.rewrite(emit);
}

}  // namespace

PreTokenizerPtr make_bert_pre_tokenizer() {
  return make([](Pieces& pieces) {
    pieces.split_at(is_whitespace, SplitBehavior::kRemoved);
    pieces.split_at(is_punctuation, SplitBehavior::kIsolated);
  });
}

PreTokenizerPtr make_byte_level(bool add_prefix_space, bool use_regex) {
  return make([add_prefix_space, use_regex, words = Regex(kGpt2)](Pieces& pieces) {
    if (add_prefix_space) prefix_spaces(pieces);
    if (use_regex) split(pieces, words, SplitBehavior::kIsolated, false);
    write_bytes(pieces);
  });
}

PreTokenizerPtr make_whitespace() {
  return make([](Pieces& pieces) {
    const auto find = [](std::u32string_view view, std::vector<Regex::Match>& matches) { find_words(view, matches); };
    pieces.split(find, SplitBehavior::kRemoved, true);
  });
}

PreTokenizerPtr make_whitespace_split() {
  return make([](Pieces& pieces) { pieces.split_at(is_whitespace, SplitBehavior::kRemoved); });
}

PreTokenizerPtr make_digits(bool individual) {
  const auto behavior = individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous;
  return make([behavior](Pieces& pieces) { pieces.split_at(is_numeric, behavior); });
}

PreTokenizerPtr make_punctuation(SplitBehavior behavior) {
  return make([behavior](Pieces& pieces) { pieces.split_at(is_punctuation, behavior); });
}

PreTokenizerPtr make_split(Regex pattern, SplitBehavior behavior, bool invert) {
  return make(
      [pattern = std::move(pattern), behavior, invert](Pieces& pieces) { split(pieces, pattern, behavior, invert); });
}

PreTokenizerPtr make_char_delimiter_split(char32_t delimiter) {
  return make([delimiter](Pieces& pieces) {
    pieces.split_at([delimiter](char32_t c) { return c == delimiter; }, SplitBehavior::kRemoved);
  });
}

PreTokenizerPtr make_metaspace(char32_t replacement, PrependScheme scheme, bool split_words) {
  return make([replacement, scheme, split_words, space = Regex::literal(U" ")](Pieces& pieces) {
    to_metaspace(pieces, space, replacement, scheme);
    if (!split_words) return;
    pieces.split_at([replacement](char32_t c) { return c == replacement; }, SplitBehavior::kMergedWithNext);
  });
}

PreTokenizerPtr make_pre_tokenizer_sequence(std::vector<PreTokenizerPtr> parts) {
  class Sequence final : public PreTokenizer {
   public:
    explicit Sequence(std::vector<PreTokenizerPtr> parts) : parts_(std::move(parts)) {}
    void apply(Pieces& pieces) const override {
      for (const PreTokenizerPtr& part : parts_) part->apply(pieces);
    }

   private:
    std::vector<PreTokenizerPtr> parts_;
  };
  return std::make_unique<Sequence>(std::move(parts));
}

}  // namespace neural_engine
