// Dimensions that may be unknown until a request arrives, and arithmetic on them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "neural_engine/tensor.h"

namespace neural_engine {

// A dimension is a number, a symbol ("batch", "2*seq": equal text means equal value) or unknown (nothing is known, not
// even equality with itself). Comparison answers "certainly equal". Symbols are kept in the normal form of
// ir/polynomial.h, so that sums and products of the same things are equal and exact quotients cancel.
class Dim {
 public:
  Dim() = default;
  Dim(int64_t value) : value_(value), known_(true) {}  // negative values occur in integer tensors that hold dimensions
  static Dim symbol(std::string text);

  bool known() const { return known_; }
  int64_t value() const { return value_; }
  bool is_symbol() const { return !symbol_.empty(); }
  const std::string& symbol() const { return symbol_; }
  bool is(int64_t value) const { return known_ && value_ == value; }

  friend bool operator==(const Dim& a, const Dim& b) {
    return a.known_ ? b.known_ && a.value_ == b.value_ : !a.symbol_.empty() && a.symbol_ == b.symbol_;
  }
  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  // Truncated division, as ONNX Div on integers; by zero gives an unknown dimension.
  friend Dim operator/(const Dim& a, const Dim& b);

 private:
  int64_t value_ = 0;
  bool known_ = false;
  std::string symbol_;
};

using SymShape = std::vector<Dim>;

std::string to_string(const Dim& dim);  // "3", "batch", "?"
std::string to_string(const SymShape& shape);
SymShape symbolic(const Shape& shape);
// The shape, when all dimensions are known.
std::optional<Shape> concrete(const SymShape& shape);
// Product of the dimensions in [begin, end).
Dim product(const SymShape& shape, size_t begin = 0, size_t end = SIZE_MAX);

}  // namespace neural_engine
