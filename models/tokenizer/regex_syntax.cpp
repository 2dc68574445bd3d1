#include "models/tokenizer/regex_syntax.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

constexpr int kMaxNesting = 32;
constexpr int32_t kMaxRepeat = 1000;
constexpr uint32_t kDigits = uint32_t{1} << unicode::kNd;

bool is_ascii_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_ascii_digit(char32_t c) { return c >= '0' && c <= '9'; }

// Recursive descent; one level of nesting is three calls.
class Parser {
 public:
  explicit Parser(std::string_view pattern) : text_(utf8::decode(pattern)), pattern_(pattern) {}

  RegexNode parse() {
    RegexNode node = alternatives();
    if (!at_end()) invalid("a \")\" without its \"(\"");
    return node;
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  char32_t peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : 0; }
  bool take(char32_t c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::u32string_view word) {
    if (std::u32string_view(text_).substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  char32_t next() {
    if (at_end()) invalid("an unfinished expression");
    return text_[at_++];
  }

  [[noreturn]] void invalid(std::string_view what) const {
    fail(Code::kInvalidData, "regular expression \"", pattern_, "\": ", what, " at character ", at_);
  }
  [[noreturn]] void unsupported(std::string_view what) const {
    fail(Code::kUnsupported, "regular expression \"", pattern_, "\": ", what, " before character ", at_,
         " is not supported; supported are characters, escapes, . \\s \\d \\w \\p{category} [...] ( ) (?: ) (?i: ) (?= "
         ") "
         "(?! ) (?> ) | * + ? {n,m}");
  }

  RegexNode alternatives();
  RegexNode sequence();
  RegexNode repeated();
  RegexNode atom();
  RegexNode group();
  RegexNode bracket();
  RegexNode quantified(RegexNode body, int32_t min, int32_t max, bool interval);
  bool interval(int32_t* min, int32_t* max);
  bool class_escape(char32_t letter, CharSet& set);
  char32_t char_escape(char32_t letter);
  char32_t hex(int digits);
  RegexNode character(char32_t c);
  void add_folded(CharSet& set, char32_t first, char32_t last) const;

  std::u32string text_;
  std::string_view pattern_;
  size_t at_ = 0;
  int depth_ = 0;
  bool ignore_case_ = false;
  char32_t last_folded_ = 0;  // the letter before this one, when both ignore case
};

RegexNode set_node(CharSet set) {
  set.prepare();
  RegexNode node;
  node.kind = RegexNode::Kind::kSet;
  node.set = std::move(set);
  return node;
}

RegexNode Parser::alternatives() {
  if (++depth_ > kMaxNesting) unsupported("nesting deeper than 32 groups");
  RegexNode node;
  node.kind = RegexNode::Kind::kAlternatives;
  do {
    last_folded_ = 0;
    node.children.push_back(sequence());
  } while (take('|'));
  --depth_;
  if (node.children.size() == 1) return RegexNode(std::move(node.children.front()));
  return node;
}

RegexNode Parser::sequence() {
  RegexNode node;
  node.kind = RegexNode::Kind::kSequence;
  while (!at_end() && peek() != '|' && peek() != ')') node.children.push_back(repeated());
  if (node.children.empty()) node.kind = RegexNode::Kind::kEmpty;
  return node;
}

RegexNode Parser::repeated() {
  RegexNode node = atom();
  for (;;) {
    int32_t min = 0;
    int32_t max = RegexNode::kNoLimit;
    bool braces = false;
    if (take('+')) {
      min = 1;
    } else if (take('?')) {
      max = 1;
    } else if (peek() == '{') {
      if (!interval(&min, &max)) return node;
      braces = true;
    } else if (!take('*')) {
      return node;
    }
    node = quantified(std::move(node), min, max, braces);
  }
}

RegexNode Parser::quantified(RegexNode body, int32_t min, int32_t max, bool braces) {
  using Kind = RegexNode::Kind;
  if (body.kind == Kind::kLook) unsupported("a repeated look-ahead");
  if (body.kind == Kind::kRepeat) unsupported("a repetition of a repetition without a group");
  if (body.nullable()) unsupported("a repetition of what can be empty");
  RegexNode node;
  node.kind = Kind::kRepeat;
  node.min = min;
  node.max = max;
  if (take('?')) {
    // In Ruby's syntax {n}? is "once or not at all", the other forms are lazy.
    if (braces && min == max) unsupported("{n}?");
    node.greed = RegexNode::Greed::kLazy;
  } else if (take('+')) {
    // In Ruby's syntax {n,m}+ repeats {n,m} once or more.
    if (braces) unsupported("{n,m}+");
    node.greed = RegexNode::Greed::kPossessive;
  }
  node.children.push_back(std::move(body));
  last_folded_ = 0;
  return node;
}

bool Parser::interval(int32_t* min, int32_t* max) {
  const size_t start = at_;
  const auto number = [&](int32_t* value) {
    if (!is_ascii_digit(peek())) return false;
    *value = 0;
    while (is_ascii_digit(peek())) {
      *value = *value * 10 + static_cast<int32_t>(next() - '0');
      if (*value > kMaxRepeat) unsupported("a repetition of more than 1000 times");
    }
    return true;
  };
  take('{');
  bool valid = number(min);
  *max = *min;
  if (valid && take(',') && !number(max)) *max = RegexNode::kNoLimit;
  valid = valid && take('}');
  if (!valid) {
    at_ = start;
    unsupported("a \"{\" that is not {n}, {n,} or {n,m}");
  }
  if (*max < *min) invalid("an interval whose end is below its begin");
  return true;
}

RegexNode Parser::atom() {
  const char32_t c = next();
  switch (c) {
    case '(': return group();
    case '[': return bracket();
    case '.': {
      CharSet set;
      set.add_range('\n', '\n');
      set.negate();
      return set_node(std::move(set));
    }
    case '\\': {
      const char32_t letter = next();
      CharSet set;
      if (class_escape(letter, set)) return set_node(std::move(set));
      return character(char_escape(letter));
    }
    case '*':
    case '+':
    case '?': invalid("a repetition of nothing");
    case '^':
    case '$': unsupported("an anchor");
    case '{': unsupported("a \"{\" that repeats nothing");
    default: return character(c);
  }
}

RegexNode Parser::group() {
  RegexNode node;
  const bool outer_case = ignore_case_;
  if (take(U"?=") || take(U"?!")) {
    node.kind = RegexNode::Kind::kLook;
    node.negated = text_[at_ - 1] == '!';
  } else if (take(U"?>")) {
    node.kind = RegexNode::Kind::kAtomic;
  } else if (take(U"?i:")) {
    ignore_case_ = true;
  } else if (peek() == '?' && !take(U"?:")) {
    unsupported("this kind of group");
  }
  RegexNode body = alternatives();
  if (!take(')')) invalid("a \"(\" without its \")\"");
  ignore_case_ = outer_case;
  last_folded_ = 0;
  if (node.kind == RegexNode::Kind::kEmpty) {
    // A group's own repetition is its own: (a+)* is not a+*.
    if (body.kind != RegexNode::Kind::kRepeat && body.kind != RegexNode::Kind::kLook) return body;
    node.kind = RegexNode::Kind::kSequence;
  }
  node.children.push_back(std::move(body));
  return node;
}

// Under (?i: ) a letter also matches its other case and, as Unicode folds them, the long s and the Kelvin sign.
void Parser::add_folded(CharSet& set, char32_t first, char32_t last) const {
  set.add_range(first, last);
  if (!ignore_case_) return;
  if (last > 127) unsupported("ignoring the case of a character that is not ASCII");
  for (char32_t c = first; c <= last; ++c) {
    if (!is_ascii_letter(c)) continue;
    set.add_range(c ^ 0x20, c ^ 0x20);
    if ((c | 0x20) == 's') set.add_range(0x17F, 0x17F);
    if ((c | 0x20) == 'k') set.add_range(0x212A, 0x212A);
  }
}

RegexNode Parser::character(char32_t c) {
  if (ignore_case_) {
    // Two letters that are also the fold of one ligature or sharp s would have to match that one character.
    const char32_t letter = is_ascii_letter(c) ? c | 0x20 : c;
    const char32_t pairs[][2] = {{'s', 's'}, {'s', 't'}, {'f', 'f'}, {'f', 'i'}, {'f', 'l'}};
    for (const auto& pair : pairs) {
      if (last_folded_ == pair[0] && letter == pair[1]) unsupported("ignoring the case of ss, st, ff, fi or fl");
    }
    last_folded_ = letter;
    if (is_ascii_letter(c) || c > 127) {
      CharSet set;
      add_folded(set, c, c);
      return set_node(std::move(set));
    }
  }
  RegexNode node;
  node.kind = RegexNode::Kind::kChar;
  node.c = c;
  return node;
}

bool Parser::class_escape(char32_t letter, CharSet& set) {
  switch (letter) {
    case 's': set.add_property(unicode::kWhitespace); return true;
    case 'S': set.add_property(unicode::kWhitespace, true); return true;
    case 'w': set.add_property(unicode::kRegexWord); return true;
    case 'W': set.add_property(unicode::kRegexWord, true); return true;
    case 'd': set.add_categories(kDigits); return true;
    case 'D': set.add_categories(kDigits, true); return true;
    case 'p':
    case 'P': {
      if (!take('{')) unsupported("\\p without {...}");
      const bool negated = take('^') != (letter == 'P');
      std::u32string name;
      while (peek() != '}') name.push_back(next());
      take('}');
      const uint32_t mask = CharSet::categories(utf8::encode(name));
      if (mask == 0) unsupported("\\p{" + utf8::encode(name) + "}");
      set.add_categories(mask, negated);
      return true;
    }
    default: return false;
  }
}

char32_t Parser::hex(int digits) {
  char32_t value = 0;
  for (int i = 0; i < digits; ++i) {
    const char32_t c = next();
    const char32_t low = c | 0x20;
    if (is_ascii_digit(c)) {
      value = value * 16 + (c - '0');
    } else if (low >= 'a' && low <= 'f') {
      value = value * 16 + (low - 'a' + 10);
    } else {
      invalid("a hexadecimal escape with too few digits");
    }
  }
  return value;
}

char32_t Parser::char_escape(char32_t letter) {
  switch (letter) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'f': return '\f';
    case 'v': return '\v';
    case 'a': return '\a';
    case 'e': return 27;
    case 'x': {
      const char32_t value = hex(2);
      // From 80 on it is one byte of UTF-8, not a character.
      if (value > 127) unsupported("\\x80 and above");
      return value;
    }
    case 'u': return hex(4);
    default:
      if (is_ascii_letter(letter) || is_ascii_digit(letter)) unsupported("\\" + utf8::encode({&letter, 1}));
      return letter;
  }
}

RegexNode Parser::bracket() {
  CharSet set;
  if (take('^')) set.negate();
  if (peek() == ']') unsupported("\"[]\"");
  // One member: a class escape (then `single` stays false) or a character.
  const auto member = [&](bool* single) -> char32_t {
    *single = true;
    const char32_t c = next();
    if (c == '[') unsupported("a set within a set");
    if (c == '&' && peek() == '&') unsupported("an intersection of sets");
    if (c != '\\') return c;
    const char32_t letter = next();
    if (class_escape(letter, set)) {
      *single = false;
      return 0;
    }
    return char_escape(letter);
  };
  while (!take(']')) {
    bool single = false;
    const char32_t first = member(&single);
    if (!single) {
      if (peek() == '-' && peek(1) != ']') unsupported("a \"-\" after a class");
      continue;
    }
    if (peek() == '-' && peek(1) != ']') {
      next();
      const char32_t last = member(&single);
      if (!single) unsupported("a range that ends with a class");
      if (last < first) invalid("a range whose end is below its begin");
      add_folded(set, first, last);
    } else {
      add_folded(set, first, first);
    }
  }
  last_folded_ = 0;
  return set_node(std::move(set));
}

}  // namespace

bool RegexNode::nullable() const {
  const auto is_nullable = [](const RegexNode& node) { return node.nullable(); };
  switch (kind) {
    case Kind::kChar:
    case Kind::kSet: return false;
    case Kind::kEmpty:
    case Kind::kLook: return true;
    case Kind::kAtomic:
    case Kind::kSequence: return std::all_of(children.begin(), children.end(), is_nullable);
    case Kind::kAlternatives: return std::any_of(children.begin(), children.end(), is_nullable);
    case Kind::kRepeat: return min == 0 || children.front().nullable();
  }
  return true;
}

bool RegexNode::first_set(std::vector<const RegexNode*>& out) const {
  switch (kind) {
    case Kind::kChar:
    case Kind::kSet: out.push_back(this); return true;
    case Kind::kAtomic:
    case Kind::kSequence:
      for (const RegexNode& child : children) {
        if (child.kind == Kind::kLook) continue;  // a look-ahead only narrows what follows it
        if (child.first_set(out)) return true;
        if (!child.nullable()) return false;
      }
      return false;
    case Kind::kAlternatives:
      return std::all_of(children.begin(), children.end(),
                         [&](const RegexNode& child) { return child.first_set(out); });
    case Kind::kRepeat: return children.front().first_set(out) && min > 0;
    case Kind::kEmpty:
    case Kind::kLook: return false;
  }
  return false;
}

RegexNode parse_regex(std::string_view pattern) { return Parser(pattern).parse(); }

}  // namespace neural_engine
