#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/dtype.h"
#include "base/float8.h"
#include "executor/op_binding.h"
#include "executor/ops/convert.h"
#include "executor/ops/random_stream.h"

namespace neural_engine {

namespace {

constexpr int64_t kTask = 2048;

// With a seed every run gives the same tensor, without one none does.
RandomStream stream_of(const Node& node) {
  if (!node.attrs.has("seed")) return RandomStream::fresh();
  return RandomStream(std::bit_cast<uint32_t>(node.attr<float>("seed")));
}

// Output 0 from a function of the element's position to double.
template <class F>
void fill(OpContext& context, const F& element) {
  Tensor& y = context.output(0);
  context.parallel.ranges(y.elems(), kTask, [&](int64_t begin, int64_t end) {
    double block[kBlock];
    for (int64_t at = begin; at < end; at += kBlock) {
      const int64_t count = std::min(kBlock, end - at);
      for (int64_t i = 0; i < count; ++i) block[i] = element(at + i);
      store(y.dtype(), block, count, y.raw(), at);
    }
  });
}

void run_normal(const Node& node, OpContext& context) {
  const RandomStream stream = stream_of(node);
  const double mean = node.attr<float>("mean"), scale = node.attr<float>("scale");
  fill(context, [&](int64_t i) { return mean + scale * stream.normal(i); });
}

void run_uniform(const Node& node, OpContext& context) {
  const RandomStream stream = stream_of(node);
  const double low = node.attr<float>("low"), high = node.attr<float>("high");
  fill(context, [&](int64_t i) { return low + (high - low) * stream.uniform(i); });
}

void run_bernoulli(const Node& node, OpContext& context) {
  const RandomStream stream = stream_of(node);
  const Tensor& x = context.input(0);
  fill(context, [&](int64_t i) {
    double probability = 0;
    load(x.dtype(), x.raw(), i, 1, &probability);
    return stream.uniform(i) < probability ? 1.0 : 0.0;
  });
}

// The class at which the sum of probabilities first exceeds a uniform number; x are logarithms, not normalised.
int64_t choose(const double* x, int64_t classes, double uniform) {
  const double largest = *std::max_element(x, x + classes);
  double total = 0;
  for (int64_t i = 0; i < classes; ++i) total += std::exp(x[i] - largest);
  double sum = 0;
  int64_t last_possible = 0;
  for (int64_t i = 0; i < classes; ++i) {
    const double weight = std::exp(x[i] - largest);
    if (weight > 0) last_possible = i;
    sum += weight;
    if (uniform * total < sum) return i;
  }
  return last_possible;
}

// A row of NaN, of infinity or of impossible classes alone is no distribution.
void check_distributions(const Tensor& x) {
  for (int64_t row = 0; row < x.dim(0); ++row) {
    double largest = -INFINITY;
    for (int64_t i = 0; i < x.dim(1) && largest == largest; ++i) {
      double value = 0;
      load(x.dtype(), x.raw(), row * x.dim(1) + i, 1, &value);
      if (!(value <= largest)) largest = value;
    }
    require(std::isfinite(largest), Code::kInvalidData, "the logarithms of row ", row, " have the maximum ", largest,
            ", expected a finite one");
  }
}

void run_multinomial(const Node& node, OpContext& context) {
  const RandomStream stream = stream_of(node);
  const Tensor& x = context.input(0);
  check_distributions(x);
  Tensor& y = context.output(0);
  const int64_t classes = x.dim(1), samples = y.dim(1);
  auto* memory = reinterpret_cast<double*>(context.scratch);
  context.parallel.run(y.elems(), [&](int64_t i, int worker) {
    double* row = memory + worker * classes;
    load(x.dtype(), x.raw(), i / samples * classes, classes, row);
    const int64_t chosen = choose(row, classes, stream.uniform(i));
    store(y.dtype(), &chosen, 1, y.raw(), i);
  });
}

BoundOp bind_multinomial(const BindContext& context) {
  BoundOp bound = bind_simple<run_multinomial>(context);
  bound.scratch_bytes =
      static_cast<size_t>(context.shape(0)[1]) * sizeof(double) * static_cast<size_t>(context.threads);
  return bound;
}

// In training: zero with probability `ratio`, the others scaled so that the mean stays.
void drop(const Node& node, OpContext& context, double ratio) {
  const Tensor& x = context.input(0);
  require(!is_float8(x.dtype()), Code::kUnsupported, "input 0 has dtype ", to_string(x.dtype()),
          ", in training mode f64, f32, f16 and bf16 are supported");
  require(ratio >= 0 && ratio < 1, Code::kInvalidData, "ratio is ", ratio, ", expected one in [0, 1)");
  const RandomStream stream =
      node.attrs.has("seed") ? RandomStream(static_cast<uint64_t>(node.attr<int64_t>("seed"))) : RandomStream::fresh();
  bool* mask = context.wants_output(1) ? context.output(1).data<bool>() : nullptr;
  const bool wants_values = context.wants_output(0);
  context.parallel.ranges(x.elems(), kTask, [&](int64_t begin, int64_t end) {
    double block[kBlock];
    for (int64_t at = begin; at < end; at += kBlock) {
      const int64_t count = std::min(kBlock, end - at);
      load(x.dtype(), x.raw(), at, count, block);
      for (int64_t i = 0; i < count; ++i) {
        const bool keep = stream.uniform(at + i) >= ratio;
        if (mask != nullptr) mask[at + i] = keep;
        block[i] = keep ? block[i] / (1 - ratio) : 0;
      }
      if (wants_values) store(x.dtype(), block, count, context.output(0).raw(), at);
    }
  });
}

void run_dropout(const Node& node, OpContext& context) {
  const Tensor& x = context.input(0);
  const bool training = context.has_input(2) && context.input(2).elems() > 0 && context.input(2).data<bool>()[0];
  double ratio = 0.5;
  if (context.has_input(1)) {
    require(context.input(1).elems() == 1, Code::kInvalidData, "the ratio has shape ",
            to_string(context.input(1).shape()), ", expected a scalar");
    load(context.input(1).dtype(), context.input(1).raw(), 0, 1, &ratio);
  }
  if (training && ratio != 0) return drop(node, context, ratio);
  if (context.wants_output(0) && context.output(0).raw() != x.raw()) {
    std::memcpy(context.output(0).raw(), x.raw(), x.bytes());
  }
  if (context.wants_output(1)) std::fill_n(context.output(1).data<bool>(), x.elems(), true);
}

void run_eye_like(const Node& node, OpContext& context) {
  const int64_t columns = context.input(0).dim(1), k = node.attr<int64_t>("k");
  // i / columns and i % columns are small, k may be any number: compared by difference of the small ones.
  fill(context, [&](int64_t i) { return i % columns - i / columns == k ? 1.0 : 0.0; });
}

}  // namespace

std::span<const OpBinding> random_bindings() {
  static constexpr OpBinding kBindings[] = {
      {"RandomNormal", bind_simple<run_normal>},
      {"RandomUniform", bind_simple<run_uniform>},
      {"RandomNormalLike", bind_simple<run_normal>},
      {"RandomUniformLike", bind_simple<run_uniform>},
      {"Multinomial", bind_multinomial},
      {"Bernoulli", bind_simple<run_bernoulli>},
      {"Dropout", bind_simple<run_dropout>},
      {"EyeLike", bind_simple<run_eye_like>},
  };
  return kBindings;
}

}  // namespace neural_engine
