#include "ir/polynomial.h"

#include <algorithm>
#include <charconv>

#include "base/checked.h"

namespace neural_engine {

namespace {

using Term = Polynomial::Term;

constexpr size_t kMaxTerms = 16;
constexpr int kMaxDepth = 16;  // nested parentheses of a foreign text

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool is_balanced(std::string_view text) {
  int depth = 0;
  for (char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (depth < 0) return false;
  }
  return depth == 0;
}

// The first of `characters` that stands outside all parentheses, at or after `from`.
size_t find_outside(std::string_view text, std::string_view characters, size_t from) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (depth == 0 && i >= from && characters.find(text[i]) != std::string_view::npos) return i;
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
  }
  return std::string_view::npos;
}

// Sorts, merges equal products and drops zeros.
std::optional<Polynomial> normalized(std::vector<Term> terms) {
  std::sort(terms.begin(), terms.end(), [](const Term& a, const Term& b) { return a.atoms < b.atoms; });
  Polynomial result;
  for (Term& term : terms) {
    if (result.terms.empty() || result.terms.back().atoms != term.atoms) {
      result.terms.push_back(std::move(term));
    } else {
      int64_t& sum = result.terms.back().coefficient;
      if (!checked_add(sum, term.coefficient, &sum)) return std::nullopt;
    }
  }
  std::erase_if(result.terms, [](const Term& term) { return term.coefficient == 0; });
  if (result.terms.size() > kMaxTerms) return std::nullopt;
  std::stable_sort(result.terms.begin(), result.terms.end(), [](const Term& a, const Term& b) {
    const int class_a = 2 * (a.coefficient < 0) + a.atoms.empty();
    const int class_b = 2 * (b.coefficient < 0) + b.atoms.empty();
    return class_a < class_b;  // positive, positive number, negative, negative number
  });
  return result;
}

std::optional<Polynomial> parse_sum(std::string_view text, int depth);

std::optional<Polynomial> parse_factor(std::string_view text, int depth) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return Polynomial::constant(number);
  if (text.front() != '(' || text.back() != ')' || !is_balanced(text.substr(1, text.size() - 2))) {
    return Polynomial::atom(text);
  }
  const std::string_view inner = text.substr(1, text.size() - 2);
  return find_outside(inner, "/%", 0) == std::string_view::npos ? parse_sum(inner, depth + 1)
                                                                : Polynomial::atom(trimmed(inner));
}

std::optional<Polynomial> parse_product(std::string_view text, int depth) {
  // A division is not associative with its neighbours: it stays whole.
  if (find_outside(text, "/%", 0) != std::string_view::npos) return Polynomial::atom(trimmed(text));
  std::optional<Polynomial> result = Polynomial::constant(1);
  for (size_t begin = 0; result && begin <= text.size();) {
    const size_t end = std::min(find_outside(text, "*", begin), text.size());
    const std::optional<Polynomial> factor = parse_factor(text.substr(begin, end - begin), depth);
    result = factor ? multiply(*result, *factor) : std::nullopt;
    begin = end + 1;
  }
  return result;
}

std::optional<Polynomial> parse_sum(std::string_view text, int depth) {
  text = trimmed(text);
  if (depth > kMaxDepth || text.empty()) return std::nullopt;
  std::optional<Polynomial> result = Polynomial();
  bool negative = text.front() == '-';
  for (size_t begin = negative ? 1 : 0; result && begin <= text.size();) {
    const size_t end = std::min(find_outside(text, "+-", begin), text.size());
    const std::optional<Polynomial> term = parse_product(text.substr(begin, end - begin), depth);
    if (!term) return std::nullopt;
    result = negative ? subtract(*result, *term) : add(*result, *term);
    negative = end < text.size() && text[end] == '-';
    begin = end + 1;
  }
  return result;
}

// a / b, when b's factors are all among a's.
std::optional<Term> exact_quotient(const Term& a, const Term& b) {
  if (b.coefficient == -1 ? a.coefficient == INT64_MIN : a.coefficient % b.coefficient != 0) return std::nullopt;
  if (!std::includes(a.atoms.begin(), a.atoms.end(), b.atoms.begin(), b.atoms.end())) return std::nullopt;
  Term result{a.coefficient / b.coefficient, {}};
  std::set_difference(a.atoms.begin(), a.atoms.end(), b.atoms.begin(), b.atoms.end(), std::back_inserter(result.atoms));
  return result;
}

std::optional<Polynomial> exact_quotient(const Polynomial& a, const Polynomial& b) {
  if (a.terms.empty()) return a;
  // A quotient of several terms by several is only found when it is one term: (2s+2)/(s+1).
  const bool proportional = b.terms.size() > 1;
  if (proportional && a.terms.size() != b.terms.size()) return std::nullopt;
  std::vector<Term> quotients;
  for (size_t i = 0; i < a.terms.size(); ++i) {
    std::optional<Term> quotient = exact_quotient(a.terms[i], b.terms[proportional ? i : 0]);
    if (!quotient) return std::nullopt;
    if (!proportional) {
      quotients.push_back(*std::move(quotient));
    } else if (quotients.empty()) {
      quotients = {*std::move(quotient)};
    } else if (quotients[0] != *quotient) {
      return std::nullopt;
    }
  }
  return normalized(std::move(quotients));
}

std::string operand(const Polynomial& polynomial) {
  const std::string text = to_string(polynomial);
  return text.find_first_of("+-*/% ") == std::string::npos || (text.front() == '(' && polynomial.terms.size() == 1)
             ? text
             : "(" + text + ")";
}

std::string to_string(const Term& term, bool first) {
  std::string result = term.coefficient < 0 ? "-" : first ? "" : "+";
  const uint64_t magnitude =
      term.coefficient < 0 ? -static_cast<uint64_t>(term.coefficient) : static_cast<uint64_t>(term.coefficient);
  const bool bare = term.atoms.empty();
  if (magnitude != 1 || bare) result += std::to_string(magnitude) + (bare ? "" : "*");
  for (size_t i = 0; i < term.atoms.size(); ++i) {
    const bool division = find_outside(term.atoms[i], "/%", 0) != std::string_view::npos;
    result += (i ? "*" : "") + (division ? "(" + term.atoms[i] + ")" : term.atoms[i]);
  }
  return result;
}

}  // namespace

Polynomial Polynomial::constant(int64_t value) {
  Polynomial result;
  if (value != 0) result.terms.push_back({value, {}});
  return result;
}

Polynomial Polynomial::atom(std::string_view name) {
  Polynomial result;
  result.terms.push_back({1, {std::string(name)}});
  return result;
}

std::optional<Polynomial> Polynomial::parse(std::string_view text) {
  return is_balanced(text) ? parse_sum(text, 0) : std::nullopt;
}

std::optional<int64_t> Polynomial::as_constant() const {
  if (terms.empty()) return 0;
  if (terms.size() > 1 || !terms[0].atoms.empty()) return std::nullopt;
  return terms[0].coefficient;
}

std::optional<Polynomial> add(const Polynomial& a, const Polynomial& b) {
  std::vector<Term> terms = a.terms;
  terms.insert(terms.end(), b.terms.begin(), b.terms.end());
  return normalized(std::move(terms));
}

std::optional<Polynomial> subtract(const Polynomial& a, const Polynomial& b) {
  const std::optional<Polynomial> negated = multiply(b, Polynomial::constant(-1));
  return negated ? add(a, *negated) : std::nullopt;
}

std::optional<Polynomial> multiply(const Polynomial& a, const Polynomial& b) {
  std::vector<Term> terms;
  for (const Term& x : a.terms) {
    for (const Term& y : b.terms) {
      Term term;
      if (!checked_mul(x.coefficient, y.coefficient, &term.coefficient)) return std::nullopt;
      std::merge(x.atoms.begin(), x.atoms.end(), y.atoms.begin(), y.atoms.end(), std::back_inserter(term.atoms));
      terms.push_back(std::move(term));
    }
  }
  return normalized(std::move(terms));
}

std::optional<Polynomial> divide(const Polynomial& a, const Polynomial& b) {
  if (b.terms.empty()) return std::nullopt;
  if (std::optional<Polynomial> exact = exact_quotient(a, b)) return exact;
  return Polynomial::atom(operand(a) + "/" + operand(b));
}

std::string to_string(const Polynomial& polynomial) {
  if (polynomial.terms.empty()) return "0";
  std::string result;
  for (const Term& term : polynomial.terms) result += to_string(term, result.empty());
  return result;
}

}  // namespace neural_engine
