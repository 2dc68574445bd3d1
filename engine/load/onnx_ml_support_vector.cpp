// ai.onnx.ml's support vector machines: products of kernels, and a vote between each two classes.
#include <algorithm>

#include "load/onnx_ml.h"

namespace neural_engine {

namespace {

using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;

// What x [rows,columns] has to do with each support vector: [rows,vectors].
ValueId kernel(Rewrite& r, int64_t vectors) {
  const ValueId x = ml_f32(r, r.input(0));
  const std::string type = r.take_or<std::string>("kernel_type", "LINEAR");
  const Floats numbers = r.take_or<Floats>("kernel_params", {});
  const Floats support = r.take_required<Floats>("support_vectors");
  const auto count = static_cast<int64_t>(support.size());
  if (vectors < 1 || count == 0 || count % vectors != 0)
    r.invalid(count, " numbers found for ", vectors, " support vectors");
  if (type != "LINEAR" && numbers.size() != 3) r.invalid("kernel_params has ", numbers.size(), " numbers, expected 3");
  const int64_t columns = count / vectors;
  if (type == "RBF") {
    const ValueId distance = r.add("SquaredDistance", {x, r.constant(Tensor::of<float>({vectors, columns}, support))});
    return r.add("Exp", {r.add("Mul", {distance, r.scalar_like(-numbers[0], x)})});
  }
  const ValueId product = r.add("MatMul", {x, ml_transposed(r, support, columns)});
  if (type == "LINEAR") return product;
  if (type != "POLY" && type != "SIGMOID") {
    r.unsupported("kernel_type \"", type, "\" found, supported: LINEAR, POLY, RBF, SIGMOID");
  }
  const ValueId scaled = r.add("Mul", {product, r.scalar_like(numbers[0], x)});
  const ValueId moved = r.add("Add", {scaled, r.scalar_like(numbers[1], x)});
  return type == "SIGMOID" ? r.add("Tanh", {moved}) : r.add("Pow", {moved, r.scalar_like(numbers[2], x)});
}

void regressor(Rewrite& r) {
  const int64_t vectors = r.take_or<int64_t>("n_supports", 0);
  if (vectors < 1) r.unsupported("a machine without support vectors found");
  const std::string post = r.take_or<std::string>("post_transform", "NONE");
  if (post != "NONE") r.unsupported("post_transform \"", post, "\" found, supported: NONE");
  const bool one_class = r.take_or<int64_t>("one_class", 0) != 0;
  const Floats coefficients = r.take_required<Floats>("coefficients"), rho = r.take_or<Floats>("rho", {0.f});
  if (static_cast<int64_t>(coefficients.size()) != vectors || rho.size() != 1) {
    r.invalid(coefficients.size(), " coefficients and ", rho.size(), " offsets found for ", vectors,
              " support vectors");
  }
  const ValueId near = kernel(r, vectors);
  const ValueId sum = r.add("MatMul", {near, r.constant(Tensor::of<float>({vectors, 1}, coefficients))});
  const ValueId y = r.add("Add", {sum, ml_floats(r, rho)});
  if (!one_class) return r.finish("Identity", {y});
  const ValueId inside = r.add("Greater", {y, r.scalar_like(0.f, y)});
  r.finish("Where", {inside, r.scalar_like(1.f, y), r.scalar_like(-1.f, y)});
}

// The file has for each class the coefficients of its vectors against each other class. As a matrix [vectors,pairs]:
// the decision between classes i and j is a sum over the vectors of both.
Tensor decision_matrix(const Ints& per_class, const Floats& coefficients, int64_t vectors) {
  const auto classes = static_cast<int64_t>(per_class.size());
  Ints begin(1, 0);
  for (int64_t count : per_class) begin.push_back(begin.back() + count);
  const int64_t pairs = classes * (classes - 1) / 2;
  Tensor result(DType::kF32, {vectors, pairs});
  float* out = result.data<float>();
  std::fill_n(out, vectors * pairs, 0.f);
  int64_t pair = 0;
  const auto fill = [&](int64_t of, int64_t row) {
    for (int64_t v = begin[static_cast<size_t>(of)]; v < begin[static_cast<size_t>(of) + 1]; ++v) {
      out[v * pairs + pair] = coefficients[static_cast<size_t>(row * vectors + v)];
    }
  };
  for (int64_t i = 0; i < classes; ++i) {
    for (int64_t j = i + 1; j < classes; ++j, ++pair) {
      fill(i, j - 1);
      fill(j, i);
    }
  }
  return result;
}

void classifier(Rewrite& r) {
  const Ints per_class = r.take_or<Ints>("vectors_per_class", {});
  const Floats coefficients = r.take_required<Floats>("coefficients"), rho = r.take_required<Floats>("rho");
  const Floats prob_a = r.take_or<Floats>("prob_a", {}), prob_b = r.take_or<Floats>("prob_b", {});
  const std::vector<int64_t> labels = take_labels(r, "classlabels_ints");
  const std::string post = r.take_or<std::string>("post_transform", "NONE");
  const size_t classes = per_class.size(), pairs = classes * (classes - 1) / 2;
  if (classes < 2 || classes > 4096) r.unsupported("vectors of ", classes, " classes found, supported are 2 to 4096");
  int64_t vectors = 0;
  for (int64_t count : per_class) {
    if (count < 0 || count > INT32_MAX) r.invalid("vectors_per_class holds ", count);
    vectors += count;
  }
  if (labels.size() != classes || rho.size() != pairs ||
      coefficients.size() != (classes - 1) * static_cast<size_t>(vectors) || prob_a.size() != prob_b.size() ||
      (!prob_a.empty() && prob_a.size() != pairs)) {
    r.invalid("labels, rho, prob_a, prob_b or coefficients do not fit ", classes, " classes and ", vectors, " vectors");
  }
  const ValueId near = kernel(r, vectors);
  const ValueId sum = r.add("MatMul", {near, r.constant(decision_matrix(per_class, coefficients, vectors))});
  const ValueId decisions = r.add("Add", {sum, ml_floats(r, rho)});
  Attrs attrs = {{"classes", static_cast<int64_t>(classes)}};
  if (!prob_a.empty()) {
    attrs.set("prob_a", prob_a);
    attrs.set("prob_b", prob_b);
    const std::vector<ValueId> both = r.add_many("PairwiseVote", {decisions}, attrs, 2);
    return finish_classifier(r, labels, both[0], ml_transformed(r, both[1], post));
  }
  const ValueId winner = r.add("PairwiseVote", {decisions}, attrs);
  const bool mixed = std::any_of(coefficients.begin(), coefficients.end(), [](float c) { return c < 0; });
  if (classes == 2 && !mixed) r.unsupported("coefficients of one sign for two classes found");
  finish_classifier(r, labels, winner,
                    classes == 2 ? ml_two_scores(r, decisions, post, true) : ml_transformed(r, decisions, post));
}

}  // namespace

std::span<const LegacyRule> ml_support_vector_rules() {
  static constexpr LegacyRule kRules[] = {{"SVMRegressor", 1, kMaxMlOpset, regressor, kOnnxMl},
                                          {"SVMClassifier", 1, kMaxMlOpset, classifier, kOnnxMl}};
  return kRules;
}

}  // namespace neural_engine
