// The matcher is written in continuation-passing style: match(pattern, value, then) tries every way in which the
// pattern fits and asks `then` to match the rest, so that alternatives, operand orders and bracketings backtrack
// without bookkeeping of their own. Patterns are small, and most attempts fail at the first operator; a budget of
// steps bounds the rest.
#include "passes/pattern.h"

#include <algorithm>
#include <cmath>

#include "passes/queries.h"

namespace neural_engine {

struct PatternNode {
  enum class Kind { kAny, kConstant, kScalar, kNumber, kOp, kProduct, kSum, kEither };
  Kind kind = Kind::kAny;
  std::string name = {};  // binds the value, when not empty
  double number = 0;
  std::string op = {};
  std::vector<Pattern> operands = {};
  Attrs attrs = {};
  bool shared = false;
};

namespace {

using Kind = PatternNode::Kind;

Pattern make(PatternNode node) { return Pattern(std::make_shared<const PatternNode>(std::move(node))); }

bool is_number_pattern(const Pattern& pattern) { return pattern.node().kind == Kind::kNumber; }

// a * (b * c) is one product of three, unless the inner one has a name: then it has to be found as a value.
Pattern chain(Kind kind, const Pattern& a, const Pattern& b) {
  PatternNode result{.kind = kind};
  for (const Pattern* side : {&a, &b}) {
    const PatternNode& node = side->node();
    if (node.kind == kind && node.name.empty() && !node.shared) {
      result.operands.insert(result.operands.end(), node.operands.begin(), node.operands.end());
    } else {
      result.operands.push_back(*side);
    }
  }
  return make(std::move(result));
}

double tolerance(DType dtype) {
  switch (dtype) {
    case DType::kF16: return 1e-3;
    case DType::kBF16: return 8e-3;
    default: return 2e-6;  // what a decimal constant of six digits or a chain of f32 roundings is off by
  }
}

bool close(double found, double expected, DType dtype) {
  return std::abs(found - expected) <= tolerance(dtype) * std::abs(expected);
}

}  // namespace

Pattern::Pattern(double number)
    : node_(std::make_shared<const PatternNode>(PatternNode{.kind = Kind::kNumber, .number = number})) {}

Pattern Pattern::as(std::string name) const {
  PatternNode copy = *node_;
  copy.name = std::move(name);
  return make(std::move(copy));
}

Pattern Pattern::shared() const {
  PatternNode copy = *node_;
  copy.shared = true;
  return make(std::move(copy));
}

std::vector<std::string> Pattern::root_ops() const {
  switch (node_->kind) {
    case Kind::kOp: return {node_->op};
    case Kind::kProduct: return {"Mul", "Div"};
    case Kind::kSum: return {"Add", "Sub"};
    case Kind::kEither: {
      std::vector<std::string> all;
      for (const Pattern& each : node_->operands) {
        for (const std::string& name : each.root_ops()) {
          if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
        }
      }
      return all;
    }
    default: return {};
  }
}

Pattern any(std::string name) { return make({.kind = Kind::kAny, .name = std::move(name)}); }
Pattern constant(std::string name) { return make({.kind = Kind::kConstant, .name = std::move(name)}); }
Pattern scalar(std::string name) { return make({.kind = Kind::kScalar, .name = std::move(name)}); }

Pattern op(std::string_view name, std::vector<Pattern> operands, Attrs attrs) {
  return make({.kind = Kind::kOp, .op = std::string(name), .operands = std::move(operands), .attrs = std::move(attrs)});
}

Pattern maybe(std::string_view op_name, const Pattern& pattern) { return op(op_name, {pattern}) | pattern; }

Pattern operator*(const Pattern& a, const Pattern& b) { return chain(Kind::kProduct, a, b); }
Pattern operator+(const Pattern& a, const Pattern& b) { return chain(Kind::kSum, a, b); }

Pattern operator/(const Pattern& a, const Pattern& b) {
  if (is_number_pattern(b)) return a * Pattern(1 / b.node().number);
  const Pattern quotient = op("Div", {a, b});
  return is_number_pattern(a) && a.node().number == 1 ? quotient | op("Reciprocal", {b}) : quotient;
}

Pattern operator-(const Pattern& a, const Pattern& b) {
  return is_number_pattern(b) ? a + Pattern(-b.node().number) : op("Sub", {a, b});
}

Pattern operator|(const Pattern& a, const Pattern& b) { return make({.kind = Kind::kEither, .operands = {a, b}}); }

// ---- Match
// ----------------------------------------------------------------------------------------------------------

bool Match::has(std::string_view name) const {
  return std::any_of(bindings_.begin(), bindings_.end(), [&](const auto& binding) { return binding.first == name; });
}

ValueId Match::operator[](std::string_view name) const {
  for (const auto& [bound, value] : bindings_) {
    if (bound == name) return value;
  }
  fail(Code::kInternal, "the pattern binds no \"", name, "\"");
}

const Node& Match::node(std::string_view name) const {
  const Node* node = producer_of(*graph_, (*this)[name]);
  if (node == nullptr) fail(Code::kInternal, "no node makes \"", name, "\"");
  return *node;
}

double Match::number(std::string_view name) const {
  const std::optional<double> value = scalar_of(*graph_, (*this)[name]);
  if (!value) fail(Code::kInternal, "\"", name, "\" is no number");
  return *value;
}

bool is_number(const Graph& graph, ValueId value, double number) {
  const std::optional<double> found = scalar_of(graph, value);
  return found && close(*found, number, dtype_of(graph, value));
}

// ---- Matcher
// --------------------------------------------------------------------------------------------------------

class Matcher {
 public:
  Matcher(const Graph& graph, ValueId root) : graph_(graph), match_(graph, root) {}

  using Then = FunctionRef<bool()>;

  bool match(const PatternNode& pattern, ValueId value, bool shared, Then then) {
    if (value == kNoValue || --budget_ < 0) return false;
    shared = shared || pattern.shared;
    if (pattern.name.empty()) return match_kind(pattern, value, shared, then);
    for (const auto& [name, bound] : match_.bindings_) {
      if (name == pattern.name) return bound == value && match_kind(pattern, value, shared, then);
    }
    match_.bindings_.emplace_back(pattern.name, value);
    if (match_kind(pattern, value, shared, then)) return true;
    match_.bindings_.pop_back();
    return false;
  }

  const Match& result() const { return match_; }

 private:
  bool match_kind(const PatternNode& pattern, ValueId value, bool shared, Then then) {
    switch (pattern.kind) {
      case Kind::kAny: return then();
      case Kind::kConstant: return graph_.value(value).is_constant() && then();
      case Kind::kScalar: return scalar_of(graph_, value).has_value() && then();
      case Kind::kNumber: return is_number(graph_, value, pattern.number) && then();
      case Kind::kOp: return match_op(pattern, value, shared, then);
      case Kind::kProduct:
      case Kind::kSum: {
        std::vector<const Pattern*> parts;
        for (const Pattern& part : pattern.operands) parts.push_back(&part);
        return match_chain(pattern.kind, parts, value, shared, then);
      }
      case Kind::kEither:
        for (const Pattern& alternative : pattern.operands) {
          if (match(alternative.node(), value, shared, then)) return true;
        }
        return false;
    }
    return false;
  }

  // Runs `body` with the node among those that matched.
  bool with_node(NodeId id, bool shared, Then body) {
    match_.nodes_.emplace_back(id, shared);
    if (body()) return true;
    match_.nodes_.pop_back();
    return false;
  }

  bool match_op(const PatternNode& pattern, ValueId value, bool shared, Then then) {
    const Node* node = producer_of(graph_, value, pattern.op);
    if (node == nullptr) return false;
    for (const auto& [name, expected] : pattern.attrs.items()) {
      const AttrValue* found = node->attrs.find(name);
      if (found == nullptr || !equal(*found, expected)) return false;
    }
    return with_node(graph_.value(value).producer, shared, [&] {
      if (pattern.operands.empty()) return then();
      size_t count = node->inputs.size();
      while (count > 0 && node->inputs[count - 1] == kNoValue) --count;
      if (count != pattern.operands.size()) return false;
      if (match_operands(pattern, *node, 0, false, shared, then)) return true;
      return (node->def->flags & kCommutative) != 0 && count == 2 &&
             match_operands(pattern, *node, 0, true, shared, then);
    });
  }

  bool match_operands(const PatternNode& pattern, const Node& node, size_t i, bool swapped, bool shared, Then then) {
    if (i == pattern.operands.size()) return then();
    const ValueId operand = node.inputs[swapped ? 1 - i : i];
    return match(pattern.operands[i].node(), operand, shared,
                 [&] { return match_operands(pattern, node, i + 1, swapped, shared, then); });
  }

  // The value is the product (sum) of the parts: every way to deal them to the two operands is tried.
  bool match_chain(Kind kind, const std::vector<const Pattern*>& parts, ValueId value, bool shared, Then then) {
    if (parts.size() == 1) return match(parts[0]->node(), value, shared, then);
    if (--budget_ < 0) return false;
    const bool product = kind == Kind::kProduct;
    if (const Node* node = producer_of(graph_, value, product ? "Mul" : "Add")) {
      return with_node(graph_.value(value).producer, shared, [&] { return deal(kind, parts, *node, shared, then); });
    }
    const Node* inverse = producer_of(graph_, value, product ? "Div" : "Sub");
    if (inverse == nullptr || !keeps_rank(*inverse, 1)) return false;
    // x / c and x - c, for a number c: the part that is 1 / c or -c.
    return with_node(graph_.value(value).producer, shared, [&] {
      for (size_t i = 0; i < parts.size(); ++i) {
        if (!is_number_pattern(*parts[i])) continue;
        const double wanted = parts[i]->node().number;
        if (product && (wanted == 0 || !is_floating(dtype_of(graph_, value)))) continue;  // integers divide otherwise
        if (!is_number(graph_, inverse->inputs[1], product ? 1 / wanted : -wanted)) continue;
        std::vector<const Pattern*> rest = parts;
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
        if (match_chain(kind, rest, inverse->inputs[0], shared, then)) return true;
      }
      return false;
    });
  }

  bool deal(Kind kind, const std::vector<const Pattern*>& parts, const Node& node, bool shared, Then then) {
    const unsigned all = (1u << parts.size()) - 1;
    for (unsigned left = 1; left < all; ++left) {
      std::vector<const Pattern*> sides[2];
      for (size_t i = 0; i < parts.size(); ++i) sides[(left >> i & 1) != 0 ? 0 : 1].push_back(parts[i]);
      // Numbers first: they fail without looking further.
      const size_t first = sides[1].size() == 1 && is_number_pattern(*sides[1][0]) ? 1 : 0;
      bool ranks = true;
      for (size_t i = 0; i < 2; ++i) {
        if (sides[i].size() == 1 && is_number_pattern(*sides[i][0])) ranks = ranks && keeps_rank(node, i);
      }
      if (!ranks) continue;
      const auto other = [&] { return match_chain(kind, sides[1 - first], node.inputs[1 - first], shared, then); };
      if (match_chain(kind, sides[first], node.inputs[first], shared, other)) return true;
    }
    return false;
  }

  // A number of shape [1,1] would raise the rank of what it is multiplied with; the formula's numbers have no shape.
  bool keeps_rank(const Node& node, size_t number) const {
    const int rank = rank_of(graph_, node.inputs[number]);
    return rank == 0 || (rank > 0 && rank_of(graph_, node.inputs[1 - number]) >= rank);
  }

  const Graph& graph_;
  Match match_;
  int budget_ = 5000;
};

bool find_match(const Pattern& pattern, const Graph& graph, ValueId root, FunctionRef<bool(const Match&)> accept) {
  Matcher matcher(graph, root);
  return matcher.match(pattern.node(), root, false, [&] { return accept(matcher.result()); });
}

}  // namespace neural_engine
