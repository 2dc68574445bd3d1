// Normalizations and softmax from their formulas.
//
// The core is found first, with a scale of ones, whatever spelling the exporter chose for 1 / sqrt(); a weight and a
// bias that follow are taken in by rules of their own. So a norm without them is found too.
#include <algorithm>

#include "passes/queries.h"
#include "passes/rules.h"

namespace neural_engine {

namespace {

// x / sqrt(v + epsilon) in its spellings. A double use of v would be a match too, and is none of a norm.
Pattern over_root(const Pattern& x, const Pattern& v) {
  const Pattern sum = v + scalar("epsilon");
  const Pattern root = op("Sqrt", {sum}) | op("Pow", {sum, 0.5});
  return op("Div", {x, root}) | op("Mul", {x, 1.0 / root}) | op("Mul", {x, op("Pow", {sum, -0.5})});
}

Pattern square(const Pattern& x) { return op("Pow", {x, 2.0}) | op("Mul", {x, x}); }

Pattern mean(const Pattern& x, const char* name) {
  return op("ReduceMean", {x, constant(std::string(name) + "_axes")}, {{"keepdims", int64_t{1}}}).as(name);
}

// The one axis that is reduced, counted from the end: -1 is the last. Norms over more axes are rare; they stay spelled.
std::optional<int64_t> single_axis(const Match& m, std::string_view axes) {
  const std::optional<std::vector<int64_t>> found = known_ints(m.graph(), m[axes]);
  if (!found || found->size() != 1) return std::nullopt;
  const int rank = rank_of(m.graph(), m["x"]);
  const int64_t axis = found->front();
  if (axis < 0) return axis;
  return rank < 0 ? std::nullopt : std::optional(axis - rank);
}

// [n] ones of the dtype, n the size of x's last axis.
ValueId ones(const Match& m, Patch& p) {
  const SymShape* shape = shape_of(m.graph(), m["x"]);
  if (shape == nullptr || shape->empty() || !shape->back().known()) return kNoValue;
  Tensor tensor(m.facts("x").dtype, {shape->back().value()});
  const int64_t bits = bits_of(tensor.dtype());
  for (int64_t i = 0; i < tensor.elems(); ++i) {
    if (tensor.dtype() == DType::kF32) {
      tensor.data<float>()[i] = 1;
    } else if (bits == 16) {
      tensor.data<uint16_t>()[i] = tensor.dtype() == DType::kF16 ? 0x3c00 : 0x3f80;
    } else {
      return kNoValue;
    }
  }
  return p.constant(std::move(tensor));
}

bool is_ones(const Graph& graph, ValueId value) {
  if (!graph.value(value).is_constant()) return false;
  const Tensor& tensor = graph.value(value).facts.constant;
  for (int64_t i = 0; i < tensor.elems(); ++i) {
    if (element_of(tensor, i) != 1.0) return false;
  }
  return true;
}

// The last axis and a usable epsilon; else the patch is refused.
bool is_norm(const Match& m, Patch& p) {
  for (const char* axes : {"mean_axes", "square_mean_axes"}) {
    if (m.has(axes) && single_axis(m, axes) != -1) return p.refuse("it normalizes another axis than the last"), false;
  }
  const double epsilon = m.number("epsilon");
  if (!(epsilon >= 0 && epsilon < 1)) return p.refuse("epsilon is " + std::to_string(epsilon)), false;
  return true;
}

void to_norm(const char* op_name, const Match& m, Patch& p) {
  if (!is_norm(m, p)) return;
  const double epsilon = m.number("epsilon");
  const ValueId scale = ones(m, p);
  if (scale == kNoValue) return p.refuse("the size of the last axis is not known, or the dtype is not supported");
  p.replace(m.root(),
            p.add(op_name, {m["x"], scale}, {{"axis", int64_t{-1}}, {"epsilon", static_cast<float>(epsilon)}}));
}

// The operand as a vector [n] for the norm of [.., n]: as it is, or a constant of other rank with as many elements.
ValueId as_row(const Match& m, Patch& p, ValueId operand, const SymShape& out) {
  const SymShape* shape = shape_of(m.graph(), operand);
  if (shape == nullptr || out.empty() || shape->empty() || !(shape->back() == out.back())) return kNoValue;
  if (shape->size() == 1) return operand;
  const Value& value = m.graph().value(operand);
  const bool is_row = std::all_of(shape->begin(), shape->end() - 1, [](const Dim& dim) { return dim.is(1); });
  if (!is_row || !value.is_constant() || shape->size() > out.size()) return kNoValue;
  return p.constant(value.facts.constant.reshaped({shape->back().value()}),
                    value.name.empty() ? "" : value.name + "/row");
}

void to_folded_norm(const Match& m, Patch& p) {
  const SymShape* out = shape_of(m.graph(), m.root());
  if (!is_norm(m, p)) return;
  const ValueId weight = out ? as_row(m, p, m["w"], *out) : kNoValue,
                bias = out ? as_row(m, p, m["b"], *out) : kNoValue;
  if (weight == kNoValue || bias == kNoValue) return p.refuse("weight or bias is no vector of the last axis");
  p.replace(m.root(), p.add("LayerNormalization", {m["x"], weight, bias},
                            {{"axis", int64_t{-1}}, {"epsilon", static_cast<float>(m.number("epsilon"))}}));
}

void take_weight(const Match& m, Patch& p) {
  const Node norm = m.node("norm");
  if (norm.has_input(2) || !is_ones(m.graph(), norm.inputs[1])) return;
  const SymShape* out = shape_of(m.graph(), m["norm"]);
  const ValueId weight = out ? as_row(m, p, m["w"], *out) : kNoValue;
  if (weight == kNoValue) return p.refuse("what the norm is multiplied by is no vector of its last axis");
  p.replace(m.root(), p.add(norm.op(), {norm.inputs[0], weight}, norm.attrs));
}

void take_bias(const Match& m, Patch& p) {
  const Node norm = m.node("norm");
  if (norm.has_input(2)) return;
  const SymShape* out = shape_of(m.graph(), m["norm"]);
  const ValueId bias = out ? as_row(m, p, m["b"], *out) : kNoValue;
  if (bias == kNoValue) return p.refuse("what is added to the norm is no vector of its last axis");
  p.replace(m.root(), p.add(norm.op(), {norm.inputs[0], norm.inputs[1], bias}, norm.attrs));
}

// f16 -> f32 -> norm -> f16: the norms compute in f32 whatever they are given.
void drop_casts(const Match& m, Patch& p) {
  const Node norm = m.node("norm");
  const DType narrow = m.facts("x").dtype;
  if (narrow != dtype_of(m.graph(), m.root()) || (narrow != DType::kF16 && narrow != DType::kBF16)) return;
  if (m.facts("norm").dtype != DType::kF32 || norm.has_input(2) || !is_ones(m.graph(), norm.inputs[1])) return;
  const ValueId scale = ones(m, p);
  if (scale != kNoValue) p.replace(m.root(), p.add(norm.op(), {m["x"], scale}, norm.attrs));
}

void to_softmax(const Match& m, Patch& p) {
  const std::optional<int64_t> axis = single_axis(m, "axes");
  if (!axis) return p.refuse("it sums over more than one axis");
  if (m.has("max_axes") && single_axis(m, "max_axes") != axis) return p.refuse("the maximum is of another axis");
  p.replace(m.root(), p.add("Softmax", {m["x"]}, {{"axis", *axis}}));
}

Pattern layer_norm() {
  const Pattern x = any("x");
  const Pattern centered = op("Sub", {x, mean(x, "mean")});
  return over_root(centered, mean(square(centered), "square_mean"));
}

// x * f + (b - mean * f), f = w / sqrt(v + epsilon): batch normalization's form, which some write layer norms in.
Pattern folded_layer_norm() {
  const Pattern x = any("x"), mu = mean(x, "mean");
  const Pattern sum = mean(square(op("Sub", {x, mu})), "square_mean") + scalar("epsilon");
  const Pattern root = op("Sqrt", {sum}) | op("Pow", {sum, 0.5});
  const Pattern factor = op("Mul", {any("w"), (1.0 / root) | op("Pow", {sum, -0.5})});
  return op("Add", {op("Mul", {x, factor}), op("Sub", {any("b"), op("Mul", {mu, factor})})});
}

Pattern rms_norm() {
  const Pattern x = any("x");
  return over_root(x, mean(square(x), "square_mean"));
}

Pattern softmax() {
  const Pattern x = any("x");
  const Attrs keep = {{"keepdims", int64_t{1}}};
  const Pattern shifted = op("Sub", {x, op("ReduceMax", {x, constant("max_axes")}, keep)}) | x;
  const Pattern exp = op("Exp", {shifted});
  return op("Div", {exp, op("ReduceSum", {exp, constant("axes")}, keep)});
}

}  // namespace

std::vector<Rule> norm_rules() {
  const Pattern norm = (op("LayerNormalization") | op("RMSNormalization")).as("norm");
  const Pattern layer = op("LayerNormalization").as("norm");
  const Pattern cast_norm = (op("LayerNormalization", {op("Cast", {any("x")}).shared(), any("scale")}) |
                             op("RMSNormalization", {op("Cast", {any("x")}).shared(), any("scale")}))
                                .as("norm");
  return {
      {"layer_norm", layer_norm(), [](const Match& m, Patch& p) { to_norm("LayerNormalization", m, p); }},
      {"folded_layer_norm", folded_layer_norm(), to_folded_norm},
      {"rms_norm", rms_norm(), [](const Match& m, Patch& p) { to_norm("RMSNormalization", m, p); }},
      {"norm_casts", op("Cast", {cast_norm}), drop_casts},
      {"norm_weight", op("Mul", {norm, any("w")}), take_weight},
      {"norm_bias", op("Add", {layer, any("b")}), take_bias},
      {"softmax", softmax(), to_softmax},
  };
}

}  // namespace neural_engine
