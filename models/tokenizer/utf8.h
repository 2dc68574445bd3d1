// UTF-8 in and out. Bytes that are not UTF-8 become U+FFFD, one for each maximal part of a sequence (Unicode 15, table
// 3-8), as Python's errors="replace" and Rust's from_utf8_lossy do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace neural_engine::utf8 {

// Decodes the character at text[at]; returns the number of bytes that it takes (1 to 4). at < text.size().
uint32_t decode(std::string_view text, size_t at, char32_t* c) noexcept;

// The number of bytes of one character: 1 to 4.
inline uint32_t length(char32_t c) noexcept { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

void append(std::string& out, char32_t c);
std::string encode(std::u32string_view text);
std::u32string decode(std::string_view text);

// The text with U+FFFD for what is not UTF-8.
std::string sanitize(std::string_view text);

}  // namespace neural_engine::utf8
