// What classifiers and feature pipelines of ai.onnx.ml are made of, beyond ONNX's own operators: load/onnx_ml_*.cpp
// writes their operators as these.
#include <algorithm>
#include <cmath>

#include "ops/all.h"
#include "ops/dtype_set.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

void require_length(const InferContext& context, const char* name, size_t found, size_t expected) {
  if (found != expected) context.invalid("attribute ", name, " has ", found, " elements, expected ", expected);
}

void check_bounds(const InferContext& context, const char* name, int64_t value, int64_t low, int64_t high) {
  if (value < low || value >= high) {
    context.invalid("attribute ", name, " holds ", value, ", expected ", low, " to ", high - 1);
  }
}

const Tensor& f64_attr(const InferContext& context, const char* name) {
  const Tensor& tensor = context.attr<Tensor>(name);
  if (tensor.dtype() != DType::kF64 || tensor.rank() != 1) context.invalid("attribute ", name, " is no f64 vector");
  return tensor;
}

// Offsets that do not decrease, from 0 to `end`, one more than there are nodes.
void check_offsets(const InferContext& context, const char* name, size_t nodes, int64_t end) {
  const Ints& offsets = context.attr<Ints>(name);
  require_length(context, name, offsets.size(), nodes + 1);
  if (offsets.front() != 0 || offsets.back() != end || !std::is_sorted(offsets.begin(), offsets.end())) {
    context.invalid("attribute ", name, " does not go from 0 to ", end);
  }
}

// Nodes are numbered so that children come after their parent: a walk ends.
void check_nodes(const InferContext& context, int64_t features) {
  const Ints& mode = context.attr<Ints>("mode");
  const auto nodes = static_cast<int64_t>(mode.size());
  for (const char* name : {"feature", "yes", "no", "missing_yes"}) {
    require_length(context, name, context.attr<Ints>(name).size(), mode.size());
  }
  require_length(context, "split", static_cast<size_t>(f64_attr(context, "split").elems()), mode.size());
  for (size_t i = 0; i < mode.size(); ++i) {
    check_bounds(context, "mode", mode[i], 0, 8);
    if (mode[i] == 0) continue;
    check_bounds(context, "feature", context.attr<Ints>("feature")[i], 0, features);
    for (const char* name : {"yes", "no"}) {
      check_bounds(context, name, context.attr<Ints>(name)[i], static_cast<int64_t>(i) + 1, nodes);
    }
  }
  for (int64_t root : context.attr<Ints>("roots")) check_bounds(context, "roots", root, 0, nodes);
}

// x [rows,features] to the sum (or average, least, greatest) of its leaves [rows,targets].
void infer_trees(InferContext& context) {
  require_in(context, 0, dtype_set(DType::kF32, DType::kF64));
  context.require_rank(0, 2);
  const SymShape* x = context.shape(0);
  const int64_t features = x && (*x)[1].known() ? (*x)[1].value() : INT64_MAX;
  check_nodes(context, features);
  const size_t nodes = context.attr<Ints>("mode").size();
  const Ints& target = context.attr<Ints>("leaf_target");
  const int64_t targets = context.int_attr("targets");
  if (targets < 1) context.invalid("attribute targets is ", targets, ", expected at least 1");
  for (int64_t each : target) check_bounds(context, "leaf_target", each, 0, targets);
  require_length(context, "leaf_weight", static_cast<size_t>(f64_attr(context, "leaf_weight").elems()), target.size());
  check_offsets(context, "leaf_begin", nodes, static_cast<int64_t>(target.size()));
  check_offsets(context, "member_begin", nodes, f64_attr(context, "members").elems());
  const std::string& aggregate = context.attr<std::string>("aggregate");
  if (aggregate != "SUM" && aggregate != "AVERAGE" && aggregate != "MIN" && aggregate != "MAX") {
    context.unsupported("aggregate \"", aggregate, "\" found, supported: SUM, AVERAGE, MIN, MAX");
  }
  context.set(0, DType::kF32, x ? std::optional(SymShape{(*x)[0], Dim(targets)}) : std::nullopt);
}

void infer_squared_distance(InferContext& context) {
  require_in(context, 0, dtype_set(DType::kF32));
  require_in(context, 1, dtype_set(DType::kF32));
  for (int i : {0, 1}) context.require_rank(i, 2);
  const SymShape *a = context.shape(0), *b = context.shape(1);
  if (!a || !b) return context.set(0, DType::kF32, std::nullopt);
  if ((*a)[1].known() && (*b)[1].known() && !((*a)[1] == (*b)[1])) {
    context.invalid("rows of ", to_string((*a)[1]), " and of ", to_string((*b)[1]), " elements found");
  }
  context.set(0, DType::kF32, SymShape{(*a)[0], (*b)[0]});
}

// Decisions between each two classes [rows,pairs] to the class that wins most [rows], and with prob_a and prob_b to the
// classes' probabilities [rows,classes], whose greatest may be another class's.
void infer_pairwise(InferContext& context) {
  require_in(context, 0, dtype_set(DType::kF32));
  context.require_rank(0, 2);
  const int64_t classes = context.int_attr("classes");
  if (classes < 2 || classes > 4096) context.unsupported(classes, " classes found, supported are 2 to 4096");
  const int64_t pairs = classes * (classes - 1) / 2;
  const SymShape* x = context.shape(0);
  if (x && (*x)[1].known() && (*x)[1].value() != pairs) {
    context.invalid((*x)[1].value(), " decisions found, expected ", pairs, " for ", classes, " classes");
  }
  for (const char* name : {"prob_a", "prob_b"}) {
    const size_t found = context.attr<std::vector<float>>(name).size();
    if (found != 0 || context.attr<std::vector<float>>("prob_a").size() != 0 || context.wants_output(1)) {
      require_length(context, name, found, static_cast<size_t>(pairs));
    }
  }
  const auto rows = [&](bool wide) -> std::optional<SymShape> {
    if (!x) return std::nullopt;
    return wide ? SymShape{(*x)[0], Dim(classes)} : SymShape{(*x)[0]};
  };
  context.set(0, DType::kS64, rows(false));
  if (context.num_outputs() > 1) context.set(1, DType::kF32, rows(true));
}

constexpr DTypeSet kMapped = dtype_set(DType::kS64, DType::kS32, DType::kS16, DType::kF32, DType::kF64);

void infer_label_encoder(InferContext& context) {
  const Tensor &keys = context.attr<Tensor>("keys"), &values = context.attr<Tensor>("values");
  require_in(context, 0, kMapped);
  for (const Tensor* tensor : {&keys, &values}) {
    if (!contains(kMapped, tensor->dtype()) || tensor->rank() != 1) {
      context.unsupported("keys or values of ", to_string(tensor->dtype()), to_string(tensor->shape()), " found");
    }
  }
  require_length(context, "values", static_cast<size_t>(values.elems()), static_cast<size_t>(keys.elems()));
  const Tensor& otherwise = context.attr<Tensor>("default");
  if (otherwise.dtype() != values.dtype() || otherwise.elems() != 1) {
    context.invalid("attribute default is no element of ", to_string(values.dtype()));
  }
  if (context.dtype(0) != DType::kUndefined && context.dtype(0) != keys.dtype()) {
    context.invalid("input 0 has dtype ", to_string(context.dtype(0)), ", the keys have ", to_string(keys.dtype()));
  }
  context.set(0, values.dtype(), context.input(0).shape);
}

// Integers to a further axis with a 1 where the category is; `strict` refuses others as it runs.
void infer_category_one_hot(InferContext& context) {
  require_in(context, 0, dtype_set(DType::kS64));
  const auto categories = static_cast<int64_t>(context.attr<Ints>("categories").size());
  if (categories == 0) context.invalid("there are no categories");
  std::optional<SymShape> shape = context.input(0).shape;
  if (shape) shape->push_back(Dim(categories));
  context.set(0, DType::kF32, shape);
}

}  // namespace

std::span<const OpDef> ml_ops() {
  static const OpDef kOps[] = {
      {.name = "DecisionTrees",
       .attrs = {required_attr("feature", AttrType::kInts),
                 // 0: a leaf; 1 to 6: yes if x <=, <, >=, >, ==, != split; 7: yes if x is a member.
                 required_attr("mode", AttrType::kInts),
                 required_attr("split", AttrType::kTensor),
                 required_attr("yes", AttrType::kInts),
                 required_attr("no", AttrType::kInts),
                 required_attr("missing_yes", AttrType::kInts),
                 required_attr("member_begin", AttrType::kInts),
                 required_attr("members", AttrType::kTensor),
                 required_attr("leaf_begin", AttrType::kInts),
                 required_attr("leaf_target", AttrType::kInts),
                 required_attr("leaf_weight", AttrType::kTensor),
                 required_attr("roots", AttrType::kInts),
                 required_attr("targets", AttrType::kInt),
                 {"aggregate", "SUM"}},
       .infer = infer_trees},
      {.name = "SquaredDistance", .inputs = {2, 2}, .infer = infer_squared_distance},
      {.name = "PairwiseVote",
       .attrs = {required_attr("classes", AttrType::kInt), AttrDef("prob_a", AttrValue(std::vector<float>())),
                 AttrDef("prob_b", AttrValue(std::vector<float>()))},
       .outputs = {1, 2},
       .infer = infer_pairwise},
      {.name = "LabelEncoder",
       .attrs = {required_attr("keys", AttrType::kTensor), required_attr("values", AttrType::kTensor),
                 required_attr("default", AttrType::kTensor)},
       .infer = infer_label_encoder},
      {.name = "CategoryOneHot",
       .attrs = {required_attr("categories", AttrType::kInts), {"strict", 0}},
       .infer = infer_category_one_hot},
  };
  return kOps;
}

}  // namespace neural_engine
