// Text on its way through normalizers and pre-tokenizers: code points, each with the bytes of the input that it stands
// for, so that a token can be traced back however much the text was rewritten.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace neural_engine {

// Bytes [begin, end) of the text that the caller gave.
struct Span {
  uint32_t begin = 0;
  uint32_t end = 0;
  bool operator==(const Span&) const = default;
};

struct AlignedText {
  std::u32string chars;
  std::vector<Span> origin;  // one for each of chars

  // Decodes UTF-8 (utf8.h); at most 2^31 - 1 bytes (kInvalidArgument).
  static AlignedText from_utf8(std::string_view text);

  size_t size() const { return chars.size(); }
  bool empty() const { return chars.empty(); }
  std::u32string_view view(size_t begin, size_t end) const {
    return std::u32string_view(chars).substr(begin, end - begin);
  }
  AlignedText slice(size_t begin, size_t end) const;

  void push_back(char32_t c, Span span) {
    chars.push_back(c);
    origin.push_back(span);
  }
  void append(const AlignedText& other);
  void append(const AlignedText& other, size_t begin, size_t end);
  void reserve(size_t n) {
    chars.reserve(n);
    origin.reserve(n);
  }

  template <class Keep>
  void keep_if(Keep keep) {
    size_t kept = 0;
    for (size_t i = 0; i < chars.size(); ++i) {
      if (!keep(chars[i])) continue;
      chars[kept] = chars[i];
      origin[kept++] = origin[i];
    }
    chars.resize(kept);
    origin.resize(kept);
  }

  // emit(c, out) appends to `out` the characters that take the place of c; they share its origin.
  template <class Emit>
  void expand(Emit emit) {
    std::u32string out;
    std::vector<Span> spans;
    out.reserve(chars.size());
    spans.reserve(chars.size());
    for (size_t i = 0; i < chars.size(); ++i) {
      emit(chars[i], out);
      spans.resize(out.size(), origin[i]);
    }
    chars = std::move(out);
    origin = std::move(spans);
  }
};

}  // namespace neural_engine
