// Regular expressions of tokenizer.json, matched as the reference's engine (Oniguruma, Ruby syntax, Unicode 16) does:
// leftmost, alternatives in order, greedy with backtracking.
//
// What is understood: characters and escapes (\n \r \t \f \v \xHH \uHHHH, punctuation), `.`, \s \d \w and \p{...} of a
// general category with their negations, [...] with ranges, ( ), (?: ), (?i: ), (?= ), (?! ), (?> ), alternatives, and
// * + ? {n} {n,} {n,m}, greedy, lazy (`?`) or, for the first three, possessive (`+`). That covers GPT-2, GPT-4, GPT-4o,
// Llama 3, Qwen 2 and DeepSeek. Anything else is refused with kUnsupported, never guessed: anchors, look-behind,
// back-references, scripts, POSIX brackets, sets in sets, and expressions that match the empty string.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/tokenizer/char_set.h"

namespace neural_engine {

class Regex {
 public:
  struct Match {
    size_t begin, end;
  };

  // Throws Error: kUnsupported (see above) or kInvalidData (not a regular expression).
  explicit Regex(std::string_view pattern);

  // Matches exactly this text.
  static Regex literal(std::u32string_view text);

  // All matches, from the left, none overlapping. An expression whose backtracking explodes on this text is stopped
  // with kUnsupported, rather than run for hours.
  void find_all(std::u32string_view text, std::vector<Match>& matches) const;

  const std::string& pattern() const { return pattern_; }

 private:
  friend class RegexCompiler;
  friend class RegexMatcher;

  enum class Op : uint8_t {
    kChar,    // c
    kSet,     // set x
    kRepeat,  // set x, min..max times, in `mode`
    kSplit,   // go on at x; if that fails, at y. `guard`, if >= 0, is the set of what x can begin with
    kJump,    // go on at x
    kLook,    // go on at y if the body at x matches here (or, negated, if it does not)
    kAtomic,  // match the body at x once, then go on at y
    kAccept,  // end of the expression or of a body
  };
  enum class Mode : uint8_t { kGreedy, kLazy, kPossessive };
  struct Instruction {
    Op op = Op::kAccept;
    Mode mode = Mode::kGreedy;
    bool negated = false;
    char32_t c = 0;
    int32_t x = 0, y = 0;
    int32_t min = 0, max = 0;
    int32_t guard = -1;
  };

  Regex() = default;

  std::string pattern_;
  std::vector<Instruction> program_;
  std::vector<CharSet> sets_;
  int32_t first_ = -1;  // the set of what a match can begin with, -1 when not known
};

}  // namespace neural_engine
