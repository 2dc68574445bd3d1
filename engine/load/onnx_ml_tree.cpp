// ai.onnx.ml's ensembles of trees, of all three forms, as DecisionTrees.
#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "load/onnx_ml.h"

namespace neural_engine {

namespace {

using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;
using Strings = std::vector<std::string>;

struct Branch {
  int64_t mode = 0;  // as DecisionTrees has it; 0 is a leaf
  int64_t feature = 0;
  double split = 0;
  int64_t yes = -1, no = -1;  // places in Forest::nodes
  bool missing_yes = false;
  std::vector<double> members;
  std::vector<std::pair<int64_t, double>> weights;  // of a leaf: target and weight
};

struct Forest {
  std::vector<Branch> nodes;
  Ints roots;
  int64_t targets = 1;
  std::string aggregate = "SUM";
};

std::vector<double> as_doubles(Rewrite& r, const Tensor& tensor) {
  std::vector<double> result(static_cast<size_t>(tensor.elems()));
  const Tensor aligned = tensor.clone();
  for (size_t i = 0; i < result.size(); ++i) {
    if (tensor.dtype() == DType::kF32) {
      result[i] = aligned.data<float>()[i];
    } else if (tensor.dtype() == DType::kF64) {
      result[i] = aligned.data<double>()[i];
    } else {
      r.unsupported("a tensor of ", to_string(tensor.dtype()), " found, supported: f32, f64");
    }
  }
  return result;
}

// `name` as floats, or `name`_as_tensor.
std::vector<double> take_numbers(Rewrite& r, const std::string& name) {
  const std::optional<Floats> floats = r.take<Floats>(name);
  const std::optional<Tensor> tensor = r.take<Tensor>(name + "_as_tensor");
  if (floats && tensor) r.invalid("attribute \"", name, "\" is given twice");
  if (tensor) return as_doubles(r, *tensor);
  return floats ? std::vector<double>(floats->begin(), floats->end()) : std::vector<double>();
}

// Parents before children, each node once: a walk then ends, and the op can check that it does.
class Numbering {
 public:
  Numbering(Rewrite& r, const Forest& forest) : r_(r), forest_(forest), place_(forest.nodes.size(), -1) {}

  ValueId add(ValueId x) {
    for (int64_t root : forest_.roots) {
      roots_.push_back(static_cast<int64_t>(order_.size()));
      visit(root);
    }
    if (order_.size() != place_.size()) r_.invalid(place_.size() - order_.size(), " nodes belong to no tree");
    Ints mode, feature, yes, no, missing, leaf_begin(1, 0), leaf_target, member_begin(1, 0);
    std::vector<double> split, leaf_weight, members;
    for (int64_t from : order_) {
      const Branch& node = at(from);
      mode.push_back(node.mode);
      feature.push_back(node.feature);
      split.push_back(node.split);
      yes.push_back(node.mode == 0 ? 0 : place_[static_cast<size_t>(node.yes)]);
      no.push_back(node.mode == 0 ? 0 : place_[static_cast<size_t>(node.no)]);
      missing.push_back(node.missing_yes ? 1 : 0);
      for (const auto& [target, weight] : node.weights) {
        leaf_target.push_back(target);
        leaf_weight.push_back(weight);
      }
      leaf_begin.push_back(static_cast<int64_t>(leaf_target.size()));
      members.insert(members.end(), node.members.begin(), node.members.end());
      member_begin.push_back(static_cast<int64_t>(members.size()));
    }
    const auto vector = [](const std::vector<double>& v) {
      return Tensor::of<double>({static_cast<int64_t>(v.size())}, v);
    };
    return r_.add("DecisionTrees", {x},
                  {{"mode", mode},
                   {"feature", feature},
                   {"split", vector(split)},
                   {"yes", yes},
                   {"no", no},
                   {"missing_yes", missing},
                   {"leaf_begin", leaf_begin},
                   {"leaf_target", leaf_target},
                   {"leaf_weight", vector(leaf_weight)},
                   {"member_begin", member_begin},
                   {"members", vector(members)},
                   {"roots", roots_},
                   {"targets", forest_.targets},
                   {"aggregate", forest_.aggregate}});
  }

 private:
  const Branch& at(int64_t i) const { return forest_.nodes[static_cast<size_t>(i)]; }

  // Not by recursion: trees may be as deep as they are large.
  void visit(int64_t root) {
    std::vector<int64_t> open = {root};
    while (!open.empty()) {
      const int64_t i = open.back();
      open.pop_back();
      if (i < 0 || i >= static_cast<int64_t>(forest_.nodes.size()))
        r_.invalid("a tree leads to node ", i, ", which there is not");
      if (place_[static_cast<size_t>(i)] >= 0) r_.invalid("node ", i, " of the trees is reached twice");
      place_[static_cast<size_t>(i)] = static_cast<int64_t>(order_.size());
      order_.push_back(i);
      if (at(i).mode == 0) continue;
      open.push_back(at(i).no);
      open.push_back(at(i).yes);
    }
  }

  Rewrite& r_;
  const Forest& forest_;
  Ints place_, order_, roots_;
};

ValueId tree_input(Rewrite& r) {
  const ValueId x = r.input(0);
  return r.facts(x).dtype == DType::kF64 ? x : ml_f32(r, x);
}

int64_t mode_named(Rewrite& r, const std::string& name) {
  static constexpr const char* kModes[] = {"LEAF",      "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE",
                                           "BRANCH_GT", "BRANCH_EQ",  "BRANCH_NEQ"};
  for (size_t i = 0; i < std::size(kModes); ++i) {
    if (name == kModes[i]) return static_cast<int64_t>(i);
  }
  r.unsupported("nodes_modes holds \"", name, "\"");
}

// The form of versions 1 and 3: nodes by tree and number, weights beside them under `prefix` ("class", "target").
class NumberedTrees {
 public:
  NumberedTrees(Rewrite& r, const std::string& prefix) : r_(r), prefix_(prefix) {}

  Forest read() {
    read_nodes();
    read_weights();
    return std::move(forest_);
  }

 private:
  using Key = std::pair<int64_t, int64_t>;

  template <class T>
  T taken(const std::string& name, size_t count) {
    T list = r_.take_or<T>(name, {});
    if (list.size() != count) r_.invalid("attribute \"", name, "\" has ", list.size(), " elements, expected ", count);
    return list;
  }

  void read_nodes() {
    const Ints trees = r_.take_required<Ints>("nodes_treeids");
    const size_t count = trees.size();
    const Ints ids = taken<Ints>("nodes_nodeids", count), features = taken<Ints>("nodes_featureids", count);
    const Ints yes = taken<Ints>("nodes_truenodeids", count), no = taken<Ints>("nodes_falsenodeids", count);
    const Strings modes = taken<Strings>("nodes_modes", count);
    const Ints missing = r_.take_or<Ints>("nodes_missing_value_tracks_true", Ints(count, 0));
    const std::vector<double> splits = take_numbers(r_, "nodes_values");
    take_numbers(r_, "nodes_hitrates");  // how often a branch was taken, for those who lay trees out
    if (missing.size() != count || splits.size() != count)
      r_.invalid("lists of ", count, " nodes have different lengths");
    for (size_t i = 0; i < count; ++i) {
      if (!places_.emplace(Key{trees[i], ids[i]}, static_cast<int64_t>(i)).second) {
        r_.invalid("node ", ids[i], " of tree ", trees[i], " is given twice");
      }
    }
    std::set<int64_t> children;
    for (size_t i = 0; i < count; ++i) {
      Branch node{
          .mode = mode_named(r_, modes[i]), .feature = features[i], .split = splits[i], .missing_yes = missing[i] != 0};
      if (node.mode != 0) {
        children.insert(node.yes = place(trees[i], yes[i]));
        children.insert(node.no = place(trees[i], no[i]));
      }
      forest_.nodes.push_back(std::move(node));
    }
    std::set<int64_t> rooted;
    for (size_t i = 0; i < count; ++i) {
      if (children.count(static_cast<int64_t>(i)) > 0) continue;
      if (!rooted.insert(trees[i]).second) r_.invalid("tree ", trees[i], " has two roots");
      forest_.roots.push_back(static_cast<int64_t>(i));
    }
    if (rooted.size() != std::set<int64_t>(trees.begin(), trees.end()).size()) r_.invalid("a tree has no root");
  }

  void read_weights() {
    const Ints trees = r_.take_or<Ints>(prefix_ + "_treeids", {});
    const Ints ids = taken<Ints>(prefix_ + "_nodeids", trees.size());
    const Ints targets = taken<Ints>(prefix_ + "_ids", trees.size());
    const std::vector<double> weights = take_numbers(r_, prefix_ + "_weights");
    if (weights.size() != trees.size()) r_.invalid(weights.size(), " weights found for ", trees.size(), " leaves");
    for (size_t i = 0; i < trees.size(); ++i) {
      Branch& leaf = forest_.nodes[static_cast<size_t>(place(trees[i], ids[i]))];
      if (leaf.mode != 0) r_.invalid("a weight of node ", ids[i], " of tree ", trees[i], ", which is no leaf, found");
      leaf.weights.emplace_back(targets[i], weights[i]);
    }
  }

  int64_t place(int64_t tree, int64_t node) const {
    const auto found = places_.find({tree, node});
    if (found == places_.end()) r_.invalid("tree ", tree, " has no node ", node);
    return found->second;
  }

  Rewrite& r_;
  const std::string prefix_;
  Forest forest_;
  std::map<Key, int64_t> places_;
};

ValueId with_base(Rewrite& r, ValueId scores, const std::vector<double>& base) {
  if (base.empty()) return scores;
  return r.add("Add", {scores, ml_floats(r, Floats(base.begin(), base.end()))});
}

void tree_regressor(Rewrite& r) {
  Forest forest = NumberedTrees(r, "target").read();
  forest.targets = r.take_or<int64_t>("n_targets", 1);
  forest.aggregate = r.take_or<std::string>("aggregate_function", "SUM");
  const std::string post = r.take_or<std::string>("post_transform", "NONE");
  const std::vector<double> base = take_numbers(r, "base_values");
  if (!base.empty() && static_cast<int64_t>(base.size()) != forest.targets) {
    r.invalid(base.size(), " base_values found for ", forest.targets, " targets");
  }
  const ValueId scores = with_base(r, Numbering(r, forest).add(tree_input(r)), base);
  r.finish("Identity", {ml_transformed(r, scores, post)});
}

// Two classes and one number for both: the chance of the second, or what decides by its sign.
bool is_binary(const Forest& forest, bool* mixed) {
  std::set<int64_t> ids;
  *mixed = false;
  for (const Branch& node : forest.nodes) {
    for (const auto& [target, weight] : node.weights) {
      ids.insert(target);
      *mixed = *mixed || weight < 0;
    }
  }
  return ids == std::set<int64_t>{0};
}

void tree_classifier(Rewrite& r) {
  Forest forest = NumberedTrees(r, "class").read();
  const std::vector<int64_t> labels = take_labels(r, "classlabels_int64s");
  const std::string post = r.take_or<std::string>("post_transform", "NONE");
  const std::vector<double> base = take_numbers(r, "base_values");
  bool mixed = false;
  const bool binary = labels.size() == 2 && is_binary(forest, &mixed);
  forest.targets = binary ? 1 : static_cast<int64_t>(labels.size());
  if (!base.empty() && static_cast<int64_t>(base.size()) != forest.targets) {
    r.unsupported(base.size(), " base_values for ", forest.targets, " scores found");
  }
  const ValueId scores = with_base(r, Numbering(r, forest).add(tree_input(r)), base);
  if (binary) {
    const ValueId index = ml_above(r, scores, mixed ? 0.f : 0.5f);
    return finish_classifier(r, labels, index, ml_two_scores(r, scores, post, mixed));
  }
  finish_classifier(r, labels, ml_greatest(r, scores), ml_transformed(r, scores, post));
}

// The form of version 5: leaves of their own, one target each.
void tree_ensemble(Rewrite& r) {
  const auto tensor = [&](const char* name) { return as_doubles(r, r.take_required<Tensor>(name)); };
  const Tensor modes = r.take_required<Tensor>("nodes_modes");
  const std::vector<double> splits = tensor("nodes_splits"), weights = tensor("leaf_weights");
  const Ints features = r.take_required<Ints>("nodes_featureids"), targets = r.take_required<Ints>("leaf_targetids");
  const Ints yes = r.take_required<Ints>("nodes_truenodeids"), no = r.take_required<Ints>("nodes_falsenodeids");
  const Ints yes_leaf = r.take_required<Ints>("nodes_trueleafs"), no_leaf = r.take_required<Ints>("nodes_falseleafs");
  const Ints missing = r.take_or<Ints>("nodes_missing_value_tracks_true", Ints(splits.size(), 0));
  r.take<Tensor>("nodes_hitrates");
  const std::optional<Tensor> sets = r.take<Tensor>("membership_values");
  const std::vector<double> members = sets ? as_doubles(r, *sets) : std::vector<double>();
  const size_t count = splits.size();
  if (modes.dtype() != DType::kU8 || static_cast<size_t>(modes.elems()) != count)
    r.invalid("nodes_modes are no u8 for each node");
  for (const Ints* list : {&features, &yes, &no, &yes_leaf, &no_leaf, &missing}) {
    if (list->size() != count) r.invalid("lists of ", count, " nodes have different lengths");
  }
  if (targets.size() != weights.size()) r.invalid(weights.size(), " weights found for ", targets.size(), " leaves");

  Forest forest;
  forest.roots = r.take_required<Ints>("tree_roots");
  forest.targets = r.take_required<int64_t>("n_targets");
  static constexpr const char* kAggregates[] = {"AVERAGE", "SUM", "MIN", "MAX"};
  static constexpr const char* kPosts[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
  const int64_t aggregate = r.take_or<int64_t>("aggregate_function", 1), post = r.take_or<int64_t>("post_transform", 0);
  if (aggregate < 0 || aggregate > 3 || post < 0 || post > 4)
    r.invalid("aggregate_function ", aggregate, " or post_transform ", post, " found");
  forest.aggregate = kAggregates[aggregate];
  // Leaves come behind the nodes. A leaf that two branches lead to is given to each.
  size_t member = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto mode = static_cast<const uint8_t*>(modes.raw())[i];
    if (mode > 6) r.invalid("nodes_modes holds ", int{mode});
    forest.nodes.push_back(
        {.mode = mode + 1, .feature = features[i], .split = splits[i], .missing_yes = missing[i] != 0});
    // The sets are in the order of their nodes, a NaN after each.
    for (; mode == 6 && member < members.size() && members[member] == members[member]; ++member) {
      forest.nodes.back().members.push_back(members[member]);
    }
    if (mode == 6) ++member;
  }
  const auto child = [&](int64_t place, bool leaf) {
    if (!leaf) {
      if (place < 0 || place >= static_cast<int64_t>(count)) r.invalid("a tree leads to node ", place, " of ", count);
      return place;
    }
    if (place < 0 || place >= static_cast<int64_t>(targets.size()))
      r.invalid("a tree leads to leaf ", place, " of ", targets.size());
    forest.nodes.push_back({.weights = {{targets[static_cast<size_t>(place)], weights[static_cast<size_t>(place)]}}});
    return static_cast<int64_t>(forest.nodes.size()) - 1;
  };
  for (size_t i = 0; i < count; ++i) {
    const int64_t left = child(yes[i], yes_leaf[i] != 0), right = child(no[i], no_leaf[i] != 0);
    forest.nodes[i].yes = left;
    forest.nodes[i].no = right;
  }
  const ValueId x = tree_input(r);
  const ValueId y = ml_transformed(r, Numbering(r, forest).add(x), kPosts[post]);
  if (r.facts(x).dtype == DType::kF64) return r.finish("CastLike", {y, x});
  r.finish("Identity", {y});
}

}  // namespace

std::span<const LegacyRule> ml_tree_rules() {
  static constexpr LegacyRule kRules[] = {{"TreeEnsembleRegressor", 1, kMaxMlOpset, tree_regressor, kOnnxMl},
                                          {"TreeEnsembleClassifier", 1, kMaxMlOpset, tree_classifier, kOnnxMl},
                                          {"TreeEnsemble", 5, kMaxMlOpset, tree_ensemble, kOnnxMl}};
  return kRules;
}

}  // namespace neural_engine
