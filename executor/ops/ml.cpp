// Running the ops of engine/ops/ml.cpp, the trees excepted.
#include "executor/ops/ml.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <type_traits>

#include "base/error.h"
#include "executor/ops/decision_trees.h"

namespace neural_engine {

namespace {

// Directly, not by |a|^2 + |b|^2 - 2ab, which cancels for rows that are near each other and far from zero.
void squared_distance(const Node&, OpContext& op) {
  const Tensor &a = op.input(0), &b = op.input(1);
  const int64_t rows = a.dim(0), others = b.dim(0), width = a.dim(1);
  if (b.dim(1) != width) fail(Code::kInvalidData, "rows of ", width, " and of ", b.dim(1), " elements found");
  const float *left = a.data<float>(), *right = b.data<float>();
  float* out = op.output(0).data<float>();
  op.parallel.ranges(rows, std::max<int64_t>(1, 65536 / std::max<int64_t>(1, others * width)),
                     [&](int64_t begin, int64_t end) {
                       for (int64_t i = begin; i < end; ++i) {
                         for (int64_t j = 0; j < others; ++j) {
                           float sum = 0;
                           for (int64_t k = 0; k < width; ++k) {
                             const float difference = left[i * width + k] - right[j * width + k];
                             sum += difference * difference;
                           }
                           out[i * others + j] = sum;
                         }
                       }
                     });
}

// ---- PairwiseVote

// Probabilities p of classes from r(i,j), the probability of i against j: the p with p(i) r(j,i) as near p(j) r(i,j) as
// possible in the sense of least squares (Wu, Lin and Weng 2004, their second method, by the iteration that they give).
std::vector<double> coupled(const std::vector<double>& r, size_t classes) {
  const auto at = [&](size_t i, size_t j) { return i * classes + j; };
  std::vector<double> q(classes * classes, 0.0), p(classes, 1.0 / static_cast<double>(classes)), qp(classes);
  for (size_t i = 0; i < classes; ++i) {
    for (size_t j = 0; j < classes; ++j) {
      if (i == j) continue;
      q[at(i, i)] += r[at(j, i)] * r[at(j, i)];
      q[at(i, j)] = -r[at(j, i)] * r[at(i, j)];
    }
  }
  const double enough = 0.005 / static_cast<double>(classes);
  for (size_t round = 0; round < std::max<size_t>(100, classes); ++round) {
    double total = 0;
    for (size_t i = 0; i < classes; ++i) {
      qp[i] = 0;
      for (size_t j = 0; j < classes; ++j) qp[i] += q[at(i, j)] * p[j];
      total += p[i] * qp[i];
    }
    double worst = 0;
    for (size_t i = 0; i < classes; ++i) worst = std::max(worst, std::abs(qp[i] - total));
    if (worst < enough) break;
    for (size_t i = 0; i < classes; ++i) {
      const double step = (total - qp[i]) / q[at(i, i)];
      p[i] += step;
      total = (total + step * (step * q[at(i, i)] + 2 * qp[i])) / (1 + step) / (1 + step);
      for (size_t j = 0; j < classes; ++j) {
        qp[j] = (qp[j] + step * q[at(i, j)]) / (1 + step);
        p[j] /= 1 + step;
      }
    }
  }
  return p;
}

struct Vote {
  size_t classes;
  std::vector<float> a, b;

  // The class with the most of the pairs, the first of equals.
  int64_t winner(const float* decisions) const {
    std::vector<int> votes(classes, 0);
    size_t pair = 0;
    for (size_t i = 0; i < classes; ++i) {
      for (size_t j = i + 1; j < classes; ++j) ++votes[decisions[pair++] > 0 ? i : j];
    }
    return std::max_element(votes.begin(), votes.end()) - votes.begin();
  }

  std::vector<double> probabilities(const float* decisions) const {
    std::vector<double> r(classes * classes, 0.0);
    size_t pair = 0;
    for (size_t i = 0; i < classes; ++i) {
      for (size_t j = i + 1; j < classes; ++j, ++pair) {
        const double p = 1 / (1 + std::exp(double{decisions[pair]} * a[pair] + b[pair]));
        r[i * classes + j] = std::clamp(p, 1e-7, 1 - 1e-7);
        r[j * classes + i] = 1 - r[i * classes + j];
      }
    }
    return coupled(r, classes);
  }
};

void run_vote(const Vote& vote, OpContext& op) {
  const Tensor& x = op.input(0);
  const int64_t pairs = x.dim(1);
  const auto width = static_cast<int64_t>(vote.classes);
  if (pairs != width * (width - 1) / 2) fail(Code::kInvalidData, pairs, " decisions found for ", width, " classes");
  int64_t* winners = op.wants_output(0) ? op.output(0).data<int64_t>() : nullptr;
  float* chances = op.wants_output(1) ? op.output(1).data<float>() : nullptr;
  for (int64_t row = 0; row < x.dim(0); ++row) {
    const float* decisions = x.data<float>() + row * pairs;
    if (winners) winners[row] = vote.winner(decisions);
    if (!chances) continue;
    const std::vector<double> p = vote.probabilities(decisions);
    std::transform(p.begin(), p.end(), chances + row * width, [](double v) { return static_cast<float>(v); });
  }
}

BoundOp bind_vote(const BindContext& context) {
  const Vote vote{.classes = static_cast<size_t>(context.attr<int64_t>("classes")),
                  .a = context.attr<std::vector<float>>("prob_a"),
                  .b = context.attr<std::vector<float>>("prob_b")};
  return {.run = [vote](OpContext& op) { run_vote(vote, op); }};
}

// ---- LabelEncoder

// Numbers are looked up as doubles, integers as themselves; NaN is a key like another.
template <class Key>
struct KeyLess {
  bool operator()(Key a, Key b) const {
    if constexpr (std::is_floating_point_v<Key>) {
      if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
    }
    return a < b;
  }
};

template <class Key>
BoundOp bind_encoder(const Tensor& keys, const Tensor& values, const Tensor& otherwise) {
  std::map<Key, int64_t, KeyLess<Key>> places;
  for (int64_t i = 0; i < keys.elems(); ++i) places.emplace(keys.data<Key>()[i], i);
  const size_t bytes = static_cast<size_t>(bits_of(values.dtype())) / 8;
  return {.run = [places = std::move(places), values, otherwise, bytes](OpContext& op) {
    const Tensor& x = op.input(0);
    auto* out = static_cast<std::byte*>(op.output(0).raw());
    const auto* from = static_cast<const std::byte*>(values.raw());
    for (int64_t i = 0; i < x.elems(); ++i) {
      const auto found = places.find(x.data<Key>()[i]);
      const void* value = found == places.end() ? otherwise.raw() : from + static_cast<size_t>(found->second) * bytes;
      std::memcpy(out + static_cast<size_t>(i) * bytes, value, bytes);
    }
  }};
}

// A copy at an address that suits the elements: attributes of a file lie anywhere.
BoundOp bind_label_encoder(const BindContext& context) {
  const Tensor keys = context.attr<Tensor>("keys").clone(), values = context.attr<Tensor>("values").clone();
  const Tensor otherwise = context.attr<Tensor>("default").clone();
  switch (keys.dtype()) {
    case DType::kS64: return bind_encoder<int64_t>(keys, values, otherwise);
    case DType::kS32: return bind_encoder<int32_t>(keys, values, otherwise);
    case DType::kS16: return bind_encoder<int16_t>(keys, values, otherwise);
    case DType::kF32: return bind_encoder<float>(keys, values, otherwise);
    case DType::kF64: return bind_encoder<double>(keys, values, otherwise);
    default: fail(Code::kInternal, "keys of ", to_string(keys.dtype()));
  }
}

// ---- CategoryOneHot

BoundOp bind_category_one_hot(const BindContext& context) {
  std::map<int64_t, size_t> places;
  const auto& categories = context.attr<std::vector<int64_t>>("categories");
  for (size_t i = 0; i < categories.size(); ++i) places.emplace(categories[i], i);
  const bool strict = context.attr<int64_t>("strict") != 0;
  return {.run = [places = std::move(places), width = categories.size(), strict](OpContext& op) {
    const Tensor& x = op.input(0);
    float* out = op.output(0).data<float>();
    std::fill_n(out, static_cast<size_t>(x.elems()) * width, 0.f);
    for (int64_t i = 0; i < x.elems(); ++i) {
      const auto found = places.find(x.data<int64_t>()[i]);
      if (found != places.end()) {
        out[static_cast<size_t>(i) * width + found->second] = 1.f;
      } else if (strict) {
        fail(Code::kInvalidData, x.data<int64_t>()[i], " is none of the ", width, " categories");
      }
    }
  }};
}

}  // namespace

std::span<const OpBinding> ml_bindings() {
  static constexpr OpBinding kBindings[] = {{"DecisionTrees", bind_decision_trees},
                                            {"SquaredDistance", bind_simple<squared_distance>},
                                            {"PairwiseVote", bind_vote},
                                            {"LabelEncoder", bind_label_encoder},
                                            {"CategoryOneHot", bind_category_one_hot}};
  return kBindings;
}

}  // namespace neural_engine
