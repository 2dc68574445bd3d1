#include "load/onnx_ml.h"

#include "base/onnx_dtype.h"

namespace neural_engine {

ValueId ml_f32(Rewrite& r, ValueId x) {
  return r.facts(x).dtype == DType::kF32 ? x : r.add("Cast", {x}, {{"to", onnx_code(DType::kF32)}});
}

ValueId ml_floats(Rewrite& r, const std::vector<float>& values) {
  return r.constant(Tensor::of<float>({static_cast<int64_t>(values.size())}, values));
}

ValueId ml_transposed(Rewrite& r, const std::vector<float>& values, int64_t columns) {
  const auto count = static_cast<int64_t>(values.size());
  if (columns < 1 || count % columns != 0) r.invalid(count, " coefficients found, which are no rows of ", columns);
  const int64_t rows = count / columns;
  Tensor result(DType::kF32, {columns, rows});
  for (int64_t i = 0; i < count; ++i)
    result.data<float>()[i % columns * rows + i / columns] = values[static_cast<size_t>(i)];
  return r.constant(std::move(result));
}

ValueId ml_transformed(Rewrite& r, ValueId scores, const std::string& post) {
  if (post == "NONE") return scores;
  if (post == "LOGISTIC") return r.add("Sigmoid", {scores});
  if (post == "SOFTMAX") return r.add("Softmax", {scores}, {{"axis", int64_t{-1}}});
  if (post == "SOFTMAX_ZERO") {
    // A softmax of what is not zero; zeros stay.
    const Attrs keep = {{"keepdims", int64_t{1}}};
    const ValueId greatest = r.add("ReduceMax", {scores, r.ints({-1})}, keep);
    const ValueId counts = r.add("Greater", {r.add("Abs", {scores}), r.scalar_like(1e-7f, scores)});
    const ValueId powers =
        r.add("Where", {counts, r.add("Exp", {r.add("Sub", {scores, greatest})}), r.scalar_like(0.f, scores)});
    const ValueId sum = r.add("ReduceSum", {powers, r.ints({-1})}, keep);
    return r.add("Div", {powers, r.add("Max", {sum, r.scalar_like(1e-30f, scores)})});
  }
  r.unsupported("post_transform \"", post, "\" found, supported: NONE, LOGISTIC, SOFTMAX, SOFTMAX_ZERO");
}

ValueId ml_two_scores(Rewrite& r, ValueId score, const std::string& post, bool mixed) {
  ValueId first = r.add("Neg", {score}), second = score;
  if (post == "LOGISTIC") {
    first = r.add("Sigmoid", {first});
    second = r.add("Sigmoid", {second});
  } else if (post != "NONE" && post != "SOFTMAX" && post != "SOFTMAX_ZERO") {
    r.unsupported("post_transform \"", post, "\" found, supported: NONE, LOGISTIC, SOFTMAX, SOFTMAX_ZERO");
  } else if (!mixed) {
    first = r.add("Sub", {r.scalar_like(1.f, score), score});
  }
  return r.add("Concat", {first, second}, {{"axis", int64_t{1}}});
}

std::vector<int64_t> take_labels(Rewrite& r, const char* ints) {
  if (!r.take_or<std::vector<std::string>>("classlabels_strings", {}).empty()) {
    r.unsupported("labels that are strings found, supported are integers");
  }
  const std::vector<int64_t> labels = r.take_or<std::vector<int64_t>>(ints, {});
  if (labels.empty()) r.invalid("attribute \"", ints, "\" is missing");
  return labels;
}

void finish_classifier(Rewrite& r, const std::vector<int64_t>& labels, ValueId index, ValueId scores) {
  r.check_all_taken();
  r.finish_output(0, "Gather", {r.ints(labels), index}, {{"axis", int64_t{0}}});
  r.finish_output(1, "Identity", {scores});
}

ValueId ml_greatest(Rewrite& r, ValueId scores) {
  return r.add("ArgMax", {scores}, {{"axis", int64_t{1}}, {"keepdims", int64_t{0}}});
}

ValueId ml_above(Rewrite& r, ValueId column, float threshold) {
  const ValueId above = r.add("Greater", {column, r.scalar_like(threshold, column)});
  return r.add("Squeeze", {r.add("Cast", {above}, {{"to", onnx_code(DType::kS64)}}), r.ints({1})});
}

}  // namespace neural_engine
