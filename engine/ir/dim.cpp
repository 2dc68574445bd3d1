#include "ir/dim.h"

#include <algorithm>

#include "base/checked.h"

namespace neural_engine {

namespace {

constexpr size_t kMaxSymbol = 200;  // longer expressions become unknown: no model needs them, and text must not grow

Dim make_symbol(std::string text) { return text.size() > kMaxSymbol ? Dim() : Dim::symbol(std::move(text)); }

std::string operand(const Dim& dim) {
  const std::string text = to_string(dim);
  return dim.is_symbol() && text.find_first_of("+-*/") != std::string::npos && text.front() != '(' ? "(" + text + ")"
                                                                                                   : text;
}

// Commutative operators print their operands in one order, so that equal expressions have equal text.
Dim combine(const Dim& a, const Dim& b, char op, bool commutative) {
  if ((!a.known() && !a.is_symbol()) || (!b.known() && !b.is_symbol())) return {};
  std::string left = operand(a), right = operand(b);
  if (commutative && right < left) std::swap(left, right);
  return make_symbol(left + op + right);
}

}  // namespace

Dim Dim::symbol(std::string text) {
  Dim result;
  result.symbol_ = std::move(text);
  return result;
}

Dim operator+(const Dim& a, const Dim& b) {
  int64_t sum = 0;
  if (a.known() && b.known()) return checked_add(a.value(), b.value(), &sum) ? Dim(sum) : Dim();
  if (a.is(0)) return b;
  if (b.is(0)) return a;
  return combine(a, b, '+', true);
}

Dim operator-(const Dim& a, const Dim& b) {
  int64_t difference = 0;
  if (a.known() && b.known()) {
    return __builtin_sub_overflow(a.value(), b.value(), &difference) ? Dim() : Dim(difference);
  }
  if (b.is(0)) return a;
  if (a == b) return 0;
  return combine(a, b, '-', false);
}

Dim operator*(const Dim& a, const Dim& b) {
  int64_t result = 0;
  if (a.known() && b.known()) return checked_mul(a.value(), b.value(), &result) ? Dim(result) : Dim();
  if (a.is(1)) return b;
  if (b.is(1)) return a;
  if (a.is(0) || b.is(0)) return 0;
  return combine(a, b, '*', true);
}

Dim operator/(const Dim& a, const Dim& b) {
  if (a.known() && b.known()) {
    return b.value() == 0 || (b.value() == -1 && a.value() == INT64_MIN) ? Dim() : Dim(a.value() / b.value());
  }
  if (b.is(1)) return a;
  return combine(a, b, '/', false);
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
