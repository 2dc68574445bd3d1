// A set of characters: what one `[...]`, `\p{...}` or `\s` of a regular expression stands for.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "models/tokenizer/unicode.h"

namespace neural_engine {

class CharSet {
 public:
  void add_range(char32_t first, char32_t last, bool negated = false);
  // Bits by unicode::Category.
  void add_categories(uint32_t mask, bool negated = false);
  void add_property(unicode::Property property, bool negated = false);
  void negate() { negated_ = !negated_; }

  // To be called after the last change, before contains().
  void prepare();

  bool contains(char32_t c) const noexcept {
    return c < 128 ? ((ascii_[c >> 6] >> (c & 63)) & 1) != 0 : contains_slow(c);
  }

  // Categories by the name that `\p{...}` takes ("L", "Lu", "P", ...); 0 for a name that is none.
  static uint32_t categories(std::string_view name);

 private:
  struct Item {
    char32_t first, last;  // a range, when no mask
    uint32_t categories;   // else bits by category
    uint16_t property;     // or a Property
    bool negated;
  };

  bool contains_slow(char32_t c) const noexcept;

  std::vector<Item> items_;
  std::array<uint64_t, 2> ascii_{};
  bool negated_ = false;
};

}  // namespace neural_engine
