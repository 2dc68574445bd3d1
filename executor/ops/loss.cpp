#include <algorithm>
#include <cmath>
#include <optional>

#include "base/dtype.h"
#include "executor/ops/signal.h"
#include "executor/ops/strides.h"

namespace neural_engine {

namespace {

template <class T>
T rounded(double value) {
  return T(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(value));
}

// Scores [N,C,...] seen as [N,C,inner]; sample s = n * inner + i has its classes `inner` apart.
struct Samples {
  int64_t count, classes, inner;
  int64_t first(int64_t sample) const { return sample / inner * classes * inner + sample % inner; }
};

Samples samples_of(const Tensor& scores) {
  const int64_t inner = elems_between(scores.shape(), 2, scores.shape().size());
  return {scores.dim(0) * inner, scores.dim(1), inner};
}

int64_t label_of(const Tensor& labels, int64_t i) {
  return labels.dtype() == DType::kS32 ? labels.data<int32_t>()[i] : labels.data<int64_t>()[i];
}

// log_probability(sample, label) to the loss, each times its class' weight, reduced as asked.
template <class T, class LogProbability>
void reduce_losses(const Node& node, OpContext& context, const Samples& samples, LogProbability&& log_probability) {
  std::optional<int64_t> ignored;
  if (node.attrs.has("ignore_index")) ignored = node.attr<int64_t>("ignore_index");
  const std::string& reduction = node.attr<std::string>("reduction");
  const T* weights = context.has_input(2) ? context.input(2).data<T>() : nullptr;
  T* out = context.output(0).data<T>();
  double sum = 0, total_weight = 0;
  for (int64_t i = 0; i < samples.count; ++i) {
    const int64_t label = label_of(context.input(1), i);
    double loss = 0;
    if (!ignored || label != *ignored) {
      if (label < 0 || label >= samples.classes) {
        fail(Code::kInvalidArgument, "label ", label, " found, expected 0 to ", samples.classes - 1);
      }
      const double weight = weights ? static_cast<double>(weights[label]) : 1.0;
      loss = -log_probability(i, label) * weight;
      total_weight += weight;
    }
    sum += loss;
    if (reduction == "none") out[i] = rounded<T>(loss);
  }
  if (reduction == "sum") out[0] = rounded<T>(sum);
  if (reduction == "mean") out[0] = rounded<T>(sum / total_weight);
}

template <class T>
double log_of_sum(const T* scores, const Samples& samples) {
  double max = -HUGE_VAL, sum = 0;
  for (int64_t c = 0; c < samples.classes; ++c) max = std::max(max, static_cast<double>(scores[c * samples.inner]));
  for (int64_t c = 0; c < samples.classes; ++c) sum += std::exp(static_cast<double>(scores[c * samples.inner]) - max);
  return max + std::log(sum);
}

template <class T>
void softmax_cross_entropy(const Node& node, OpContext& context) {
  const Samples samples = samples_of(context.input(0));
  const T* scores = context.input(0).data<T>();
  std::vector<double> logs(static_cast<size_t>(samples.count));
  for (int64_t i = 0; i < samples.count; ++i) {
    logs[static_cast<size_t>(i)] = log_of_sum(scores + samples.first(i), samples);
  }
  const auto log_probability = [&](int64_t i, int64_t c) {
    return static_cast<double>(scores[samples.first(i) + c * samples.inner]) - logs[static_cast<size_t>(i)];
  };
  if (context.wants_output(1)) {
    T* out = context.output(1).data<T>();
    for (int64_t i = 0; i < samples.count; ++i) {
      for (int64_t c = 0; c < samples.classes; ++c) {
        out[samples.first(i) + c * samples.inner] = rounded<T>(log_probability(i, c));
      }
    }
  }
  reduce_losses<T>(node, context, samples, log_probability);
}

}  // namespace

void run_negative_log_likelihood(const Node& node, OpContext& context) {
  dispatch_floating(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Samples samples = samples_of(context.input(0));
    const T* logs = context.input(0).data<T>();
    reduce_losses<T>(node, context, samples, [&](int64_t i, int64_t c) {
      return static_cast<double>(logs[samples.first(i) + c * samples.inner]);
    });
  });
}

void run_softmax_cross_entropy(const Node& node, OpContext& context) {
  dispatch_floating(context.input(0).dtype(),
                    [&](auto tag) { softmax_cross_entropy<typename decltype(tag)::type>(node, context); });
}

}  // namespace neural_engine
