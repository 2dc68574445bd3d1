// The normal form behind symbolic dimensions: a sum of products of names, so that equal expressions get equal text and
// equal factors and terms cancel: batch*seq*768 / (batch*768) is seq, (past+seq) - past is seq.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neural_engine {

struct Polynomial {
  struct Term {
    int64_t coefficient = 0;         // never 0
    std::vector<std::string> atoms;  // sorted: names, and what the grammar below does not break up
    friend bool operator==(const Term&, const Term&) = default;
  };

  std::vector<Term> terms;  // in printing order

  static Polynomial constant(int64_t value);
  static Polynomial atom(std::string_view name);
  // Reads names, numbers, + - * and parentheses ("-" in a foreign name thus means a difference); a division or a
  // function is one atom. nullopt for a text of another form.
  static std::optional<Polynomial> parse(std::string_view text);

  std::optional<int64_t> as_constant() const;
  friend bool operator==(const Polynomial&, const Polynomial&) = default;
};

// nullopt: a coefficient overflows, or there are too many terms to be worth keeping.
std::optional<Polynomial> add(const Polynomial& a, const Polynomial& b);
std::optional<Polynomial> subtract(const Polynomial& a, const Polynomial& b);
std::optional<Polynomial> multiply(const Polynomial& a, const Polynomial& b);
// The quotient where it is exact, else the truncated division as one atom. b is not zero.
std::optional<Polynomial> divide(const Polynomial& a, const Polynomial& b);

// Positive terms come first, so that a text begins with "-" exactly when all terms are negative.
std::string to_string(const Polynomial& polynomial);

}  // namespace neural_engine
