// The 256 visible characters that byte-level BPE writes bytes as: printable Latin-1 stands for itself, the others are
// U+0100 and on, in order of the byte. A space is U+0120.
#pragma once

#include <array>
#include <cstdint>

namespace neural_engine {

struct ByteAlphabet {
  static constexpr char32_t kEnd = 0x100 + 68;  // 188 bytes stand for themselves, 68 do not
  static constexpr char32_t kSpace = 0x120;

  std::array<char32_t, 256> chars{};
  std::array<int16_t, kEnd> bytes{};  // -1 where a character stands for no byte

  constexpr ByteAlphabet() {
    bytes.fill(-1);
    char32_t next = 0x100;
    for (uint32_t b = 0; b < 256; ++b) {
      const bool itself = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      chars[b] = itself ? b : next++;
      bytes[chars[b]] = static_cast<int16_t>(b);
    }
  }

  // The byte that c stands for, or -1.
  constexpr int byte(char32_t c) const { return c < kEnd ? bytes[c] : -1; }
};

inline constexpr ByteAlphabet kByteAlphabet{};

}  // namespace neural_engine
