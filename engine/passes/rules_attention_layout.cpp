// What lies around FusedAttention is taken into its layouts: it reads heads where a projection left them and writes
// them where the next one wants them, so that no Transpose has to run.
#include <algorithm>

#include "passes/queries.h"
#include "passes/rules.h"

namespace neural_engine {

namespace {

const char* const kLayouts[] = {"q_layout", "k_layout", "v_layout"};
const char* const kOffsets[] = {"q_offset", "k_offset", "v_offset"};

bool is_bshd(const Node& attention, const char* layout) { return attention.attr<std::string>(layout) == "BSHD"; }

bool swaps_heads(const Node* node) {
  return node != nullptr && node->is("Transpose") && node->attrs.has("perm") &&
         node->attr<std::vector<int64_t>>("perm") == std::vector<int64_t>{0, 2, 1, 3};
}

// [b,s,h,d] as [b,s,h*d].
ValueId flat_heads(Patch& p, ValueId value) {
  const SymShape* shape = shape_of(p.graph(), value);
  if (shape == nullptr || shape->size() != 4 || !(*shape)[2].known() || !(*shape)[3].known()) return kNoValue;
  return p.add("Reshape", {value, p.ints({0, 0, (*shape)[2].value() * (*shape)[3].value()})});
}

// q, k or v is a Transpose of [b,s,h,d].
void take_transposed_operand(const Match& m, Patch& p) {
  Node attention = m.root_node();
  bool changed = false;
  for (size_t i = 0; i < 3; ++i) {
    const Node* transpose = producer_of(m.graph(), attention.inputs[i]);
    if (is_bshd(attention, kLayouts[i]) || !swaps_heads(transpose)) continue;
    const ValueId flat = flat_heads(p, transpose->inputs[0]);
    if (flat == kNoValue) continue;
    attention.inputs[i] = flat;
    attention.attrs.set(kLayouts[i], std::string("BSHD"));
    changed = true;
  }
  if (changed) p.replace(m.root(), p.add("FusedAttention", attention.inputs, attention.attrs));
}

// The result goes through a Transpose to [b,s,h,d].
void take_transposed_result(const Match& m, Patch& p) {
  const Node& attention = m.node("attention");
  if (!swaps_heads(&m.root_node()) || is_bshd(attention, "out_layout")) return;
  Attrs attrs = attention.attrs;
  attrs.set("out_layout", std::string("BSHD"));
  const ValueId out = p.add("FusedAttention", attention.inputs, attrs);
  p.replace(m.root(), p.add("Reshape",
                            {out, p.ints({0, 0, attrs.get<int64_t>("num_heads"), attrs.get<int64_t>("v_head_size")})}));
}

// k' [b,n,s,d] whose heads are repeated g times each: Unsqueeze, Expand, Reshape to [b,n*g,s,d]. kNoValue: it is not.
ValueId before_repeat(const Graph& graph, ValueId value) {
  const Node* reshape = producer_of(graph, value, "Reshape");
  const Node* expand = reshape ? producer_of(graph, reshape->inputs[0]) : nullptr;
  if (expand == nullptr || !(expand->is("Expand") || expand->is("Tile"))) return kNoValue;
  const Node* unsqueeze = producer_of(graph, expand->inputs[0]);
  if (unsqueeze == nullptr || !(unsqueeze->is("Unsqueeze") || unsqueeze->is("Reshape"))) return kNoValue;
  const SymShape* from = shape_of(graph, unsqueeze->inputs[0]);
  const SymShape* lone = shape_of(graph, expand->inputs[0]);
  const SymShape* many = shape_of(graph, reshape->inputs[0]);
  const SymShape* to = shape_of(graph, value);
  if (!from || !lone || !many || !to || from->size() != 4 || many->size() != 5 || to->size() != 4) return kNoValue;
  const SymShape& x = *from;
  const Dim& groups = (*many)[2];
  const bool fits = groups.known() && x[1].known() && same_shape(*lone, {x[0], x[1], 1, x[2], x[3]}) &&
                    same_shape(*many, {x[0], x[1], groups, x[2], x[3]}) &&
                    same_shape(*to, {x[0], x[1] * groups, x[2], x[3]});
  return fits ? unsqueeze->inputs[0] : kNoValue;
}

// Keys and values that several heads share are read where they are.
void take_shared_heads(const Match& m, Patch& p) {
  Node attention = m.root_node();
  if (is_bshd(attention, "k_layout") || is_bshd(attention, "v_layout")) return;
  if (attention.attr<int64_t>("num_kv_heads") != attention.attr<int64_t>("num_heads")) return;
  const ValueId k = before_repeat(m.graph(), attention.inputs[1]), v = before_repeat(m.graph(), attention.inputs[2]);
  if (k == kNoValue || v == kNoValue) return;
  const Dim heads = (*shape_of(m.graph(), k))[1];
  if (!(heads == (*shape_of(m.graph(), v))[1])) return p.refuse("keys and values have different heads");
  attention.inputs[1] = k;
  attention.inputs[2] = v;
  attention.attrs.set("num_kv_heads", heads.value());
  p.replace(m.root(), p.add("FusedAttention", attention.inputs, attention.attrs));
}

// A scale that is applied before the heads are split, or between.
void take_scaled_operand(const Match& m, Patch& p) {
  Node attention = m.root_node();
  for (size_t i = 0; i < 2; ++i) {
    const Node* node = producer_of(m.graph(), attention.inputs[i], "Mul");
    if (node == nullptr) node = producer_of(m.graph(), attention.inputs[i], "Div");
    if (node == nullptr) continue;
    const size_t first = node->is("Mul") ? 0 : 1;
    for (size_t side = first; side < 2; ++side) {
      const std::optional<double> factor = scalar_of(m.graph(), node->inputs[side]);
      if (!factor || *factor == 0) continue;
      if (rank_of(m.graph(), node->inputs[side]) > rank_of(m.graph(), node->inputs[1 - side])) continue;
      const double scale = attention.attr<float>("scale") * (node->is("Mul") ? *factor : 1 / *factor);
      attention.inputs[i] = node->inputs[1 - side];
      attention.attrs.set("scale", static_cast<float>(scale));
      return p.replace(m.root(), p.add("FusedAttention", attention.inputs, attention.attrs));
    }
  }
}

// Where in `whole` [.., w] the value lies, as a Split or Slice of the last axis: the first element; -1: it is neither.
int64_t offset_in(const Graph& graph, ValueId value, ValueId* whole) {
  const Node* node = producer_of(graph, value);
  if (node == nullptr) return -1;
  *whole = node->inputs[0];
  const SymShape* from = shape_of(graph, *whole);
  if (from == nullptr || from->size() != 3 || !from->back().known()) return -1;
  if (node->is("Split")) {
    const int64_t axis = node->attr<int64_t>("axis");
    if (axis != -1 && axis != 2) return -1;
    int64_t offset = 0;
    for (ValueId output : node->outputs) {
      if (output == value) return offset;
      const SymShape* part = shape_of(graph, output);
      if (part == nullptr || !part->back().known()) return -1;
      offset += part->back().value();
    }
    return -1;
  }
  if (!node->is("Slice")) return -1;
  const auto starts = known_ints(graph, node->input(1)), axes = known_ints(graph, node->input(3));
  const auto steps = node->has_input(4) ? known_ints(graph, node->input(4)) : std::vector<int64_t>{1};
  if (!starts || starts->size() != 1 || !axes || (axes->front() != 2 && axes->front() != -1)) return -1;
  if (!steps || steps->front() != 1) return -1;
  const int64_t width = from->back().value();
  return std::clamp(starts->front() < 0 ? starts->front() + width : starts->front(), int64_t{0}, width);
}

// q, k and v as parts of one matrix that a product made: read there.
void take_parts(const Match& m, Patch& p) {
  Node attention = m.root_node();
  bool changed = false;
  for (size_t i = 0; i < 3; ++i) {
    if (!is_bshd(attention, kLayouts[i])) continue;
    ValueId whole = kNoValue;
    const int64_t offset = offset_in(m.graph(), attention.inputs[i], &whole);
    if (offset < 0) continue;
    attention.inputs[i] = whole;
    attention.attrs.set(kOffsets[i], attention.attr<int64_t>(kOffsets[i]) + offset);
    changed = true;
  }
  if (changed) p.replace(m.root(), p.add("FusedAttention", attention.inputs, attention.attrs));
}

// The mask spreads over the scores anyway.
void take_unexpanded_mask(const Match& m, Patch& p) {
  Node attention = m.root_node();
  const Node* expand = attention.has_input(3) ? producer_of(m.graph(), attention.inputs[3], "Expand") : nullptr;
  if (expand == nullptr) return;
  const SymShape* from = shape_of(m.graph(), expand->inputs[0]);
  const SymShape* to = shape_of(m.graph(), attention.inputs[3]);
  if (!from || !to || from->size() > to->size()) return;
  attention.inputs[3] = expand->inputs[0];
  p.replace(m.root(), p.add("FusedAttention", attention.inputs, attention.attrs));
}

}  // namespace

std::vector<Rule> attention_layout_rules() {
  const Pattern attention = op("FusedAttention");
  return {
      {"attention_shared_heads", attention, take_shared_heads},
      {"attention_operand_layout", attention, take_transposed_operand},
      {"attention_result_layout", op("Transpose", {attention.as("attention")}), take_transposed_result},
      {"attention_scale", attention, take_scaled_operand},
      {"attention_parts", attention, take_parts},
      {"attention_mask", attention, take_unexpanded_mask},
  };
}

}  // namespace neural_engine
