// Taking and putting by index.
#include "base/onnx_dtype.h"
#include "load/tensorflow_builder.h"
#include "load/tensorflow_ops.h"
#include "load/tensorflow_state.h"

namespace neural_engine {

namespace {

// Negative indices are errors in TensorFlow: known ones while loading, others when the model runs.
Attrs in_bounds(TfNode& n, ValueId indices, Attrs attrs) {
  if (n.facts(indices).constant.defined() && is_integer(n.dtype(indices))) {
    const std::vector<int64_t> known = *n.known_ints(indices);
    for (const int64_t index : known) {
      if (index < 0) n.invalid("index ", index, " found, expected 0 or more");
    }
  }
  attrs.set("from_end", int64_t{0});
  return attrs;
}

void gather_along(TfNode& n, ValueId params, ValueId indices, int64_t axis, int64_t batch_dims) {
  if (batch_dims < 0) batch_dims += n.required_rank(indices);
  if (batch_dims == 0) return n.finish("Gather", {params, indices}, in_bounds(n, indices, {{"axis", axis}}));
  if (axis < 0) axis += n.required_rank(params);
  if (axis != batch_dims) {
    n.unsupported("axis ", axis, " with batch_dims ", batch_dims, " found, equal ones are supported");
  }
  const ValueId tuples = n.unsqueeze(n.as_s64(indices), {-1});
  n.finish("GatherND", {params, tuples}, in_bounds(n, indices, {{"batch_dims", batch_dims}}));
}

void gather_tuples(TfNode& n, ValueId params) {
  const ValueId indices = n.as_s64(n.input(1));
  n.finish("GatherND", {params, indices}, in_bounds(n, indices, {}));
}

void gather_v2(TfNode& n) {
  gather_along(n, n.input(0), n.input(1), n.constant_int(2, "the axis"), n.take_int("batch_dims", 0));
}
void gather(TfNode& n) {
  n.ignore({"validate_indices"});
  gather_along(n, n.input(0), n.input(1), 0, 0);
}
void resource_gather(TfNode& n) {
  n.ignore({"validate_indices"});
  const ValueId params = read_variable(n, 0);
  const int64_t batch_dims = n.take_int("batch_dims", 0);
  gather_along(n, params, n.input(1), batch_dims, batch_dims);
}
// What becomes of indices out of bounds; ours is the default, an error.
void take_policy(TfNode& n) {
  const std::string policy = n.take_string("bad_indices_policy", "");
  if (policy != "" && policy != "DEFAULT" && policy != "ERROR") {
    n.unsupported("bad_indices_policy ", policy, " found, supported are DEFAULT and ERROR");
  }
}

void gather_nd(TfNode& n) {
  take_policy(n);
  gather_tuples(n, n.input(0));
}
void resource_gather_nd(TfNode& n) { gather_tuples(n, read_variable(n, 0)); }

// ONNX counts negative indices from the end, TensorFlow leaves their rows off: they become an index that is too large.
void one_hot(TfNode& n) {
  const ValueId indices = n.as_s64(n.input(0)), on = n.input(2), off = n.input(3);
  const ValueId depth = n.as_s64(n.input(1));
  const ValueId inside = n.add("Where", {n.add("Less", {indices, n.scalar_int(0)}), depth, indices});
  const ValueId values = n.add("Concat", {n.unsqueeze(off, {0}), n.unsqueeze(on, {0})}, {{"axis", int64_t{0}}});
  n.finish("OneHot", {inside, depth, values}, {{"axis", n.take_int("axis", -1)}});
}

// Places of the elements that are true, a row each.
void where(TfNode& n) {
  const ValueId x = n.input(0);
  const ValueId mask = n.dtype(x) == DType::kBool ? x : n.cast(x, DType::kBool);
  n.finish("Transpose", {n.add("NonZero", {mask})}, {{"perm", std::vector<int64_t>{1, 0}}});
}

void scatter(TfNode& n, const char* reduction) {
  take_policy(n);
  const ValueId indices = n.as_s64(n.input(1));
  n.finish("ScatterND", {n.input(0), indices, n.input(2)},
           in_bounds(n, indices, {{"reduction", std::string(reduction)}}));
}
void scatter_update(TfNode& n) { scatter(n, "none"); }
void scatter_add(TfNode& n) { scatter(n, "add"); }
void scatter_max(TfNode& n) { scatter(n, "max"); }
void scatter_min(TfNode& n) { scatter(n, "min"); }

// Into zeros; what is put to one place twice is summed.
void scatter_nd(TfNode& n) {
  take_policy(n);
  const ValueId updates = n.input(1), indices = n.as_s64(n.input(0));
  const Tensor zero = n.facts(n.scalar_like(0, updates)).constant;
  const ValueId zeros = n.add("ConstantOfShape", {n.as_vector(2)}, {{"value", zero.reshaped({1})}});
  n.finish("ScatterND", {zeros, indices, updates}, in_bounds(n, indices, {{"reduction", std::string("add")}}));
}

void unique(TfNode& n) {
  const DType index = n.take_dtype("out_idx", DType::kS32);
  const std::vector<ValueId> results = n.add_many("Unique", {n.input(0)}, 3, {{"sorted", int64_t{0}}});
  n.set_output(0, results[0]);
  n.set_output(1, n.cast(results[2], index));
}

}  // namespace

std::span<const TfOp> tf_gather_ops() {
  static constexpr TfOp kOps[] = {
      {"GatherV2", gather_v2, "Tparams=0;Tindices=1;Taxis=2"},
      {"Gather", gather, "Tparams=0;Tindices=1"},
      {"ResourceGather", resource_gather, "dtype;Tindices=1"},
      {"GatherNd", gather_nd, "Tparams=0;Tindices=1"},
      {"ResourceGatherNd", resource_gather_nd, "dtype;Tindices=1"},
      {"OneHot", one_hot, "T=2,3;TI=0"},
      {"Where", where, "T=0"},
      {"TensorScatterUpdate", scatter_update, "T=0,2;Tindices=1"},
      {"TensorScatterAdd", scatter_add, "T=0,2;Tindices=1"},
      {"TensorScatterMax", scatter_max, "T=0,2;Tindices=1"},
      {"TensorScatterMin", scatter_min, "T=0,2;Tindices=1"},
      {"ScatterNd", scatter_nd, "T=1;Tindices=0"},
      {"Unique", unique, "T=0", "y,idx"},
  };
  return kOps;
}

}  // namespace neural_engine
