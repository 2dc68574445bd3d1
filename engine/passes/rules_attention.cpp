// softmax(scale * q k^T + mask) v, in whatever spelling, as FusedAttention.
//
// The pattern finds the softmax between two products. What lies between the first product and the softmax is read
// downwards from the softmax: additive masks, Where with a boolean mask, then a scale; then, above the product, scales
// and transposes of q and k. Everything is read by what it computes, so the scale may sit on q, on k, on both or on the
// scores, and k may be transposed in any number of steps.
//
// Masks. An addition stays an addition. Where(mask, scores, -inf) is a boolean mask: exp(-inf) is 0 either way.
// Where(mask, scores, c) with a finite c becomes an addition of c where c is so large that any score vanishes in it
// (1e30: scores below 1e22 are absorbed by f32), so that a row with nothing to see still yields the mean, as spelled.
#include <algorithm>
#include <cmath>
#include <limits>

#include "passes/queries.h"
#include "passes/rules.h"

namespace neural_engine {

namespace {

constexpr double kAbsorbing = -1e30;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A boolean mask: keys where it is `seen_where` are seen, others get `otherwise`.
struct BooleanMask {
  ValueId value = kNoValue;
  bool seen_where = true;
  double otherwise = 0;
};

struct Scores {
  ValueId q = kNoValue, k = kNoValue;  // [.., sq, d], [.., sk, d]
  std::vector<int64_t> k_perm;         // k is this transpose of `k`, when not empty
  double scale = 1;
  std::vector<ValueId> additive;
  std::vector<BooleanMask> boolean;
  std::vector<NodeId> inner;  // the nodes between the first product and the softmax
};

// x * c, x / c or c * x for a number c: x, with the factor applied to *scale.
bool take_scale(const Graph& graph, ValueId* value, double* scale) {
  const Node* node = producer_of(graph, *value, "Mul");
  const bool product = node != nullptr;
  if (!product) node = producer_of(graph, *value, "Div");
  if (node == nullptr) return false;
  for (size_t i = product ? 0 : 1; i < 2; ++i) {
    const std::optional<double> factor = scalar_of(graph, node->inputs[i]);
    if (!factor || *factor == 0 || rank_of(graph, node->inputs[i]) > rank_of(graph, node->inputs[1 - i])) continue;
    *scale *= product ? *factor : 1 / *factor;
    *value = node->inputs[1 - i];
    return true;
  }
  return false;
}

class ScoreReader {
 public:
  ScoreReader(const Graph& graph, Scores* scores) : graph_(graph), scores_(*scores) {}

  // The value that the softmax reads.
  bool read(ValueId value) {
    const Node* node = producer_of(graph_, value);
    if (node == nullptr) return false;
    scores_.inner.push_back(graph_.value(value).producer);
    if (node->is("Add")) return read_add(*node);
    if (node->is("Where")) return read_where(*node);
    return read_scaled_product(value);
  }

 private:
  bool read_add(const Node& node) {
    for (size_t i = 0; i < 2; ++i) {
      const Scores before = scores_;
      if (rank_of(graph_, node.inputs[1 - i]) >= 0 && read(node.inputs[i])) {
        scores_.additive.push_back(node.inputs[1 - i]);
        return true;
      }
      scores_ = before;
    }
    return false;
  }

  bool read_where(const Node& node) {
    for (size_t i = 1; i < 3; ++i) {
      const std::optional<double> other = scalar_of(graph_, node.inputs[i]);
      if (!other || *other > kAbsorbing) continue;
      scores_.boolean.push_back({.value = node.inputs[0], .seen_where = i == 2, .otherwise = *other});
      return read(node.inputs[3 - i]);
    }
    return false;
  }

  bool read_scaled_product(ValueId value) {
    while (take_scale(graph_, &value, &scores_.scale)) scores_.inner.push_back(graph_.value(value).producer);
    const Node* product = producer_of(graph_, value, "MatMul");
    if (product == nullptr) return false;
    scores_.q = product->inputs[0];
    scores_.k = product->inputs[1];
    while (take_scale(graph_, &scores_.q, &scores_.scale)) {
    }
    return read_key();
  }

  // The product's second operand is k^T: through transposes and scales, and once more transposed.
  bool read_key() {
    const int rank = rank_of(graph_, scores_.k);
    if (rank != 3 && rank != 4) return false;
    std::vector<int64_t> perm;
    for (int64_t axis = 0; axis < rank; ++axis) perm.push_back(axis);
    for (;;) {
      if (take_scale(graph_, &scores_.k, &scores_.scale)) continue;
      const Node* transpose = producer_of(graph_, scores_.k, "Transpose");
      if (transpose == nullptr || !transpose->attrs.has("perm")) break;
      const auto& inner = transpose->attr<std::vector<int64_t>>("perm");
      for (int64_t& axis : perm) axis = inner[static_cast<size_t>(axis)];
      scores_.k = transpose->inputs[0];
    }
    std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
    if (!std::is_sorted(perm.begin(), perm.end())) scores_.k_perm = perm;
    return true;
  }

  const Graph& graph_;
  Scores& scores_;
};

// A number on the mask's side of Where(mask, seen, hidden), in the order that the mask needs.
ValueId additive_form(Patch& p, const BooleanMask& mask) {
  const ValueId zero = p.number(DType::kF32, 0), hidden = p.number(DType::kF32, mask.otherwise);
  return mask.seen_where ? p.add("Where", {mask.value, zero, hidden}) : p.add("Where", {mask.value, hidden, zero});
}

// All masks as one operand; kNoValue when there is none.
ValueId one_mask(Patch& p, const Scores& scores) {
  const bool all_infinite = std::all_of(scores.boolean.begin(), scores.boolean.end(),
                                        [](const BooleanMask& mask) { return mask.otherwise == -kInfinity; });
  ValueId result = kNoValue;
  if (scores.additive.empty() && all_infinite) {
    for (const BooleanMask& mask : scores.boolean) {
      const ValueId seen = mask.seen_where ? mask.value : p.add("Not", {mask.value});
      result = result == kNoValue ? seen : p.add("And", {result, seen});
    }
    return result;
  }
  std::vector<ValueId> parts = scores.additive;
  for (const BooleanMask& mask : scores.boolean) parts.push_back(additive_form(p, mask));
  for (ValueId part : parts) result = result == kNoValue ? part : p.add("Add", {result, part});
  return result;
}

// The mask spreads over the scores and does not spread them.
bool spreads_over(const SymShape& mask, const SymShape& scores) {
  if (mask.size() > scores.size()) return false;
  for (size_t i = 1; i <= mask.size(); ++i) {
    const Dim &own = mask[mask.size() - i], &whole = scores[scores.size() - i];
    if (own.known() && !own.is(1) && whole.known() && own.value() != whole.value()) return false;
  }
  return true;
}

std::string mask_problem(const Graph& graph, const Scores& scores, const SymShape& whole) {
  std::vector<ValueId> masks = scores.additive;
  for (const BooleanMask& mask : scores.boolean) masks.push_back(mask.value);
  for (ValueId mask : masks) {
    const SymShape* shape = shape_of(graph, mask);
    if (shape == nullptr || !spreads_over(*shape, whole)) return "a mask does not spread over the scores";
  }
  return {};
}

// Heads and sizes of [b,h,s,d] or [b,s,d].
struct Heads {
  int64_t heads = 1, size = 0;
  bool known = false;
};

Heads heads_of(const SymShape* shape) {
  if (shape == nullptr || (shape->size() != 3 && shape->size() != 4) || !shape->back().known()) return {};
  if (shape->size() == 3) return {.heads = 1, .size = shape->back().value(), .known = true};
  if (!(*shape)[1].known()) return {};
  return {.heads = (*shape)[1].value(), .size = shape->back().value(), .known = true};
}

// Products of a batch of matrices without a head axis: one head each.
ValueId with_head_axis(Patch& p, ValueId value, int rank) {
  const int found = rank_of(p.graph(), value);
  return value != kNoValue && rank == 3 && found == 3 ? p.add("Unsqueeze", {value, p.ints({1})}) : value;
}

void to_attention(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node& softmax = m.node("softmax");
  const int rank = rank_of(graph, m["softmax"]);
  const int64_t axis = softmax.attr<int64_t>("axis");
  if ((rank != 3 && rank != 4) || (axis != -1 && axis != rank - 1)) return;
  Scores scores;
  if (!ScoreReader(graph, &scores).read(softmax.inputs[0])) return;  // a softmax of something else
  for (NodeId id : scores.inner) {
    const ValueId value = graph.node(id).outputs[0];
    if (graph.value(value).users.size() > 1 || graph.is_output(value)) return p.refuse("its scores are used elsewhere");
  }
  ValueId k = scores.k_perm.empty() ? scores.k : p.add("Transpose", {scores.k}, {{"perm", scores.k_perm}});
  const Heads q_heads = heads_of(shape_of(graph, scores.q)), k_heads = heads_of(shape_of(graph, k)),
              v_heads = heads_of(shape_of(graph, m["v"]));
  if (rank_of(graph, scores.q) != rank || rank_of(graph, k) != rank || rank_of(graph, m["v"]) != rank ||
      !q_heads.known || !k_heads.known || !v_heads.known) {
    return p.refuse("the numbers of heads or their sizes are not known");
  }
  if (k_heads.heads != v_heads.heads || q_heads.heads % k_heads.heads != 0 ||
      (k_heads.heads != q_heads.heads && k_heads.heads != 1)) {
    return p.refuse("keys and values have different heads");
  }
  const SymShape whole = {rank == 4 ? (*shape_of(graph, scores.q))[0] : Dim(), Dim(q_heads.heads), Dim(), Dim()};
  SymShape score_shape = *shape_of(graph, m["softmax"]);
  if (rank == 4) score_shape[0] = whole[0];
  if (const std::string problem = mask_problem(graph, scores, score_shape); !problem.empty()) return p.refuse(problem);

  const Attrs attrs = {{"num_heads", q_heads.heads},
                       {"num_kv_heads", k_heads.heads},
                       {"head_size", q_heads.size},
                       {"v_head_size", v_heads.size},
                       {"scale", static_cast<float>(scores.scale)},
                       {"zero_unseen", int64_t{m.has("guarded")}},
                       {"q_layout", std::string("BHSD")},
                       {"k_layout", std::string("BHSD")},
                       {"v_layout", std::string("BHSD")},
                       {"out_layout", std::string("BHSD")}};
  const ValueId q = with_head_axis(p, scores.q, rank), v = with_head_axis(p, m["v"], rank);
  k = with_head_axis(p, k, rank);
  const ValueId mask = with_head_axis(p, one_mask(p, scores), rank);
  ValueId out = p.add("FusedAttention", {q, k, v, mask}, attrs);
  if (rank == 3) out = p.add("Squeeze", {out, p.ints({1})});
  p.replace(m.root(), out);
}

}  // namespace

std::vector<Rule> attention_rules() {
  const Pattern softmax = op("Softmax").as("softmax");
  // Exporters of scaled_dot_product_attention turn the NaN of a row with nothing to see into 0.
  const Pattern guarded = op("Where", {op("IsNaN", {softmax}), 0.0, softmax}).as("guarded");
  return {{"attention", op("MatMul", {softmax | guarded, any("v")}), to_attention}};
}

}  // namespace neural_engine
