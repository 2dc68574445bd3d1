// Patterns: formulas that are looked for in a graph.
//
//   Pattern x = any("x");
//   Pattern gelu = x * 0.5 * (op("Erf", {x / std::sqrt(2.0)}) + 1.0);
//
// A product or a sum matches in any order and any bracketing, a division by a number as a product with its reciprocal,
// a subtraction of a number as a sum. Numbers are compared with a tolerance that follows from the precision of the
// constant's dtype. One name stands for one value wherever it occurs. Matching never changes the graph.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/function_ref.h"
#include "ir/graph.h"

namespace neural_engine {

struct PatternNode;

class Pattern {
 public:
  Pattern(double number);  // NOLINT: a number in a formula is a constant of one element
  explicit Pattern(std::shared_ptr<const PatternNode> node) : node_(std::move(node)) {}

  // The value that matches here gets a name.
  Pattern as(std::string name) const;
  // The nodes of this part may have other users: they stay if they have.
  Pattern shared() const;

  const PatternNode& node() const { return *node_; }
  // Operators that the root of a match can have; empty: any.
  std::vector<std::string> root_ops() const;

 private:
  std::shared_ptr<const PatternNode> node_;
};

Pattern any(std::string name);       // any value
Pattern constant(std::string name);  // a constant
Pattern scalar(std::string name);    // a constant with one element
// The first output of an operator with these operands (none given: whatever they are) and, among others, these
// attributes. The operands of a commutative operator match in both orders.
Pattern op(std::string_view name, std::vector<Pattern> operands = {}, Attrs attrs = {});
// The pattern itself or the operator applied to it (its first operand): a Cast that may be there.
Pattern maybe(std::string_view op_name, const Pattern& pattern);

Pattern operator*(const Pattern& a, const Pattern& b);
Pattern operator+(const Pattern& a, const Pattern& b);
Pattern operator/(const Pattern& a, const Pattern& b);
Pattern operator-(const Pattern& a, const Pattern& b);
Pattern operator|(const Pattern& a, const Pattern& b);  // the first alternative that matches is taken

// Where a pattern was found.
class Match {
 public:
  Match(const Graph& graph, ValueId root) : graph_(&graph), root_(root) {}

  const Graph& graph() const { return *graph_; }
  ValueId root() const { return root_; }
  NodeId root_id() const { return graph_->value(root_).producer; }
  const Node& root_node() const { return graph_->node(root_id()); }

  bool has(std::string_view name) const;
  ValueId operator[](std::string_view name) const;  // kInternal when the pattern did not bind the name
  const Facts& facts(std::string_view name) const { return graph_->value((*this)[name]).facts; }
  const Node& node(std::string_view name) const;  // that makes the value
  double number(std::string_view name) const;     // of a scalar()

  // The nodes that matched, the root first; `second`: may have other users.
  const std::vector<std::pair<NodeId, bool>>& nodes() const { return nodes_; }

 private:
  friend class Matcher;
  const Graph* graph_;
  ValueId root_;
  std::vector<std::pair<std::string_view, ValueId>> bindings_;  // names live in the pattern
  std::vector<std::pair<NodeId, bool>> nodes_;
};

// Calls `accept` with each way to match until it returns true. The pattern must outlive the match.
bool find_match(const Pattern& pattern, const Graph& graph, ValueId root, FunctionRef<bool(const Match&)> accept);

// The constant is the number, within the precision of its dtype.
bool is_number(const Graph& graph, ValueId value, double number);

}  // namespace neural_engine
