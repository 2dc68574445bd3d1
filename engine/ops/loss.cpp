#include "ops/loss.h"

#include <algorithm>

namespace neural_engine {

namespace {

constexpr std::initializer_list<DType> kFloats = {DType::kF64, DType::kF32, DType::kF16, DType::kBF16};

bool fits(const SymShape& found, const SymShape& expected) {
  bool result = found.size() == expected.size();
  for (size_t d = 0; result && d < found.size(); ++d) {
    result = !found[d].known() || !expected[d].known() || found[d].value() == expected[d].value();
  }
  return result;
}

// Scores [N,C,...], labels [N,...], weights [C]; the loss has the labels' shape or is a scalar.
void infer_loss(InferContext& context) {
  context.require_dtype(0, kFloats);
  context.require_dtype(1, {DType::kS32, DType::kS64});
  if (context.has_input(2)) {
    context.require_dtype(2, kFloats);
    if (context.dtype(2) != DType::kUndefined && context.dtype(0) != DType::kUndefined &&
        context.dtype(2) != context.dtype(0)) {
      context.invalid("the weights have dtype ", to_string(context.dtype(2)), ", the scores ",
                      to_string(context.dtype(0)));
    }
  }
  const std::string& reduction = context.attr<std::string>("reduction");
  if (reduction != "none" && reduction != "sum" && reduction != "mean") {
    context.invalid("reduction is \"", reduction, "\", expected none, sum or mean");
  }
  std::optional<SymShape> samples;
  if (const SymShape* scores = context.shape(0)) {
    if (scores->size() < 2) context.invalid("the scores have shape ", to_string(*scores), ", expected [N,C,...]");
    samples = *scores;
    samples->erase(samples->begin() + 1);
    if (context.shape(1) && !fits(*context.shape(1), *samples)) {
      context.invalid("the labels have shape ", to_string(*context.shape(1)), ", expected ", to_string(*samples));
    }
    if (context.has_input(2) && context.shape(2) && !fits(*context.shape(2), {(*scores)[1]})) {
      context.invalid("the weights have shape ", to_string(*context.shape(2)), ", expected [", to_string((*scores)[1]),
                      "]");
    }
  }
  context.set(0, context.dtype(0), reduction == "none" ? samples : SymShape{});
}

}  // namespace

void infer_negative_log_likelihood(InferContext& context) { infer_loss(context); }

void infer_softmax_cross_entropy(InferContext& context) {
  infer_loss(context);
  context.set(1, context.dtype(0), context.input(0).shape);
}

void infer_tf_idf(InferContext& context) {
  context.require_dtype(0, {DType::kS32, DType::kS64});
  const auto& attrs = context.node().attrs;
  const auto& counts = attrs.get<std::vector<int64_t>>("ngram_counts");
  const auto& indexes = attrs.get<std::vector<int64_t>>("ngram_indexes");
  const auto pool = attrs.get_or<std::vector<int64_t>>("pool_int64s", {});
  if (attrs.has("pool_strings") || pool.empty()) {
    context.unsupported("pool_strings found, n-grams of integers (pool_int64s) are supported");
  }
  const std::string& mode = context.attr<std::string>("mode");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF") {
    context.invalid("mode is \"", mode, "\", expected TF, IDF or TFIDF");
  }
  // Starts of the 1-grams, 2-grams ... in the pool, which therefore hold a whole number of them each.
  int64_t grams = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const int64_t end = i + 1 < counts.size() ? counts[i + 1] : static_cast<int64_t>(pool.size());
    const int64_t size = static_cast<int64_t>(i) + 1;
    if (counts[i] < 0 || end < counts[i] || end > static_cast<int64_t>(pool.size()) || (end - counts[i]) % size != 0) {
      context.invalid("ngram_counts do not divide the pool of ", pool.size(), " items into n-grams");
    }
    grams += (end - counts[i]) / size;
  }
  const auto weights = attrs.get_or<std::vector<float>>("weights", {});
  if (indexes.empty() || static_cast<int64_t>(indexes.size()) != grams ||
      (!weights.empty() && weights.size() != indexes.size())) {
    context.invalid("ngram_indexes and weights have ", indexes.size(), " and ", weights.size(), " elements, expected ",
                    grams);
  }
  if (*std::min_element(indexes.begin(), indexes.end()) < 0) context.invalid("ngram_indexes has a negative element");
  const int64_t least = context.int_attr("min_gram_length"), most = context.int_attr("max_gram_length");
  if (least < 1 || most < least || context.int_attr("max_skip_count") < 0) {
    context.invalid("n-grams of length ", least, " to ", most, " with up to ", context.int_attr("max_skip_count"),
                    " skips are none");
  }
  if (!context.shape(0)) return context.set_unknown(0, DType::kF32);
  SymShape shape = *context.shape(0);
  if (shape.empty() || shape.size() > 2)
    context.invalid("input 0 has shape ", to_string(shape), ", expected rank 1 or 2");
  shape.back() = *std::max_element(indexes.begin(), indexes.end()) + 1;
  context.set(0, DType::kF32, std::move(shape));
}

}  // namespace neural_engine
