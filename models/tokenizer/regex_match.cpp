// A backtracking matcher. Backtracking is what gives leftmost-first answers; the patterns in use backtrack over at most
// one run of characters, so a match costs little more than its length. What a hostile pattern can make of it is bounded
// by a budget of steps.
#include <algorithm>

#include "base/error.h"
#include "models/tokenizer/regex.h"

namespace neural_engine {

class RegexMatcher {
 public:
  RegexMatcher(const Regex& regex, std::u32string_view text)
      : regex_(regex), text_(text), budget_(kStepsPerText + kStepsPerCharacter * static_cast<int64_t>(text.size())) {}

  // The end of the match at `begin`, or kNone.
  size_t match(size_t begin) { return run(0, begin); }

  static constexpr size_t kNone = ~size_t{0};

 private:
  using Op = Regex::Op;
  using Mode = Regex::Mode;

  static constexpr int64_t kStepsPerText = 1'000'000;
  static constexpr int64_t kStepsPerCharacter = 1'000;

  // Where to go on when a path fails: at `pc`, at each position from `position` to `limit`, one step at a time.
  struct Choice {
    int32_t pc;
    size_t position;
    size_t limit;
  };

  void spend(size_t steps) {
    budget_ -= static_cast<int64_t>(steps);
    if (budget_ < 0) {
      fail(Code::kUnsupported, "regular expression \"", regex_.pattern_, "\" backtracks too much on a text of ",
           text_.size(), " characters");
    }
  }

  bool in_set(int32_t set, size_t at) const {
    return at < text_.size() && regex_.sets_[static_cast<size_t>(set)].contains(text_[at]);
  }

  // The end of the run of at most `max` characters of the set from `at`.
  size_t run_of(int32_t set, size_t at, int32_t max) const {
    const CharSet& members = regex_.sets_[static_cast<size_t>(set)];
    const size_t left = text_.size() - at;
    const size_t end = at + (max == INT32_MAX ? left : std::min(left, static_cast<size_t>(max)));
    while (at < end && members.contains(text_[at])) ++at;
    return at;
  }

  bool backtrack(size_t base, int32_t* pc, size_t* at) {
    if (choices_.size() == base) return false;
    Choice& choice = choices_.back();
    *pc = choice.pc;
    *at = choice.position;
    if (choice.position == choice.limit) {
      choices_.pop_back();
    } else {
      choice.position += choice.position < choice.limit ? size_t{1} : ~size_t{0};
    }
    return true;
  }

  bool repeat(const Regex::Instruction& step, int32_t* pc, size_t* at);
  size_t run(int32_t pc, size_t at);

  const Regex& regex_;
  std::u32string_view text_;
  std::vector<Choice> choices_;
  int64_t budget_;
};

bool RegexMatcher::repeat(const Regex::Instruction& step, int32_t* pc, size_t* at) {
  const size_t end = run_of(step.x, *at, step.max);
  spend((end - *at) / 8 + 1);
  const size_t least = *at + static_cast<size_t>(step.min);
  if (end < least) return false;
  ++*pc;
  if (step.mode == Mode::kLazy) {
    if (least < end) choices_.push_back({*pc, least + 1, end});
    *at = least;
  } else {
    if (step.mode == Mode::kGreedy && least < end) choices_.push_back({*pc, end - 1, least});
    *at = end;
  }
  return true;
}

size_t RegexMatcher::run(int32_t pc, size_t at) {
  const size_t base = choices_.size();
  for (;;) {
    spend(1);
    const Regex::Instruction& step = regex_.program_[static_cast<size_t>(pc)];
    bool matched = true;
    switch (step.op) {
      case Op::kAccept: choices_.resize(base); return at;
      case Op::kChar:
        matched = at < text_.size() && text_[at] == step.c;
        ++at, ++pc;
        break;
      case Op::kSet:
        matched = in_set(step.x, at);
        ++at, ++pc;
        break;
      case Op::kRepeat: matched = repeat(step, &pc, &at); break;
      case Op::kSplit:
        if (step.guard >= 0 && !in_set(step.guard, at)) {
          pc = step.y;
        } else {
          choices_.push_back({step.y, at, at});
          pc = step.x;
        }
        break;
      case Op::kJump: pc = step.x; break;
      case Op::kLook:
        matched = (run(step.x, at) != kNone) != step.negated;
        pc = step.y;
        break;
      case Op::kAtomic:
        at = run(step.x, at);
        matched = at != kNone;
        pc = step.y;
        break;
    }
    if (!matched && !backtrack(base, &pc, &at)) return kNone;
  }
}

void Regex::find_all(std::u32string_view text, std::vector<Match>& matches) const {
  matches.clear();
  RegexMatcher matcher(*this, text);
  for (size_t begin = 0; begin < text.size();) {
    const bool possible = first_ < 0 || sets_[static_cast<size_t>(first_)].contains(text[begin]);
    const size_t end = possible ? matcher.match(begin) : RegexMatcher::kNone;
    if (end == RegexMatcher::kNone) {
      ++begin;
    } else {
      matches.push_back({begin, end});
      begin = end;
    }
  }
}

}  // namespace neural_engine
