#include "base/error.h"
#include "models/tokenizer/regex.h"
#include "models/tokenizer/regex_syntax.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

// Counted repetitions of groups are written out; this bounds what a hostile pattern can ask for.
constexpr size_t kMaxProgram = 4096;

}  // namespace

// Turns the tree into a program, bodies of look-aheads and atomic groups in line behind their instruction.
class RegexCompiler {
 public:
  explicit RegexCompiler(Regex& regex) : regex_(regex) {}

  void compile(const RegexNode& node) {
    emit(node);
    add({.op = Regex::Op::kAccept});
    regex_.first_ = guard(node);
  }

 private:
  using Kind = RegexNode::Kind;
  using Op = Regex::Op;

  int32_t here() const { return static_cast<int32_t>(regex_.program_.size()); }

  int32_t add(const Regex::Instruction& instruction) {
    if (regex_.program_.size() >= kMaxProgram) {
      fail(Code::kUnsupported, "regular expression \"", regex_.pattern_, "\" has more than ", kMaxProgram, " steps");
    }
    regex_.program_.push_back(instruction);
    return here() - 1;
  }

  Regex::Instruction& at(int32_t index) { return regex_.program_[static_cast<size_t>(index)]; }

  int32_t add_set(CharSet set) {
    set.prepare();
    regex_.sets_.push_back(std::move(set));
    return static_cast<int32_t>(regex_.sets_.size()) - 1;
  }

  // The set that a node's repeated single character is, or -1.
  int32_t single_set(const RegexNode& node) {
    if (node.kind == Kind::kSet) return add_set(node.set);
    if (node.kind != Kind::kChar) return -1;
    CharSet set;
    set.add_range(node.c, node.c);
    return add_set(std::move(set));
  }

  // A set that contains every ASCII character that the node can begin with, and all others: a cheap test before an
  // alternative is tried. -1 when there is none.
  int32_t guard(const RegexNode& node) {
    std::vector<const RegexNode*> firsts;
    if (!node.first_set(firsts)) return -1;
    CharSet set;
    set.add_range(128, unicode::kLastCodePoint);
    for (char32_t c = 0; c < 128; ++c) {
      for (const RegexNode* first : firsts) {
        const bool matches = first->kind == Kind::kChar ? first->c == c : first->set.contains(c);
        if (matches) set.add_range(c, c);
      }
    }
    return add_set(std::move(set));
  }

  void emit(const RegexNode& node) {
    switch (node.kind) {
      case Kind::kEmpty: return;
      case Kind::kChar: add({.op = Op::kChar, .c = node.c}); return;
      case Kind::kSet: add({.op = Op::kSet, .x = add_set(node.set)}); return;
      case Kind::kSequence:
        for (const RegexNode& child : node.children) emit(child);
        return;
      case Kind::kAlternatives: alternatives(node); return;
      case Kind::kRepeat: repeat(node); return;
      case Kind::kLook:
      case Kind::kAtomic: body(node); return;
    }
  }

  void alternatives(const RegexNode& node) {
    std::vector<int32_t> jumps;
    for (size_t i = 0; i < node.children.size(); ++i) {
      const bool last = i + 1 == node.children.size();
      const int32_t split = last ? -1 : add({.op = Op::kSplit, .guard = guard(node.children[i])});
      if (!last) at(split).x = here();
      emit(node.children[i]);
      if (last) break;
      jumps.push_back(add({.op = Op::kJump}));
      at(split).y = here();
    }
    for (const int32_t jump : jumps) at(jump).x = here();
  }

  void body(const RegexNode& node) {
    const Op op = node.kind == Kind::kLook ? Op::kLook : Op::kAtomic;
    const int32_t start = add({.op = op, .negated = node.negated});
    at(start).x = here();
    emit(node.children.front());
    add({.op = Op::kAccept});
    at(start).y = here();
  }

  void repeat(const RegexNode& node) {
    const RegexNode& child = node.children.front();
    const auto mode = static_cast<Regex::Mode>(node.greed);
    if (const int32_t set = single_set(child); set >= 0) {
      add({.op = Op::kRepeat, .mode = mode, .x = set, .min = node.min, .max = node.max});
      return;
    }
    if (mode == Regex::Mode::kPossessive) {
      const int32_t start = add({.op = Op::kAtomic});
      at(start).x = here();
      repeat_group(child, node.min, node.max, false);
      add({.op = Op::kAccept});
      at(start).y = here();
      return;
    }
    repeat_group(child, node.min, node.max, mode == Regex::Mode::kLazy);
  }

  // min copies, then a loop, or max - min optional copies that all leave to the same end.
  void repeat_group(const RegexNode& child, int32_t min, int32_t max, bool lazy) {
    for (int32_t i = 0; i < min; ++i) emit(child);
    std::vector<int32_t> leaves;
    const int32_t copies = max == RegexNode::kNoLimit ? 1 : max - min;
    for (int32_t i = 0; i < copies; ++i) {
      leaves.push_back(add({.op = Op::kSplit}));
      emit(child);
    }
    if (max == RegexNode::kNoLimit) add({.op = Op::kJump, .x = leaves.front()});
    for (const int32_t leave : leaves) {
      (lazy ? at(leave).y : at(leave).x) = leave + 1;
      (lazy ? at(leave).x : at(leave).y) = here();
    }
  }

  Regex& regex_;
};

Regex::Regex(std::string_view pattern) : pattern_(utf8::sanitize(pattern)) {
  const RegexNode node = parse_regex(pattern_);
  if (node.nullable()) fail(Code::kUnsupported, "regular expression \"", pattern_, "\" matches the empty string");
  RegexCompiler(*this).compile(node);
}

Regex Regex::literal(std::u32string_view text) {
  Regex regex;
  regex.pattern_ = utf8::encode(text);
  if (text.empty()) fail(Code::kUnsupported, "a pattern that is the empty string");
  RegexNode node;
  node.kind = RegexNode::Kind::kSequence;
  for (const char32_t c : text) {
    RegexNode character;
    character.kind = RegexNode::Kind::kChar;
    character.c = c;
    node.children.push_back(std::move(character));
  }
  RegexCompiler(regex).compile(node);
  return regex;
}

}  // namespace neural_engine
