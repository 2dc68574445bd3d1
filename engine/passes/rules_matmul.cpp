// Products with a weight, and what is done to the result before anybody else reads it, as one FusedMatMul.
// Each rule takes in one thing; together they take in chains such as bias, activation, residual.
#include <algorithm>

#include "passes/queries.h"
#include "passes/rules.h"

namespace neural_engine {

namespace {

using Names = std::vector<std::string>;

bool is_fusable(DType dtype) { return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16; }

// A constant matrix, also one that is kept in few bits.
bool is_weight(const Graph& graph, ValueId value) {
  if (rank_of(graph, value) != 2 || !is_fusable(dtype_of(graph, value))) return false;
  if (graph.value(value).is_constant()) return true;
  const Node* node = producer_of(graph, value, "DequantizeLinear");
  return node != nullptr && std::all_of(node->inputs.begin(), node->inputs.end(), [&](ValueId input) {
           return input == kNoValue || graph.value(input).is_constant();
         });
}

// A weight that is transposed is read transposed: folding would copy an embedding that the output layer shares.
void take_matmul(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  if (rank_of(graph, m["a"]) < 2) return;
  const Node* transpose = producer_of(graph, m["b"], "Transpose");
  const bool swapped = transpose != nullptr && is_weight(graph, transpose->inputs[0]) && rank_of(graph, m["b"]) == 2 &&
                       transpose->attrs.has("perm") &&
                       transpose->attr<std::vector<int64_t>>("perm") == std::vector<int64_t>{1, 0};
  const ValueId weight = swapped ? transpose->inputs[0] : m["b"];
  if (!is_weight(graph, weight)) return;
  p.replace(m.root(), p.add("FusedMatMul", {m["a"], weight}, {{"trans_b", int64_t{swapped}}}));
}

// A constant [n], whatever its rank was, if it spreads over [.., n] by rows.
ValueId constant_row(Patch& p, ValueId value, const Dim& n, int max_rank) {
  const Value& found = p.graph().value(value);
  if (!found.is_constant() || found.facts.constant.rank() > max_rank || found.facts.constant.rank() == 0) {
    return kNoValue;
  }
  const Tensor& tensor = found.facts.constant;
  if (!n.is(tensor.elems()) || tensor.dim(-1) != tensor.elems()) return kNoValue;
  if (tensor.rank() == 1) return value;
  return p.constant(tensor.reshaped({tensor.elems()}), found.name.empty() ? "" : found.name + "/row");
}

void take_gemm(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node& gemm = m.root_node();
  const SymShape* shape = shape_of(graph, m.root());
  if (shape == nullptr || !is_fusable(dtype_of(graph, m.root())) || !is_weight(graph, gemm.inputs[1])) return;
  ValueId bias = kNoValue;
  if (gemm.has_input(2)) {
    const SymShape* found = shape_of(graph, gemm.input(2));
    const bool is_vector = found && found->size() == 1 && (*found)[0] == (*shape)[1];
    bias = is_vector ? gemm.input(2) : constant_row(p, gemm.input(2), (*shape)[1], 2);
    if (bias == kNoValue) return p.refuse("C is no vector of the last axis");
    if (gemm.attr<float>("beta") != 1.0f) {
      bias = p.add("Mul", {bias, p.number(dtype_of(graph, bias), gemm.attr<float>("beta"))});
    }
  }
  p.replace(m.root(), p.add("FusedMatMul", {gemm.inputs[0], gemm.inputs[1], bias},
                            {{"trans_a", gemm.attr<int64_t>("transA")},
                             {"trans_b", gemm.attr<int64_t>("transB")},
                             {"alpha", gemm.attr<float>("alpha")}}));
}

// The node with more post ops and operands.
void extend(const Match& m, Patch& p, const char* post_op, ValueId operand = kNoValue) {
  const Node node = m.node("product");
  std::vector<ValueId> inputs = node.inputs;
  Attrs attrs = node.attrs;
  Names post_ops = node.attr<Names>("post_ops");
  post_ops.emplace_back(post_op);
  attrs.set("post_ops", std::move(post_ops));
  if (operand != kNoValue) {
    if (inputs.size() == 2) inputs.push_back(kNoValue);  // the bias
    inputs.push_back(operand);
  }
  p.replace(m.root(), p.add("FusedMatMul", std::move(inputs), std::move(attrs)));
}

bool is_plain(const Node& product) { return !product.has_input(2) && product.attr<Names>("post_ops").empty(); }

void take_bias(const Match& m, Patch& p) {
  const Node product = m.node("product");
  const SymShape* shape = shape_of(m.graph(), m["product"]);
  if (!is_plain(product) || shape == nullptr) return;
  const SymShape* found = shape_of(m.graph(), m["other"]);
  const bool is_vector = found && found->size() == 1 && (*found)[0] == shape->back();
  const ValueId bias =
      is_vector ? m["other"] : constant_row(p, m["other"], shape->back(), static_cast<int>(shape->size()));
  if (bias == kNoValue) return;
  p.replace(m.root(), p.add("FusedMatMul", {product.inputs[0], product.inputs[1], bias}, product.attrs));
}

// A factor before anything is added is alpha.
void take_factor(double factor, const Match& m, Patch& p) {
  const Node product = m.node("product");
  if (!is_plain(product)) return;
  Attrs attrs = product.attrs;
  attrs.set("alpha", static_cast<float>(attrs.get<float>("alpha") * factor));
  p.replace(m.root(), p.add("FusedMatMul", product.inputs, std::move(attrs)));
}

// The other operand has the product's shape for certain, or is a row or a number.
void take_binary(const char* post_op, const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const SymShape* shape = shape_of(graph, m["product"]);
  const SymShape* other = shape_of(graph, m["other"]);
  if (shape == nullptr || other == nullptr || dtype_of(graph, m["other"]) != dtype_of(graph, m["product"])) return;
  if (same_shape(*shape, *other)) return extend(m, p, post_op, m["other"]);
  const std::optional<Shape> known = concrete(*other);
  const bool is_number = known && std::all_of(known->begin(), known->end(), [](int64_t dim) { return dim == 1; });
  const bool is_row = known && !known->empty() && shape->back().is(known->back()) &&
                      std::all_of(known->begin(), known->end() - 1, [](int64_t dim) { return dim == 1; });
  if ((is_number || is_row) && other->size() <= shape->size()) return extend(m, p, post_op, m["other"]);
  p.refuse("the other operand has shape " + to_string(*other) + ", the product " + to_string(*shape));
}

Rule unary(const char* post_op, const Pattern& pattern) {
  return {std::string("matmul_") + post_op, pattern, [post_op](const Match& m, Patch& p) { extend(m, p, post_op); }};
}

// The leading dimensions are those of `expected`, and the others make up its last one.
bool splits_last(const SymShape& expected, const SymShape& to) {
  const size_t leading = expected.size() - 1;
  if (to.size() <= leading) return false;
  for (size_t i = 0; i < leading; ++i) {
    if (!(expected[i] == to[i])) return false;
  }
  return product(to, leading) == expected.back();
}

// [b,s,k] -> [b*s,k] x w -> [b*s,n] -> [b,s,n]: the product takes any number of leading axes. Where the last step also
// splits n into [h,d], that is left to do.
void drop_flattening(const Match& m, Patch& p) {
  const Graph& graph = m.graph();
  const Node product = m.node("product");
  const Node* flatten = producer_of(graph, product.inputs[0]);
  if (flatten == nullptr || !(flatten->is("Reshape") || flatten->is("Flatten"))) return;
  const ValueId x = flatten->inputs[0];
  const SymShape* from = shape_of(graph, x);
  const SymShape* flat = shape_of(graph, product.inputs[0]);
  const SymShape* to = shape_of(graph, m.root());
  const SymShape* result = shape_of(graph, m["product"]);
  if (!from || !flat || !to || !result || from->size() < 2 || product.attr<int64_t>("trans_a") != 0) return;
  if (rank_of(graph, product.inputs[1]) != 2 || product.inputs.size() > 3) return;
  SymShape expected(from->begin(), from->end() - 1);
  expected.push_back(result->back());
  if (!(from->back() == flat->back()) || !splits_last(expected, *to)) return;
  std::vector<ValueId> inputs = product.inputs;
  inputs[0] = x;
  const ValueId lifted = p.add("FusedMatMul", std::move(inputs), product.attrs);
  if (same_shape(expected, *to)) return p.replace(m.root(), lifted);
  std::vector<int64_t> target(from->size() - 1, 0);  // as they are
  for (size_t i = target.size(); i < to->size(); ++i) {
    if (!(*to)[i].known() || (*to)[i].is(0)) return;
    target.push_back((*to)[i].value());
  }
  p.replace(m.root(), p.add("Reshape", {lifted, p.ints(target)}));
}

}  // namespace

std::vector<Rule> matmul_rules() {
  const Pattern product = op("FusedMatMul").as("product");
  const Pattern other = any("other");
  return {
      {"matmul_weight", op("MatMul", {any("a"), any("b")}), take_matmul},
      {"gemm", op("Gemm"), take_gemm},
      {"matmul_unflatten", op("Reshape", {product, any("target")}), drop_flattening},
      {"matmul_scale", op("Mul", {product, scalar("c")}) | op("Div", {product, scalar("c")}),
       [](const Match& m, Patch& p) {
         const double c = m.number("c");
         const SymShape* shape = shape_of(m.graph(), m["c"]);
         if (shape == nullptr || static_cast<int>(shape->size()) > rank_of(m.graph(), m["product"])) return;
         if (m.root_node().is("Mul") || c != 0) take_factor(m.root_node().is("Mul") ? c : 1 / c, m, p);
       }},
      {"matmul_bias", op("Add", {product, other}), take_bias},
      unary("relu", op("Relu", {product})),
      unary("tanh", op("Tanh", {product})),
      unary("sigmoid", op("Sigmoid", {product})),
      unary("gelu_erf", op("Gelu", {product}, {{"approximate", std::string("none")}})),
      unary("gelu_tanh", op("Gelu", {product}, {{"approximate", std::string("tanh")}})),
      unary("silu", op("Swish", {product}, {{"alpha", 1.0f}})),
      {"matmul_add", op("Add", {product, other}), [](const Match& m, Patch& p) { take_binary("add", m, p); }},
      {"matmul_mul", op("Mul", {product, other}), [](const Match& m, Patch& p) { take_binary("mul", m, p); }},
  };
}

}  // namespace neural_engine
