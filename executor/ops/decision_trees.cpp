#include "executor/ops/decision_trees.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/error.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

// In the order of the attribute "mode".
enum Mode : uint8_t { kLeaf, kLessOrEqual, kLess, kGreaterOrEqual, kGreater, kEqual, kNotEqual, kMember };

struct TreeNode {
  double split;
  int32_t yes, no;  // of a leaf: the range of its weights
  int32_t feature;
  Mode mode;
  bool missing_yes;
};

struct Trees {
  std::vector<TreeNode> nodes;
  std::vector<int64_t> roots;
  std::vector<int64_t> leaf_target;
  std::vector<double> leaf_weight;
  std::vector<int64_t> member_begin;
  std::vector<double> members;
  int64_t targets = 1;
  int64_t features = 0;  // one more than the last that a node asks for
  std::string aggregate;
};

std::vector<double> doubles(const Tensor& tensor) {
  std::vector<double> result(static_cast<size_t>(tensor.elems()));
  if (!result.empty()) std::memcpy(result.data(), tensor.raw(), tensor.bytes());
  return result;
}

std::shared_ptr<const Trees> trees_of(const Attrs& attrs) {
  auto trees = std::make_shared<Trees>();
  const Ints &mode = attrs.get<Ints>("mode"), &feature = attrs.get<Ints>("feature"), &yes = attrs.get<Ints>("yes");
  const Ints &no = attrs.get<Ints>("no"), &missing = attrs.get<Ints>("missing_yes");
  const Ints& leaf_begin = attrs.get<Ints>("leaf_begin");
  const std::vector<double> split = doubles(attrs.get<Tensor>("split"));
  require(mode.size() < INT32_MAX && leaf_begin.back() < INT32_MAX, Code::kUnsupported, "more than 2^31 nodes found");
  for (size_t i = 0; i < mode.size(); ++i) {
    const bool leaf = mode[i] == kLeaf;
    trees->nodes.push_back({.split = split[i],
                            .yes = static_cast<int32_t>(leaf ? leaf_begin[i] : yes[i]),
                            .no = static_cast<int32_t>(leaf ? leaf_begin[i + 1] : no[i]),
                            .feature = static_cast<int32_t>(leaf ? 0 : feature[i]),
                            .mode = static_cast<Mode>(mode[i]),
                            .missing_yes = missing[i] != 0});
    if (!leaf) trees->features = std::max(trees->features, feature[i] + 1);
  }
  trees->roots = attrs.get<Ints>("roots");
  trees->leaf_target = attrs.get<Ints>("leaf_target");
  trees->leaf_weight = doubles(attrs.get<Tensor>("leaf_weight"));
  trees->member_begin = attrs.get<Ints>("member_begin");
  trees->members = doubles(attrs.get<Tensor>("members"));
  trees->targets = attrs.get<int64_t>("targets");
  trees->aggregate = attrs.get<std::string>("aggregate");
  return trees;
}

bool is_member(const Trees& trees, size_t node, double x) {
  const auto begin = trees.members.begin() + trees.member_begin[node];
  const auto end = trees.members.begin() + trees.member_begin[node + 1];
  return std::find(begin, end, x) != end;
}

bool goes_yes(const Trees& trees, size_t index, double x) {
  const TreeNode& node = trees.nodes[index];
  if (node.missing_yes && std::isnan(x)) return true;
  switch (node.mode) {
    case kLessOrEqual: return x <= node.split;
    case kLess: return x < node.split;
    case kGreaterOrEqual: return x >= node.split;
    case kGreater: return x > node.split;
    case kEqual: return x == node.split;
    case kNotEqual: return x != node.split;
    case kMember: return is_member(trees, index, x);
    case kLeaf: break;
  }
  return false;
}

template <class T>
const TreeNode& leaf_of(const Trees& trees, int64_t root, const T* row) {
  auto index = static_cast<size_t>(root);
  while (trees.nodes[index].mode != kLeaf) {
    const TreeNode& node = trees.nodes[index];
    const bool yes = goes_yes(trees, index, static_cast<double>(row[node.feature]));
    index = static_cast<size_t>(yes ? node.yes : node.no);
  }
  return trees.nodes[index];
}

// Sums are made in double, tree by tree: the same for any number of threads. A target that no leaf gave a weight to is
// 0.
template <class T>
void run_row(const Trees& trees, const T* row, float* out, std::vector<double>& sums, std::vector<bool>& seen) {
  std::fill(sums.begin(), sums.end(), 0.0);
  std::fill(seen.begin(), seen.end(), false);
  const bool least = trees.aggregate == "MIN", greatest = trees.aggregate == "MAX";
  for (int64_t root : trees.roots) {
    const TreeNode& leaf = leaf_of(trees, root, row);
    for (int32_t i = leaf.yes; i < leaf.no; ++i) {
      const auto target = static_cast<size_t>(trees.leaf_target[static_cast<size_t>(i)]);
      const double weight = trees.leaf_weight[static_cast<size_t>(i)];
      double& sum = sums[target];
      if (least || greatest) {
        sum = !seen[target] ? weight : least ? std::min(sum, weight) : std::max(sum, weight);
      } else {
        sum += weight;
      }
      seen[target] = true;
    }
  }
  const double divisor =
      trees.aggregate == "AVERAGE" ? static_cast<double>(std::max<size_t>(trees.roots.size(), 1)) : 1;
  for (size_t i = 0; i < sums.size(); ++i) out[i] = static_cast<float>(sums[i] / divisor);
}

template <class T>
void run_trees(const Trees& trees, OpContext& op) {
  const Tensor& x = op.input(0);
  const int64_t width = x.dim(1);
  if (width < trees.features) fail(Code::kInvalidData, "rows of ", width, " features found, expected ", trees.features);
  float* out = op.output(0).data<float>();
  const auto work = static_cast<int64_t>(trees.roots.size());
  op.parallel.ranges(x.dim(0), std::max<int64_t>(1, 1024 / std::max<int64_t>(1, work)),
                     [&](int64_t begin, int64_t end) {
                       std::vector<double> sums(static_cast<size_t>(trees.targets));
                       std::vector<bool> seen(static_cast<size_t>(trees.targets));
                       for (int64_t row = begin; row < end; ++row) {
                         run_row(trees, x.data<T>() + row * width, out + row * trees.targets, sums, seen);
                       }
                     });
}

}  // namespace

BoundOp bind_decision_trees(const BindContext& context) {
  const std::shared_ptr<const Trees> trees = trees_of(context.node().attrs);
  if (context.dtype(0) == DType::kF64) return {.run = [trees](OpContext& op) { run_trees<double>(*trees, op); }};
  return {.run = [trees](OpContext& op) { run_trees<float>(*trees, op); }};
}

}  // namespace neural_engine
