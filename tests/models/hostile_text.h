// Deterministic strings, real and hostile. tests/models/hostile_text.py makes the same ones: change both together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace neural_engine::hostile {

inline constexpr std::string_view kSeparators[] = {" ",          "  ", ", ", ". ",   "\n", "-",  "'s ", "'LL ",
                                                   "'\xC5\xBF ", "_",  "\t", "\r\n", "/",  " '", "'re", "   "};
inline constexpr char32_t kMarks[] = {
    0x300,  0x301,  0x302,  0x303,  0x304,  0x307,   0x308,   0x30A,   0x30B,   0x30C,  0x316,  0x323,   0x327,
    0x328,  0x334,  0x338,  0x344,  0x345,  0x5B0,   0x5BC,   0x5C1,   0x64B,   0x653,  0x654,  0x670,   0x93C,
    0x94D,  0x9BE,  0x9D7,  0xBBE,  0xDDF,  0xE38,   0xF71,   0xF72,   0xFB2,   0x1037, 0x1AB0, 0x1DCE,  0x20D0,
    0x20E3, 0x302A, 0x3099, 0x309A, 0xFE20, 0x11099, 0x110BA, 0x1D165, 0x1D16E, 0x897,  0x1ACF, 0x10EFD, 0x1E08F};
inline constexpr char32_t kBases[] = {0x61,   0x65,   0x69,   0x6F,    0x75,    0x41,    0x45,   0x49,   0x4F,
                                      0x55,   0x6E,   0x4E,   0x63,    0x43,    0x73,    0x53,   0x130,  0x131,
                                      0x1C5,  0xDF,   0xC5,   0x212B,  0x3B1,   0x3C9,   0x415,  0x627,  0x915,
                                      0x928,  0xF40,  0x1100, 0x1161,  0x11A8,  0xAC00,  0xAC01, 0x304B, 0x306F,
                                      0x1E9B, 0x1EA5, 0xFB1D, 0x1D15E, 0x11935, 0x105D2, 0x0,    0x20};
inline constexpr char32_t kEmoji[] = {0x1F468, 0x1F469, 0x1F467, 0x1F680, 0x1F3FB, 0x1F3FD, 0x200D,  0x200D,
                                      0xFE0F,  0x2764,  0x1F525, 0x1F1E9, 0x1F1EA, 0x1F3F3, 0x1F308, 0x20E3,
                                      0x31,    0x263A,  0x1F9D1, 0x1FAE8, 0x1F6DC, 0xE0067, 0xE007F, 0x1F4A9};
inline constexpr char32_t kBlanks[] = {0x0,    0x1,    0x7,    0x8,    0x9,    0xA,     0xB,    0xC,     0xD,
                                       0x1B,   0x1C,   0x1F,   0x20,   0x7F,   0x80,    0x85,   0x9F,    0xA0,
                                       0xAD,   0x61C,  0x1680, 0x180E, 0x2000, 0x2007,  0x200A, 0x200B,  0x200C,
                                       0x200E, 0x200F, 0x2028, 0x2029, 0x202E, 0x202F,  0x205F, 0x2060,  0x2066,
                                       0x3000, 0xFEFF, 0xFFF9, 0xFFFD, 0xFFFE, 0xE0001, 0xE000, 0xF0000, 0x10FFFF};
inline constexpr std::string_view kBroken[] = {"\xc0\x80",
                                               "\xe0\x80\xaf",
                                               "\xed\xa0\x80",
                                               "\xed\xa0\xbd\xed\xb8\x80",
                                               "\xf0\x80\x80\x80",
                                               "\xf4\x90\x80\x80",
                                               "\xf8\x88\x80\x80\x80",
                                               "\xe2\x82",
                                               "\xf0\x9f\x98",
                                               "\xf0\x9f",
                                               "\xf0",
                                               "\xc3",
                                               "\x80",
                                               "\xbf\xbf",
                                               "\xfe",
                                               "\xff",
                                               "\xe2\x28\xa1",
                                               "\xf0\x28\x8c\xbc",
                                               "\xf0\x90\x28\xbc",
                                               "\xc3\x28",
                                               "\xef\xbf\xbe",
                                               "\xe1\xa0\xc3"};
inline constexpr std::string_view kSpecials[] = {
    "[CLS]",  "[SEP]",  "[PAD]",       "[UNK]",           "[MASK]",        "[mask]",
    "[CLS",   "SEP]",   " [MASK] ",    "<|end|>",         "<|endoftext|>", "<s>",
    "</s>",   "<unk>",  "<mask>",      "  <mask>  ",      "<pad>",         "<0x41>",
    "<0xE2>", "##ing",  "\xC4\xA0the", "\xE2\x96\x81the", "\xE2\x96\x81",  "\xE2\x96\x81\xE2\x96\x81",
    "Word",   "words",  "aWord",       "Word\xC3\xA9",    " Word.",        "<|en",
    "<",      "[[SEP]]"};
inline constexpr std::u32string_view kSymbols =
    U"0123456789.,:;!?$%&()[]{}<>+-*/=^~`|@#_'\"\\"
    U"\u00b2\u00bd\u0660\u0661\u0967\u2160\u2460\uff11\u3007\u2014\u201c\u201d\u2026\u20ac";
inline constexpr char32_t kScripts[] = {0x41,    0xC0,    0x100,   0x180,   0x370,   0x400,  0x460,  0x500,  0x531,
                                        0x10A0,  0x10D0,  0x13A0,  0x1C80,  0x1C90,  0x1E00, 0x1F00, 0x1F80, 0x2160,
                                        0x24B6,  0x2C00,  0x2C80,  0xA640,  0xA720,  0xA7C0, 0xAB70, 0xFB00, 0xFF21,
                                        0x10400, 0x104B0, 0x10C80, 0x118A0, 0x16E40, 0x1E900};
struct Range {
  char32_t first;
  uint64_t count;
};
inline constexpr Range kEast[] = {{0x4E00, 0x5200}, {0x3040, 0xC0},  {0xAC00, 0x2BA4}, {0x3400, 0x100},
                                  {0x20000, 0x100}, {0xF900, 0x200}, {0x2B700, 0x300}, {0x2CE90, 0x100},
                                  {0x3000, 0x40},   {0xFF00, 0xF0}};
inline constexpr char32_t kRepeated[] = {0x61, 0x2D, 0x20, 0xE9, 0x4E2D, 0x31, 0x5F, 0xA, 0x1F600};
inline constexpr std::string_view kBetween[] = {"", "", "a", " ", "E"};

// splitmix64
class Random {
 public:
  explicit Random(uint64_t state) : state_(state) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t n) { return next() % n; }
  template <class Items>
  const auto& pick(const Items& items) {
    return items[below(std::size(items))];
  }

 private:
  uint64_t state_;
};

// UTF-8 of any number below 0x110000, surrogates too (which is then not valid).
inline void encode(std::string& out, char32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  out.push_back(static_cast<char>((more == 1 ? 0xC0 : more == 2 ? 0xE0 : 0xF0) | (c >> (6 * more))));
  for (int i = more - 1; i >= 0; --i) out.push_back(static_cast<char>(0x80 | ((c >> (6 * i)) & 0x3F)));
}

class Maker {
 public:
  // `lines` are those of real.txt.
  explicit Maker(std::vector<std::string> lines) : lines_(std::move(lines)) {}

  std::string make(uint64_t index) const {
    Random r((index + 1) * 0xD1342543DE82EF95u);
    std::string out;
    if (index % 4 == 0) {
      sequential(r, index, out);
      return out;
    }
    const uint64_t parts = 1 + r.below(4);
    for (uint64_t i = 0; i < parts; ++i) part(r, out);
    return out;
  }

 private:
  // 40 code points in order, so that 112,000 strings have all of Unicode.
  static void sequential(Random& r, uint64_t index, std::string& out) {
    for (uint64_t i = 0; i < 40; ++i) {
      encode(out, static_cast<char32_t>((index / 4 * 40 + i) % 0x110000));
      out += r.pick(kBetween);
    }
  }

  void part(Random& r, std::string& out) const {
    switch (r.below(17)) {
      case 0:
      case 1:
      case 2: real(r, out); break;
      case 3:
      case 4: words(r, out); break;
      case 5: block(r, out); break;
      case 6: combining(r, out); break;
      case 7: several(r, kEmoji, 7, out); break;
      case 8: several(r, kBlanks, 5, out); break;
      case 9:
        for (uint64_t i = 1 + r.below(6); i > 0; --i) out.push_back(static_cast<char>(0x80 + r.below(0x80)));
        break;
      case 10: out += r.pick(kBroken); break;
      case 11:
      case 12: out += r.pick(kSpecials); break;
      case 13: long_word(r, out); break;
      case 14: several(r, kSymbols, 10, out); break;
      case 15: within(r, {r.pick(kScripts), 64}, out); break;
      default: within(r, r.pick(kEast), out); break;
    }
  }

  void real(Random& r, std::string& out) const {
    const std::string& line = r.pick(lines_);
    if (r.below(3) == 0) {  // cut anywhere, within characters too
      const uint64_t begin = r.below(line.size());
      out += line.substr(begin, 1 + r.below(60));
    } else {
      out += line;
    }
  }

  static std::string letters(Random& r, uint64_t count) {
    std::string out;
    for (uint64_t i = 0; i < count; ++i) out.push_back(static_cast<char>('a' + r.below(26)));
    return out;
  }

  static void words(Random& r, std::string& out) {
    for (uint64_t i = 1 + r.below(8); i > 0; --i) {
      std::string word = letters(r, 1 + r.below(9));
      const uint64_t style = r.below(4);
      if (style == 1) {
        for (char& c : word) c = static_cast<char>(c - 32);
      } else if (style == 2) {
        word[0] = static_cast<char>(word[0] - 32);
      }
      out += word;
      out += r.pick(kSeparators);
    }
  }

  static void block(Random& r, std::string& out) {
    constexpr uint64_t kLimits[] = {0x3000, 0x20000, 0x110000};
    const uint64_t base = r.below(r.pick(kLimits));
    for (uint64_t i = 1 + r.below(12); i > 0; --i) {
      encode(out, static_cast<char32_t>(std::min<uint64_t>(base + r.below(128), 0x10FFFF)));
    }
  }

  static void combining(Random& r, std::string& out) {
    for (uint64_t i = 1 + r.below(3); i > 0; --i) {
      encode(out, r.pick(kBases));
      for (uint64_t marks = r.below(5); marks > 0; --marks) {
        encode(out, r.below(3) != 0 ? r.pick(kMarks) : static_cast<char32_t>(0x300 + r.below(0x70)));
      }
    }
  }

  template <class Items>
  static void several(Random& r, const Items& items, uint64_t most, std::string& out) {
    for (uint64_t i = 1 + r.below(most); i > 0; --i) encode(out, r.pick(items));
  }

  static void within(Random& r, Range range, std::string& out) {
    for (uint64_t i = 1 + r.below(10); i > 0; --i)
      encode(out, static_cast<char32_t>(range.first + r.below(range.count)));
  }

  static void long_word(Random& r, std::string& out) {
    const uint64_t count = r.below(16) == 0 ? 1 + r.below(1500) : 30 + r.below(120);
    if (r.below(2) != 0) {
      out += letters(r, count);
      return;
    }
    const char32_t c = r.pick(kRepeated);
    for (uint64_t i = 0; i < count; ++i) encode(out, c);
  }

  std::vector<std::string> lines_;
};

}  // namespace neural_engine::hostile
