#include "fuzz/random_graph.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "executor/evaluate.h"
#include "fuzz/targets.h"
#include "ir/print.h"
#include "load/graph_writer.h"
#include "neural_engine/session.h"
#include "passes/pipeline.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

constexpr size_t kMostNodes = 24;
constexpr int64_t kMostElements = 4096;
// What grows beyond is not built upon: differences of rounding would grow with it.
constexpr float kMostMagnitude = 100.f;

class Choices {
 public:
  explicit Choices(std::span<const std::byte> bytes) : bytes_(bytes) {}
  bool more() const { return at_ < bytes_.size(); }
  // Below `count`; 0 when the bytes are used up.
  size_t below(size_t count) { return more() ? static_cast<size_t>(bytes_[at_++]) % count : 0; }
  bool flip() { return below(2) == 1; }
  // One byte decides all numbers up to the next call.
  void seed_numbers() { state_ = below(256) + 1; }
  // In (-1, 1), never 0.
  float number() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (static_cast<float>(state_ >> 40) + 0.5f) / 8388608.f - 1.f;
  }

 private:
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
  uint64_t state_ = 1;
};

class Builder {
 public:
  explicit Builder(std::span<const std::byte> bytes) : choices_(bytes), writer_(result_.graph) {}

  RandomGraph build() {
    const size_t inputs = 1 + choices_.below(2);
    for (size_t i = 0; i < inputs; ++i) add_input(i);
    while (choices_.more() && nodes_ < kMostNodes) add_something();
    // The newest values, so that little is dead.
    for (size_t i = 0; i < std::min<size_t>(3, pool_.size()); ++i) {
      const Item& item = pool_[pool_.size() - 1 - i];
      result_.graph.add_output("y" + std::to_string(i), item.value);
      result_.expected.push_back(item.tensor);
    }
    return std::move(result_);
  }

 private:
  struct Item {
    ValueId value;
    Tensor tensor;
  };

  // ---- values

  Tensor random(const Shape& shape) {
    Tensor tensor(DType::kF32, shape);
    choices_.seed_numbers();
    for (int64_t i = 0; i < tensor.elems(); ++i) tensor.data<float>()[i] = choices_.number();
    return tensor;
  }

  void add_input(size_t i) {
    Shape shape = {static_cast<int64_t>(1 + choices_.below(3))};
    for (size_t axes = 1 + choices_.below(3); axes > 0; --axes)
      shape.push_back(static_cast<int64_t>(1 + choices_.below(6)));
    SymShape symbols = symbolic(shape);
    if (choices_.flip()) symbols[0] = Dim::symbol("n" + std::to_string(i));
    const Tensor tensor = random(shape);
    pool_.push_back({result_.graph.add_input("x" + std::to_string(i), DType::kF32, symbols), tensor});
    result_.inputs.push_back(tensor);
  }

  ValueId constant(const Tensor& tensor) {
    const ValueId value = writer_.constant(tensor);
    constants_.push_back({value, tensor});
    return value;
  }
  ValueId number(float value) { return constant(Tensor::scalar<float>(value)); }
  ValueId ints(const Ints& values) {
    return constant(Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
  }

  const Tensor& tensor_of(ValueId value) const {
    for (const std::vector<Item>* list : {&pool_, &inner_, &constants_}) {
      for (const Item& item : *list) {
        if (item.value == value) return item.tensor;
      }
    }
    throw Finding("a value of the generator has no tensor");
  }

  const Item& any() { return pool_[pool_.size() - 1 - choices_.below(std::min<size_t>(pool_.size(), 6))]; }

  // Adds a node and runs it on its own.
  std::vector<ValueId> nodes(std::string_view op, const std::vector<ValueId>& operands, Attrs attrs, size_t outputs) {
    std::vector<Tensor> tensors;
    for (ValueId operand : operands) tensors.push_back(tensor_of(operand));
    const std::vector<ValueId> made = writer_.add_many(op, operands, std::move(attrs), outputs);
    const Node& node = result_.graph.node(result_.graph.value(made[0]).producer);
    const std::vector<Tensor> answers = evaluate_node(node, tensors);
    for (size_t i = 0; i < outputs; ++i) inner_.push_back({made[i], answers[i]});
    ++nodes_;
    return made;
  }
  ValueId node(std::string_view op, const std::vector<ValueId>& operands, Attrs attrs = {}) {
    return nodes(op, operands, std::move(attrs), 1)[0];
  }

  // Offers a value to what comes later.
  void keep(ValueId value) {
    const Tensor tensor = tensor_of(value);
    if (tensor.elems() == 0 || tensor.elems() > kMostElements || tensor.rank() > 5) return;
    const float* data = tensor.data<float>();
    const bool tame = std::all_of(data, data + tensor.elems(), [](float x) { return std::abs(x) < kMostMagnitude; });
    if (tame) pool_.push_back({value, tensor});
  }

  // ---- operators

  void add_something() {
    using Step = void (Builder::*)();
    static constexpr Step kSteps[] = {
        &Builder::unary,        &Builder::binary,  &Builder::by_constant, &Builder::product,
        &Builder::transpose,    &Builder::reshape, &Builder::shape_chain, &Builder::concat,
        &Builder::slice,        &Builder::softmax, &Builder::layer_norm,  &Builder::spelled_norm,
        &Builder::spelled_gelu, &Builder::reduce,  &Builder::gather,      &Builder::split,
        &Builder::unsqueeze,    &Builder::where,   &Builder::self_product};
    (this->*kSteps[choices_.below(std::size(kSteps))])();
  }

  void unary() {
    static constexpr const char* kOps[] = {"Relu", "Tanh",     "Sigmoid",  "Neg",      "Abs",
                                           "Erf",  "Identity", "Softplus", "HardSwish"};
    keep(node(kOps[choices_.below(std::size(kOps))], {any().value}));
  }

  static bool broadcasts(const Shape& a, const Shape& b) {
    for (size_t i = 1; i <= std::min(a.size(), b.size()); ++i) {
      const int64_t x = a[a.size() - i], y = b[b.size() - i];
      if (x != y && x != 1 && y != 1) return false;
    }
    return true;
  }

  void binary() {
    static constexpr const char* kOps[] = {"Add", "Sub", "Mul", "Max", "Min"};
    const Item a = any(), b = any();
    const char* op = kOps[choices_.below(std::size(kOps))];
    // Another value where shapes do not fit.
    const bool fits = broadcasts(a.tensor.shape(), b.tensor.shape());
    keep(node(op, {a.value, fits ? b.value : a.value}));
  }

  void by_constant() {
    static constexpr const char* kOps[] = {"Add", "Mul", "Sub", "Div", "Pow"};
    const Item x = any();
    const size_t op = choices_.below(std::size(kOps));
    if (op == 4) return keep(node("Pow", {x.value, number(2.f)}));
    const bool row = choices_.flip();
    Tensor other = row ? random({x.tensor.dim(-1)}) : Tensor::scalar<float>(choices_.number() * 2);
    if (op == 3) {
      for (int64_t i = 0; i < other.elems(); ++i) other.data<float>()[i] = 1.5f + choices_.number();
    }
    const ValueId c = constant(other);
    keep(op != 3 && choices_.flip() ? node(kOps[op], {c, x.value}) : node(kOps[op], {x.value, c}));
  }

  // With weights, and often what follows them in a linear layer.
  void product() {
    const Item x = any();
    if (x.tensor.rank() < 2) return;
    const auto out = static_cast<int64_t>(1 + choices_.below(9));
    ValueId y;
    if (x.tensor.rank() == 2 && choices_.flip()) {
      y = node("Gemm", {x.value, constant(random({out, x.tensor.dim(-1)})), constant(random({out}))},
               {{"transB", int64_t{1}}});
    } else {
      y = node("MatMul", {x.value, constant(random({x.tensor.dim(-1), out}))});
      if (choices_.flip()) y = node("Add", {y, constant(random({out}))});
    }
    static constexpr const char* kOps[] = {"Relu", "Tanh", "Sigmoid"};
    if (choices_.flip()) y = node(kOps[choices_.below(3)], {y});
    keep(y);
  }

  // x times its own transpose, scaled: what attention does.
  void self_product() {
    const Item x = any();
    if (x.tensor.rank() < 2) return;
    Ints perm;
    for (int i = 0; i < x.tensor.rank(); ++i) perm.push_back(i);
    std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
    const ValueId turned = node("Transpose", {x.value}, {{"perm", perm}});
    ValueId scores = node("Mul", {node("MatMul", {x.value, turned}), number(0.3f)});
    if (choices_.flip()) {
      scores = node("Softmax", {scores}, {{"axis", int64_t{-1}}});
      scores = node("MatMul", {scores, x.value});
    }
    keep(scores);
  }

  void transpose() {
    const Item x = any();
    Ints perm;
    for (int i = 0; i < x.tensor.rank(); ++i) perm.push_back(i);
    for (size_t i = perm.size(); i > 1; --i) std::swap(perm[i - 1], perm[choices_.below(i)]);
    keep(node("Transpose", {x.value}, {{"perm", perm}}));
  }

  void reshape() {
    const Item x = any();
    const bool flat = choices_.flip() || x.tensor.rank() < 2;
    keep(node("Reshape", {x.value, flat ? ints({-1}) : ints({0, -1})}));
  }

  // The first dimension as a computation, which folds for known shapes.
  void shape_chain() {
    const Item x = any();
    const ValueId first = node("Shape", {x.value}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
    const ValueId shape = node("Concat", {first, ints({-1})}, {{"axis", int64_t{0}}});
    keep(node("Reshape", {x.value, shape}));
  }

  void concat() {
    const Item x = any();
    const auto axis = static_cast<int64_t>(choices_.below(static_cast<size_t>(x.tensor.rank()))) - x.tensor.rank();
    const ValueId other = choices_.flip() ? constant(random(x.tensor.shape())) : x.value;
    keep(node("Concat", {x.value, other}, {{"axis", axis}}));
  }

  void slice() {
    const Item x = any();
    const auto axis = static_cast<int64_t>(choices_.below(static_cast<size_t>(x.tensor.rank())));
    const int64_t size = x.tensor.dim(static_cast<int>(axis));
    const auto begin = static_cast<int64_t>(choices_.below(static_cast<size_t>(size)));
    const bool back = choices_.flip();
    const Ints ends = back ? Ints{-size - 1} : Ints{INT64_MAX};
    keep(node("Slice", {x.value, ints({begin}), ints(ends), ints({axis}),
                        ints({back ? -1 : 1 + static_cast<int64_t>(choices_.below(2))})}));
  }

  void softmax() { keep(node(choices_.flip() ? "Softmax" : "LogSoftmax", {any().value}, {{"axis", int64_t{-1}}})); }

  void layer_norm() {
    const Item x = any();
    const int64_t size = x.tensor.dim(-1);
    if (size < 2) return;
    keep(
        node("LayerNormalization", {x.value, constant(random({size})), constant(random({size}))}, {{"epsilon", 0.1f}}));
  }

  // The same as exporters of older opsets spell it. The epsilon is large: a row may be constant.
  void spelled_norm() {
    const Item x = any();
    const Attrs last = {{"keepdims", int64_t{1}}};
    const ValueId centred = node("Sub", {x.value, node("ReduceMean", {x.value, ints({-1})}, last)});
    const ValueId variance = node("ReduceMean", {node("Pow", {centred, number(2.f)}), ints({-1})}, last);
    const ValueId deviation = node("Sqrt", {node("Add", {variance, number(0.1f)})});
    ValueId y = node("Div", {centred, deviation});
    if (choices_.flip()) y = node("Mul", {y, constant(random({x.tensor.dim(-1)}))});
    if (choices_.flip()) y = node("Add", {y, constant(random({x.tensor.dim(-1)}))});
    keep(y);
  }

  // In one of its bracketings, or with another constant than GELU's.
  void spelled_gelu() {
    const Item x = any();
    const float root = choices_.flip() ? 1.4142135f : 1.5f;
    const ValueId inner = node("Add", {node("Erf", {node("Div", {x.value, number(root)})}), number(1.f)});
    if (choices_.flip()) return keep(node("Mul", {node("Mul", {x.value, number(0.5f)}), inner}));
    keep(node("Mul", {node("Mul", {x.value, inner}), number(0.5f)}));
  }

  void reduce() {
    static constexpr const char* kOps[] = {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2"};
    const Item x = any();
    const char* op = kOps[choices_.below(std::size(kOps))];
    const auto axis = static_cast<int64_t>(choices_.below(static_cast<size_t>(x.tensor.rank())));
    const int64_t keeps = x.tensor.rank() == 1 || choices_.flip() ? 1 : 0;
    keep(node(op, {x.value, ints({axis})}, {{"keepdims", keeps}}));
  }

  void gather() {
    const Item x = any();
    const auto axis = static_cast<int64_t>(choices_.below(static_cast<size_t>(x.tensor.rank())));
    const int64_t size = x.tensor.dim(static_cast<int>(axis));
    Ints picked;
    for (size_t i = 0; i < 1 + choices_.below(3); ++i) {
      picked.push_back(static_cast<int64_t>(choices_.below(static_cast<size_t>(2 * size))) - size);
    }
    keep(node("Gather", {x.value, ints(picked)}, {{"axis", axis}}));
  }

  void split() {
    const Item x = any();
    const int64_t size = x.tensor.dim(-1);
    if (size < 2) return;
    const auto first = static_cast<int64_t>(1 + choices_.below(static_cast<size_t>(size - 1)));
    for (ValueId part : nodes("Split", {x.value, ints({first, size - first})}, {{"axis", int64_t{-1}}}, 2)) keep(part);
  }

  void unsqueeze() {
    const Item x = any();
    const auto axis = static_cast<int64_t>(choices_.below(static_cast<size_t>(x.tensor.rank() + 1)));
    const ValueId wide = node("Unsqueeze", {x.value, ints({axis})});
    keep(choices_.flip() ? node("Squeeze", {wide, ints({axis})}) : wide);
  }

  // The condition comes from a constant: from rounded values it could differ.
  void where() {
    const Item x = any();
    const ValueId condition = node("Greater", {constant(random({x.tensor.dim(-1)})), number(0.f)});
    keep(node("Where", {condition, x.value, number(choices_.number())}));
  }

  Choices choices_;
  RandomGraph result_;
  GraphWriter writer_;
  std::vector<Item> pool_;   // what operators take
  std::vector<Item> inner_;  // all that nodes made
  std::vector<Item> constants_;
  size_t nodes_ = 0;
};

// Differences of rounding count against the size of the tensor: its elements may be what is left of larger ones.
void compare(const Tensor& found, const Tensor& expected, const std::string& what) {
  if (found.dtype() != expected.dtype() || found.shape() != expected.shape()) {
    throw Finding(what + " has shape " + to_string(found.shape()) + ", expected " + to_string(expected.shape()));
  }
  const float *a = found.data<float>(), *b = expected.data<float>();
  float size = 1.f;
  for (int64_t i = 0; i < expected.elems(); ++i) size = std::max(size, std::abs(b[i]));
  for (int64_t i = 0; i < expected.elems(); ++i) {
    if (!(std::abs(a[i] - b[i]) <= 1e-3f * size)) {
      throw Finding(what + " at " + std::to_string(i) + ": " + std::to_string(a[i]) + ", expected " +
                    std::to_string(b[i]));
    }
  }
}

void run(const Graph& graph, const RandomGraph& random, const std::string& form) {
  try {
    Session session(Model(graph), {.threads = 1});
    const std::vector<Tensor> found = session.run(random.inputs);
    for (size_t i = 0; i < found.size(); ++i)
      compare(found[i], random.expected[i], form + " graph, output " + std::to_string(i));
  } catch (const std::exception& error) {
    throw Finding(std::string(error.what()) + "\n" + print(graph));
  }
}

}  // namespace

RandomGraph make_random_graph(std::span<const std::byte> bytes) { return Builder(bytes).build(); }

void check_random_graph(std::span<const std::byte> bytes) {
  RandomGraph random = make_random_graph(bytes);
  run(random.graph, random, "plain");
  PassReport report;
  simplify(
      random.graph, [](const Node& node, std::span<const Tensor> inputs) { return evaluate_node(node, inputs); },
      report);
  run(random.graph, random, "simplified");
}

}  // namespace neural_engine
