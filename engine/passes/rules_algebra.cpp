// Nodes that compute nothing.
#include <algorithm>

#include "passes/queries.h"
#include "passes/rules.h"

namespace neural_engine {

namespace {

void take_x(const Match& m, Patch& p) { p.replace(m.root(), m["x"]); }

// x op c may be x only where c does not spread x to another shape.
void take_x_of_same_shape(const Match& m, Patch& p) {
  const SymShape* from = shape_of(m.graph(), m.root());
  const SymShape* to = shape_of(m.graph(), m["x"]);
  if (from && to && same_shape(*from, *to)) take_x(m, p);
}

bool all_elements_are(const Graph& graph, ValueId value, double number) {
  if (value == kNoValue || !graph.value(value).is_constant()) return false;
  const Tensor& tensor = graph.value(value).facts.constant;
  if (tensor.elems() > (1 << 16)) return false;
  for (int64_t i = 0; i < tensor.elems(); ++i) {
    if (element_of(tensor, i) != number) return false;
  }
  return tensor.elems() > 0;
}

Rule constant_operand(const char* name, const char* op_name, double neutral) {
  return {name, op(op_name, {any("x"), constant("c")}), [neutral](const Match& m, Patch& p) {
            if (all_elements_are(m.graph(), m["c"], neutral)) take_x_of_same_shape(m, p);
          }};
}

// Every value of `from` is one of `to`, so that a further cast gives the same from either.
bool is_lossless(DType from, DType to) {
  if (from == to || from == DType::kBool) return from == to || is_integer(to) || is_floating(to);
  if (bits_of(from) < 8 || bits_of(to) < 8) return false;
  if (is_floating(from)) return is_floating(to) && bits_of(from) >= 16 && bits_of(to) > bits_of(from);
  const auto is_signed = [](DType dtype) {
    return dtype == DType::kS8 || dtype == DType::kS16 || dtype == DType::kS32 || dtype == DType::kS64;
  };
  if (is_floating(to)) {
    const int mantissa = to == DType::kF64 ? 53 : to == DType::kF32 ? 24 : 0;
    return bits_of(from) - (is_signed(from) ? 1 : 0) <= mantissa;
  }
  if (is_signed(from)) return is_signed(to) && bits_of(to) > bits_of(from);
  return bits_of(to) > bits_of(from);
}

void drop_inner_cast(const Match& m, Patch& p) {
  const DType from = m.facts("x").dtype, through = m.facts("inner").dtype;
  if (from == DType::kUndefined || !is_lossless(from, through)) return;
  const DType to = dtype_of(m.graph(), m.root());
  if (from == to) return p.replace(m.root(), m["x"]);
  p.replace(m.root(), p.add("Cast", {m["x"]}, m.root_node().attrs));
}

// Inference: the ratio does not matter, and a mask that somebody reads would have to be made.
void drop_dropout(const Match& m, Patch& p) {
  const Node& node = m.root_node();
  if (node.has_input(2) && scalar_of(m.graph(), node.input(2)) != 0.0) return;
  if (node.outputs.size() > 1 && node.outputs[1] != kNoValue) {
    const Value& mask = m.graph().value(node.outputs[1]);
    if (!mask.users.empty() || m.graph().is_output(node.outputs[1])) return p.refuse("its mask is used");
  }
  p.replace(m.root(), node.inputs[0]);
}

// Concat, Sum, Max, Min, Mean of one operand.
Rule single_operand(const char* op_name) { return {"single_operand", op(op_name, {any("x")}), take_x}; }

void choose_side(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const SymShape* shape = shape_of(graph, m.root());
  const auto take = [&](ValueId value) {
    const SymShape* found = shape_of(graph, value);
    if (shape && found && same_shape(*shape, *found)) p.replace(m.root(), value);
  };
  if (m["a"] == m["b"] || all_elements_are(graph, m["c"], 1)) return take(m["a"]);
  if (all_elements_are(graph, m["c"], 0)) take(m["b"]);
}

}  // namespace

std::vector<Rule> algebra_rules() {
  const Pattern x = any("x");
  return {
      {"identity", op("Identity", {x}), take_x},
      {"dropout", op("Dropout"), drop_dropout},
      {"same_cast", op("Cast", {x}),
       [](const Match& m, Patch& p) {
         const DType dtype = m.facts("x").dtype;
         if (dtype != DType::kUndefined && dtype == dtype_of(m.graph(), m.root())) take_x(m, p);
       }},
      {"double_cast", op("Cast", {op("Cast", {x}).as("inner").shared()}), drop_inner_cast},
      {"double_negation", op("Neg", {op("Neg", {x}).shared()}) | op("Not", {op("Not", {x}).shared()}), take_x},
      constant_operand("add_zero", "Add", 0),
      constant_operand("subtract_zero", "Sub", 0),
      constant_operand("multiply_by_one", "Mul", 1),
      constant_operand("divide_by_one", "Div", 1),
      constant_operand("power_of_one", "Pow", 1),
      constant_operand("and_true", "And", 1),
      constant_operand("or_false", "Or", 0),
      {"where_of_one", op("Where", {any("c"), any("a"), any("b")}), choose_side},
      single_operand("Concat"),
      single_operand("Sum"),
      single_operand("Max"),
      single_operand("Min"),
      single_operand("Mean"),
  };
}

}  // namespace neural_engine
