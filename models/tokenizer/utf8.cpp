#include "models/tokenizer/utf8.h"

#include <algorithm>

namespace neural_engine::utf8 {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// What may follow a lead byte: how many continuation bytes, and the range of the first of them. The range excludes
// overlong forms (E0, F0), surrogates (ED) and values above U+10FFFF (F4).
struct Lead {
  uint32_t more;
  uint8_t low, high;
};

Lead lead_of(uint8_t byte) {
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {1, 0x80, 0xBF};
  if (byte < 0xF0)
    return {2, byte == 0xE0 ? uint8_t{0xA0} : uint8_t{0x80}, byte == 0xED ? uint8_t{0x9F} : uint8_t{0xBF}};
  if (byte < 0xF5)
    return {3, byte == 0xF0 ? uint8_t{0x90} : uint8_t{0x80}, byte == 0xF4 ? uint8_t{0x8F} : uint8_t{0xBF}};
  return {0, 0, 0};
}

}  // namespace

uint32_t decode(std::string_view text, size_t at, char32_t* c) noexcept {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(at);
  *c = first;
  if (first < 0x80) return 1;
  const Lead lead = lead_of(first);
  char32_t value = first & (0x3F >> lead.more);
  uint32_t taken = 1;
  while (taken <= lead.more && at + taken < text.size()) {
    const uint8_t next = byte(at + taken);
    const uint8_t low = taken == 1 ? lead.low : 0x80;
    const uint8_t high = taken == 1 ? lead.high : 0xBF;
    if (next < low || next > high) break;
    value = value << 6 | (next & 0x3F);
    ++taken;
  }
  *c = lead.more != 0 && taken == lead.more + 1 ? value : kReplacement;
  return taken;
}

void append(std::string& out, char32_t c) {
  const uint32_t bytes = length(c);
  if (bytes == 1) {
    out.push_back(static_cast<char>(c));
    return;
  }
  out.push_back(static_cast<char>((0xF00 >> bytes) | (c >> (6 * (bytes - 1)))));
  for (uint32_t left = bytes - 1; left-- > 0;) out.push_back(static_cast<char>(0x80 | ((c >> (6 * left)) & 0x3F)));
}

std::string encode(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) append(out, c);
  return out;
}

std::u32string decode(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    char32_t c;
    at += decode(text, at, &c);
    out.push_back(c);
  }
  return out;
}

std::string sanitize(std::string_view text) { return encode(decode(text)); }

}  // namespace neural_engine::utf8
