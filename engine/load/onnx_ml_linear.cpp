// ai.onnx.ml's linear models.
#include "load/onnx_ml.h"

namespace neural_engine {

namespace {

using Floats = std::vector<float>;

// x [rows,columns] times the coefficients of each target, plus its intercept.
ValueId linear(Rewrite& r, int64_t targets) {
  const ValueId x = ml_f32(r, r.input(0));
  const Floats coefficients = r.take_required<Floats>("coefficients");
  const Floats intercepts = r.take_or<Floats>("intercepts", {});
  const auto count = static_cast<int64_t>(coefficients.size());
  if (targets < 1 || count == 0 || count % targets != 0) {
    r.invalid(count, " coefficients found for ", targets, " targets");
  }
  if (!intercepts.empty() && static_cast<int64_t>(intercepts.size()) != targets) {
    r.invalid(intercepts.size(), " intercepts found for ", targets, " targets");
  }
  const ValueId product = r.add("MatMul", {x, ml_transposed(r, coefficients, count / targets)});
  return intercepts.empty() ? product : r.add("Add", {product, ml_floats(r, intercepts)});
}

void linear_regressor(Rewrite& r) {
  const std::string post = r.take_or<std::string>("post_transform", "NONE");
  const ValueId y = linear(r, r.take_or<int64_t>("targets", 1));
  r.finish("Identity", {ml_transformed(r, y, post)});
}

void linear_classifier(Rewrite& r) {
  const std::string post = r.take_or<std::string>("post_transform", "NONE");
  r.take<int64_t>("multi_class");  // says how it was trained
  const std::vector<int64_t> labels = take_labels(r, "classlabels_ints");
  const AttrValue* intercepts = r.node().attrs.find("intercepts");
  const auto* list = intercepts ? std::get_if<Floats>(intercepts) : nullptr;
  const auto targets = static_cast<int64_t>(list ? list->size() : labels.size());
  const auto classes = static_cast<int64_t>(labels.size());
  if (targets != classes && !(targets == 1 && classes == 2)) {
    r.unsupported(targets, " intercepts for ", classes, " classes found");
  }
  const ValueId scores = linear(r, targets);
  if (targets == 1 && classes == 2) {
    return finish_classifier(r, labels, ml_above(r, scores, 0.f), ml_two_scores(r, scores, post, false));
  }
  finish_classifier(r, labels, ml_greatest(r, scores), ml_transformed(r, scores, post));
}

}  // namespace

std::span<const LegacyRule> ml_linear_rules() {
  static constexpr LegacyRule kRules[] = {{"LinearRegressor", 1, kMaxMlOpset, linear_regressor, kOnnxMl},
                                          {"LinearClassifier", 1, kMaxMlOpset, linear_classifier, kOnnxMl}};
  return kRules;
}

}  // namespace neural_engine
