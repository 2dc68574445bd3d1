#include <algorithm>
#include <map>

#include "executor/ops/signal.h"

namespace neural_engine {

namespace {

using Gram = std::vector<int64_t>;

struct Vocabulary {
  std::map<Gram, size_t> grams;  // to their place in indexes and weights
  std::vector<int64_t> indexes;
  std::vector<float> weights;  // empty: all 1
  int64_t shortest = 1, longest = 1, skips = 0;
  std::string mode;
};

Vocabulary vocabulary_of(const Attrs& attrs) {
  Vocabulary v{.grams = {},
               .indexes = attrs.get<std::vector<int64_t>>("ngram_indexes"),
               .weights = attrs.get_or<std::vector<float>>("weights", {}),
               .shortest = attrs.get<int64_t>("min_gram_length"),
               .longest = attrs.get<int64_t>("max_gram_length"),
               .skips = attrs.get<int64_t>("max_skip_count"),
               .mode = attrs.get<std::string>("mode")};
  const auto& pool = attrs.get<std::vector<int64_t>>("pool_int64s");
  const auto& starts = attrs.get<std::vector<int64_t>>("ngram_counts");
  size_t id = 0;
  for (size_t n = 1; n <= starts.size(); ++n) {
    const size_t end = n < starts.size() ? static_cast<size_t>(starts[n]) : pool.size();
    for (size_t at = static_cast<size_t>(starts[n - 1]); at + n <= end; at += n, ++id) {
      v.grams.emplace(Gram(pool.begin() + static_cast<int64_t>(at), pool.begin() + static_cast<int64_t>(at + n)), id);
    }
  }
  return v;
}

int64_t item(const Tensor& x, int64_t i) {
  return x.dtype() == DType::kS32 ? x.data<int32_t>()[i] : x.data<int64_t>()[i];
}

// Counts the row's n-grams, of items next to each other or up to `skips` items apart.
std::vector<int64_t> count_grams(const Vocabulary& v, const Tensor& x, int64_t first, int64_t items) {
  std::vector<int64_t> counts(v.indexes.size(), 0);
  for (int64_t n = v.shortest; n <= std::min(v.longest, items); ++n) {
    // A single item skips nothing: it counts once.
    const int64_t most_skips = n == 1 ? 0 : v.skips;
    for (int64_t distance = 1; distance <= most_skips + 1 && (n - 1) * distance < items; ++distance) {
      for (int64_t start = 0; start + (n - 1) * distance < items; ++start) {
        Gram gram;
        for (int64_t i = 0; i < n; ++i) gram.push_back(item(x, first + start + i * distance));
        if (const auto found = v.grams.find(gram); found != v.grams.end()) ++counts[found->second];
      }
    }
  }
  return counts;
}

void run(const Vocabulary& v, OpContext& context) {
  const Tensor& x = context.input(0);
  const int64_t items = x.dim(-1), rows = x.rank() == 2 ? x.dim(0) : 1, width = context.output(0).dim(-1);
  float* out = context.output(0).data<float>();
  for (int64_t row = 0; row < rows; ++row) {
    std::fill_n(out + row * width, width, 0.0f);
    const std::vector<int64_t> counts = count_grams(v, x, row * items, items);
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      float value = v.mode == "IDF" ? 1.0f : static_cast<float>(counts[i]);
      if (v.mode != "TF" && !v.weights.empty()) value *= v.weights[i];
      out[row * width + v.indexes[i]] += value;
    }
  }
}

}  // namespace

BoundOp bind_tf_idf(const BindContext& context) {
  return {.run = [v = vocabulary_of(context.node().attrs)](OpContext& op) { run(v, op); }};
}

}  // namespace neural_engine
