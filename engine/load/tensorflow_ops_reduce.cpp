// Reductions, and what orders or accumulates along an axis.
#include "base/onnx_dtype.h"
#include "load/tensorflow_ops.h"

namespace neural_engine {

namespace {

// No axes at all mean no reduction, while ONNX needs to be told so.
ValueId reduced(TfNode& n, const char* op, ValueId x) {
  const ValueId axes = n.as_vector(1);
  Attrs attrs = {{"keepdims", static_cast<int64_t>(n.take_bool("keep_dims", false))}};
  const std::optional<SymShape>& shape = n.facts(axes).shape;
  if (!shape || !(*shape)[0].known() || (*shape)[0].is(0)) attrs.set("noop_with_empty_axes", int64_t{1});
  return n.add(op, {x, axes}, attrs);
}
template <OpName kName>
void reduce(TfNode& n) {
  n.set_output(0, reduced(n, kName.text, n.input(0)));
}

template <OpName kName>
void arg_extreme(TfNode& n) {
  const DType type = n.take_dtype("output_type", DType::kS64);
  const int64_t axis = n.num_inputs() > 1 ? n.constant_int(1, "the axis") : 0;
  const ValueId index = n.add(kName.text, {n.input(0)}, {{"axis", axis}, {"keepdims", int64_t{0}}});
  n.set_output(0, n.cast(index, type));
}

void top_k(TfNode& n) {
  const bool sorted = n.take_bool("sorted", true);
  const DType type = n.take_dtype("index_type", DType::kS32);
  const std::vector<ValueId> results =
      n.add_many("TopK", {n.input(0), n.as_vector(1)}, 2, {{"sorted", static_cast<int64_t>(sorted)}});
  n.set_output(0, results[0]);
  n.set_output(1, n.cast(results[1], type));
}
void top_k_1(TfNode& n) {
  const bool sorted = n.take_bool("sorted", true);
  const std::vector<ValueId> results =
      n.add_many("TopK", {n.input(0), n.ints({n.take_int("k")})}, 2, {{"sorted", static_cast<int64_t>(sorted)}});
  n.set_output(0, results[0]);
  n.set_output(1, n.cast(results[1], DType::kS32));
}

void cumsum(TfNode& n) {
  const Attrs attrs = {{"exclusive", static_cast<int64_t>(n.take_bool("exclusive", false))},
                       {"reverse", static_cast<int64_t>(n.take_bool("reverse", false))}};
  n.finish("CumSum", {n.input(0), n.input(1)}, attrs);
}

void l2_loss(TfNode& n) {
  const ValueId x = n.input(0);
  const ValueId sum = n.add("ReduceSumSquare", {x}, {{"keepdims", int64_t{0}}});
  n.finish("Mul", {sum, n.scalar_like(0.5, x)});
}

}  // namespace

std::span<const TfOp> tf_reduce_ops() {
  static constexpr const char* kTypes = "T=0;Tidx=1";
  static constexpr TfOp kOps[] = {
      {"Sum", reduce<"ReduceSum">, kTypes},
      {"Mean", reduce<"ReduceMean">, kTypes},
      {"Max", reduce<"ReduceMax">, kTypes},
      {"Min", reduce<"ReduceMin">, kTypes},
      {"Prod", reduce<"ReduceProd">, kTypes},
      {"EuclideanNorm", reduce<"ReduceL2">, kTypes},
      {"All", reduce<"ReduceMin">, "Tidx=1"},
      {"Any", reduce<"ReduceMax">, "Tidx=1"},
      {"ArgMax", arg_extreme<"ArgMax">, kTypes},
      {"ArgMin", arg_extreme<"ArgMin">, kTypes},
      {"TopKV2", top_k, "T=0;Tk=1", "values,indices"},
      {"TopK", top_k_1, "T=0", "values,indices"},
      {"Cumsum", cumsum, kTypes},
      {"L2Loss", l2_loss},
  };
  return kOps;
}

}  // namespace neural_engine
