#include "ir/dim.h"

#include <algorithm>

#include "ir/polynomial.h"

namespace neural_engine {

namespace {

constexpr size_t kMaxSymbol = 200;  // longer expressions become unknown: no model needs them, and text must not grow

bool nothing_known(const Dim& dim) { return !dim.known() && !dim.is_symbol(); }

using Operation = std::optional<Polynomial> (*)(const Polynomial&, const Polynomial&);

std::optional<Polynomial> polynomial_of(const Dim& dim) {
  if (dim.known()) return Polynomial::constant(dim.value());
  std::optional<Polynomial> result = Polynomial::parse(dim.symbol());
  // A foreign name that reads as a number is no number.
  return result && !result->as_constant() ? result : std::nullopt;
}

Dim dim_of(const std::optional<Polynomial>& polynomial) {
  if (!polynomial) return {};
  if (const std::optional<int64_t> value = polynomial->as_constant()) return *value;
  std::string text = to_string(*polynomial);
  return text.size() > kMaxSymbol ? Dim() : Dim::symbol(std::move(text));
}

Dim combine(const Dim& a, const Dim& b, Operation operation) {
  if (nothing_known(a) || nothing_known(b)) return {};
  const std::optional<Polynomial> x = polynomial_of(a), y = polynomial_of(b);
  return x && y ? dim_of(operation(*x, *y)) : Dim();
}

}  // namespace

Dim Dim::symbol(std::string text) {
  Dim result;
  const std::optional<Polynomial> polynomial = Polynomial::parse(text);
  result.symbol_ = polynomial && !polynomial->as_constant() ? to_string(*polynomial) : std::move(text);
  return result;
}

Dim operator+(const Dim& a, const Dim& b) {
  int64_t sum = 0;
  if (a.known() && b.known()) return __builtin_add_overflow(a.value(), b.value(), &sum) ? Dim() : Dim(sum);
  return combine(a, b, add);
}

Dim operator-(const Dim& a, const Dim& b) {
  int64_t difference = 0;
  if (a.known() && b.known()) {
    return __builtin_sub_overflow(a.value(), b.value(), &difference) ? Dim() : Dim(difference);
  }
  if (a == b) return 0;
  return combine(a, b, subtract);
}

Dim operator*(const Dim& a, const Dim& b) {
  int64_t result = 0;
  if (a.known() && b.known()) return __builtin_mul_overflow(a.value(), b.value(), &result) ? Dim() : Dim(result);
  if (a.is(0) || b.is(0)) return 0;
  if (a.is(1)) return b;
  if (b.is(1)) return a;
  return combine(a, b, multiply);
}

Dim operator/(const Dim& a, const Dim& b) {
  if (b.is(0)) return {};
  if (a.known() && b.known()) {
    return b.value() == -1 && a.value() == INT64_MIN ? Dim() : Dim(a.value() / b.value());
  }
  if (b.is(1)) return a;
  return combine(a, b, divide);
}

std::string to_string(const Dim& dim) {
  if (dim.known()) return std::to_string(dim.value());
  return dim.is_symbol() ? dim.symbol() : "?";
}

std::string to_string(const SymShape& shape) {
  std::string result = "[";
  for (size_t i = 0; i < shape.size(); ++i) result += (i ? "," : "") + to_string(shape[i]);
  return result + "]";
}

SymShape symbolic(const Shape& shape) { return SymShape(shape.begin(), shape.end()); }

std::optional<Shape> concrete(const SymShape& shape) {
  Shape result;
  result.reserve(shape.size());
  for (const Dim& dim : shape) {
    if (!dim.known()) return std::nullopt;
    result.push_back(dim.value());
  }
  return result;
}

Dim product(const SymShape& shape, size_t begin, size_t end) {
  Dim result = 1;
  for (size_t i = begin; i < std::min(end, shape.size()); ++i) result = result * shape[i];
  return result;
}

}  // namespace neural_engine
