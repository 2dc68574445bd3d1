// Nodes that move nothing: views of views, transposes that cancel, expansions to the same shape.
#include <algorithm>

#include "passes/queries.h"
#include "passes/rules.h"

namespace neural_engine {

namespace {

bool has_same_shape(const Graph& graph, ValueId a, ValueId b) {
  const SymShape* x = shape_of(graph, a);
  const SymShape* y = shape_of(graph, b);
  return x && y && same_shape(*x, *y);
}

bool is_view(const Node& node) {
  return node.is("Reshape") || node.is("Squeeze") || node.is("Unsqueeze") || node.is("Flatten");
}

// The first value above, through any number of views, that has the root's shape already.
void undo_view(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  for (ValueId above = m.root();;) {
    const Node* node = producer_of(graph, above);
    if (node == nullptr || !is_view(*node)) return;
    above = node->inputs[0];
    if (has_same_shape(graph, above, m.root())) return p.replace(m.root(), above);
  }
}

// The target of a Reshape as a constant: 0 where the input's dimension is copied, at most one -1. nullopt when more is
// open than that, or when a dimension is 0, which a constant without allowzero cannot say.
std::optional<std::vector<int64_t>> constant_target(const SymShape& from, const SymShape& to) {
  std::vector<int64_t> target;
  int open = 0;
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i].is(0)) return std::nullopt;
    if (to[i].known()) {
      target.push_back(to[i].value());
    } else if (i < from.size() && from[i] == to[i]) {
      target.push_back(0);
    } else {
      target.push_back(-1);
      ++open;
    }
  }
  return open > 1 ? std::nullopt : std::optional(target);
}

void make_target_constant(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  if (graph.value(m["target"]).is_constant()) return;
  const SymShape* from = shape_of(graph, m["x"]);
  const SymShape* to = shape_of(graph, m.root());
  if (!from || !to) return;
  if (const auto target = constant_target(*from, *to)) {
    p.replace(m.root(), p.add("Reshape", {m["x"], p.ints(*target)}));
  }
}

// Reshape, Squeeze, Unsqueeze or Flatten of one of these: the inner one moves nothing that the outer one would not.
void merge_views(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node* inner = producer_of(graph, m.root_node().inputs[0]);
  if (inner == nullptr || !is_view(*inner)) return;
  const ValueId x = inner->inputs[0];
  const SymShape* from = shape_of(graph, x);
  const SymShape* to = shape_of(graph, m.root());
  if (!from || !to) return;
  if (const auto target = constant_target(*from, *to)) p.replace(m.root(), p.add("Reshape", {x, p.ints(*target)}));
}

// Unsqueeze of Unsqueeze, whatever is known of the other dimensions.
void merge_unsqueezes(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const auto inner = known_ints(graph, m["inner_axes"]), outer = known_ints(graph, m["axes"]);
  const int from = rank_of(graph, m["x"]);
  if (!inner || !outer || from < 0) return;
  const int64_t middle = from + static_cast<int64_t>(inner->size()),
                rank = middle + static_cast<int64_t>(outer->size());
  const auto has = [](const std::vector<int64_t>& axes, int64_t axis, int64_t of_rank) {
    return std::any_of(axes.begin(), axes.end(),
                       [&](int64_t each) { return (each < 0 ? each + of_rank : each) == axis; });
  };
  std::vector<int64_t> axes;
  int64_t at = 0;  // the axis of the inner result that this axis of the outer one is
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (has(*outer, axis, rank)) {
      axes.push_back(axis);
    } else if (has(*inner, at++, middle)) {
      axes.push_back(axis);
    }
  }
  p.replace(m.root(), p.add("Unsqueeze", {m["x"], p.ints(axes)}));
}

std::vector<int64_t> permutation(const Node& node) { return node.attr<std::vector<int64_t>>("perm"); }

bool has_permutation(const Node& node) { return node.attrs.has("perm"); }

void merge_transposes(const Match& m, Patch& p) {
  const Node& inner = m.node("inner");
  if (!has_permutation(m.root_node()) || !has_permutation(inner)) return;
  const std::vector<int64_t> outer_perm = permutation(m.root_node()), inner_perm = permutation(inner);
  if (outer_perm.size() != inner_perm.size()) return;
  std::vector<int64_t> perm;
  for (int64_t axis : outer_perm) perm.push_back(inner_perm[static_cast<size_t>(axis)]);
  if (std::is_sorted(perm.begin(), perm.end())) return p.replace(m.root(), m["x"]);
  p.replace(m.root(), p.add("Transpose", {m["x"]}, {{"perm", perm}}));
}

// A Transpose that moves only axes of size 1 past others, or none at all.
void drop_transpose(const Match& m, Patch& p) {
  if (!has_permutation(m.root_node())) return;
  const std::vector<int64_t> perm = permutation(m.root_node());
  if (std::is_sorted(perm.begin(), perm.end())) return p.replace(m.root(), m["x"]);
}

// [b,h,s,d] -> [b*h,s,d] -> [b*h,d,s] -> [b,h,d,s] swaps the last two axes and nothing else.
void unflatten_transpose(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  if (!has_permutation(m.node("swap")) || permutation(m.node("swap")) != std::vector<int64_t>{0, 2, 1}) return;
  const SymShape* from = shape_of(graph, m["x"]);
  const SymShape* middle = shape_of(graph, m["flat"]);
  const SymShape* to = shape_of(graph, m.root());
  if (!from || !middle || !to || from->size() != 4 || middle->size() != 3 || to->size() != 4) return;
  const SymShape& x = *from;
  if (!same_shape({x[2], x[3]}, {(*middle)[1], (*middle)[2]})) return;
  if (!same_shape({x[0], x[1], x[3], x[2]}, *to)) return;
  p.replace(m.root(), p.add("Transpose", {m["x"]}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}}));
}

void drop_expand(const Match& m, Patch& p) {
  if (has_same_shape(m.graph(), m["x"], m.root())) p.replace(m.root(), m["x"]);
}

// Rows of a constant table by a part of constant numbers (positions 0 .. length-1) are that part of rows that are all
// known. No larger than the table, which is mostly not needed any more.
void slice_after_gather(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node& gather = m.root_node();
  const Node slice = m.node("slice");
  const Tensor& table = graph.value(m["table"]).facts.constant;
  const Tensor& ids = graph.value(slice.inputs[0]).facts.constant;
  if (!table.defined() || !ids.defined() || table.rank() == 0) return;
  if (gather.attr<int64_t>("axis") != 0 || ids.elems() > table.dim(0)) return;
  std::vector<ValueId> inputs = slice.inputs;
  inputs[0] = p.add("Gather", {m["table"], slice.inputs[0]}, gather.attrs);
  if (slice.has_input(3)) {
    std::optional<std::vector<int64_t>> axes = known_ints(graph, slice.input(3));
    if (!axes) return;
    for (int64_t& axis : *axes) axis += axis < 0 ? static_cast<int64_t>(ids.rank()) : 0;
    inputs[3] = p.ints(*axes);
  }
  p.replace(m.root(), p.add("Slice", std::move(inputs), slice.attrs));
}

bool all_are(const std::optional<std::vector<int64_t>>& ints, int64_t value) {
  return ints && std::all_of(ints->begin(), ints->end(), [&](int64_t each) { return each == value; });
}

void drop_full_slice(const Match& m, Patch& p) {
  const Node& node = m.root_node();
  if (node.has_input(4) && !all_are(known_ints(m.graph(), node.input(4)), 1)) return;
  if (has_same_shape(m.graph(), node.inputs[0], m.root())) p.replace(m.root(), node.inputs[0]);
}

void drop_tile(const Match& m, Patch& p) {
  if (all_are(known_ints(m.graph(), m["repeats"]), 1)) p.replace(m.root(), m["x"]);
}

void drop_pad(const Match& m, Patch& p) {
  const Node& node = m.root_node();
  if (node.has_input(1) && all_are(known_ints(m.graph(), node.input(1)), 0)) p.replace(m.root(), node.inputs[0]);
}

void drop_split(const Match& m, Patch& p) {
  const Node& node = m.root_node();
  if (node.outputs.size() == 1) p.replace(m.root(), node.inputs[0]);
}

// Exporters guard Expand's target: Where(target == -1, 1, target). Dimensions are never -1.
void drop_minus_one_guard(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const std::vector<Dim>* target = ints_of(graph, m["target"]);
  if (!target || !all_are(known_ints(graph, m["minus_one"]), -1)) return;
  if (!std::all_of(target->begin(), target->end(), certainly_not_negative)) return;
  const SymShape* shape = shape_of(graph, m["target"]);
  if (shape && has_same_shape(graph, m["target"], m.root())) p.replace(m.root(), m["target"]);
}

}  // namespace

std::vector<Rule> shape_rules() {
  const Pattern x = any("x");
  const Pattern view = op("Reshape") | op("Squeeze") | op("Unsqueeze") | op("Flatten");
  return {
      {"undo_view", view, undo_view},
      {"constant_reshape", op("Reshape", {x, any("target")}), make_target_constant},
      {"merge_unsqueezes", op("Unsqueeze", {op("Unsqueeze", {x, constant("inner_axes")}).shared(), constant("axes")}),
       merge_unsqueezes},
      {"merge_views", view, merge_views},
      {"merge_transposes", op("Transpose", {op("Transpose", {x}).as("inner").shared()}), merge_transposes},
      {"drop_transpose", op("Transpose", {x}), drop_transpose},
      {"unflatten_transpose",
       op("Reshape", {op("Transpose", {op("Reshape", {x, any("inner_target")}).as("flat")}).as("swap"), any("target")})
           .shared(),
       unflatten_transpose},
      {"drop_expand", op("Expand", {x, any("target")}), drop_expand},
      {"drop_slice", op("Slice"), drop_full_slice},
      {"slice_after_gather", op("Gather", {any("table"), op("Slice").as("slice").shared()}), slice_after_gather},
      {"drop_tile", op("Tile", {x, any("repeats")}), drop_tile},
      {"drop_pad", op("Pad"), drop_pad},
      {"drop_split", op("Split"), drop_split},
      {"drop_guard", op("Where", {op("Equal", {any("target"), any("minus_one")}).shared(), any("ones"), any("target")}),
       drop_minus_one_guard},
  };
}

}  // namespace neural_engine
