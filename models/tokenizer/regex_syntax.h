// The syntax tree of a regular expression: parsed by regex_syntax.cpp, compiled by regex_compile.cpp.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "models/tokenizer/char_set.h"

namespace neural_engine {

struct RegexNode {
  enum class Kind { kEmpty, kChar, kSet, kSequence, kAlternatives, kRepeat, kLook, kAtomic };
  enum class Greed { kGreedy, kLazy, kPossessive };
  static constexpr int32_t kNoLimit = INT32_MAX;

  Kind kind = Kind::kEmpty;
  char32_t c = 0;
  CharSet set;
  std::vector<RegexNode> children;
  int32_t min = 0, max = 0;
  Greed greed = Greed::kGreedy;
  bool negated = false;

  // Whether it can match without taking a character.
  bool nullable() const;
  // Adds what its first character can be; false when that is not known (it is nullable).
  bool first_set(std::vector<const RegexNode*>& out) const;
};

RegexNode parse_regex(std::string_view pattern);

}  // namespace neural_engine
