// Elements taken and put by index. The indices themselves are checked when they are read, at run time; those that are
// known here are so only where facts carry them.
#include <algorithm>

#include "base/dtype.h"
#include "ops/gather_infer.h"
#include "ops/shape_rules.h"

namespace neural_engine {

namespace {

// Shapes through Gather: dims[index] of a Shape.
void gather_ints(InferContext& context) {
  const std::vector<Dim>* ints = context.ints(0);
  const std::optional<std::vector<int64_t>> indices = context.known_ints(1);
  const std::optional<int64_t> rank = rank_of(context, 1);
  if (!ints || rank_of(context, 0) != 1 || !indices || !rank || *rank > 1) return;
  const int64_t size = static_cast<int64_t>(ints->size());
  std::vector<Dim> result;
  for (int64_t index : *indices) {
    if (index < -size || index >= size) context.invalid("index ", index, " is outside [", -size, ",", size, ")");
    result.push_back((*ints)[static_cast<size_t>(index < 0 ? index + size : index)]);
  }
  context.set_ints(0, std::move(result));
}

void require_reduction(const InferContext& context) {
  require_choice(context, "reduction", {"none", "add", "mul", "max", "min"});
  const std::string& reduction = context.attr<std::string>("reduction");
  if (reduction == "none") return require_whole_bytes(context, 0);
  require_in(context, 0, kNumberTypes);
}

// The size of the index tuples of GatherND and ScatterND.
std::optional<int64_t> tuple_size(const InferContext& context, int64_t free_axes) {
  const SymShape* indices = context.shape(1);
  if (indices == nullptr) return std::nullopt;
  if (indices->empty()) context.invalid("the indices are a scalar, expected rank 1 or more");
  const Dim& last = indices->back();
  if (!last.known()) return std::nullopt;
  if (last.value() < 1 || last.value() > free_axes) {
    context.invalid("index tuples have ", last.value(), " elements, expected 1 to ", free_axes);
  }
  return last.value();
}

std::optional<int64_t> constant_scalar(const Tensor& tensor) {
  if (tensor.elems() != 1) return std::nullopt;
  return dispatch_dtype(tensor.dtype(), [&](auto tag) -> std::optional<int64_t> {
    using T = typename decltype(tag)::type;
    const double value = static_cast<double>(tensor.data<T>()[0]);
    return value > -9e18 && value < 9e18 ? std::optional(static_cast<int64_t>(value)) : std::nullopt;
  });
}

void require_numeric(const InferContext& context, int input) { require_in(context, input, kNumberTypes); }

}  // namespace

void infer_gather(InferContext& context) {
  require_whole_bytes(context, 0);
  require_index(context, 1);
  const SymShape *data = context.shape(0), *indices = context.shape(1);
  int64_t axis = context.int_attr("axis");
  if (data) axis = context.normalize_axis(axis, static_cast<int64_t>(data->size()));
  if (data == nullptr || indices == nullptr) return context.set_unknown(0, context.dtype(0));
  SymShape shape(data->begin(), data->begin() + axis);
  shape.insert(shape.end(), indices->begin(), indices->end());
  shape.insert(shape.end(), data->begin() + axis + 1, data->end());
  context.set(0, context.dtype(0), std::move(shape));
  gather_ints(context);
}

void infer_gather_elements(InferContext& context) {
  require_whole_bytes(context, 0);
  require_index(context, 1);
  const SymShape *data = context.shape(0), *indices = context.shape(1);
  if (data && indices) {
    const size_t axis =
        static_cast<size_t>(context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(data->size())));
    if (data->size() != indices->size()) {
      context.invalid("data ", to_string(*data), " and indices ", to_string(*indices), " differ in rank");
    }
    for (size_t i = 0; i < data->size(); ++i) {
      const Dim &have = (*data)[i], &want = (*indices)[i];
      if (i != axis && have.known() && want.known() && want.value() > have.value()) {
        context.invalid("indices ", to_string(*indices), " reach beyond data ", to_string(*data), " along axis ", i);
      }
    }
  }
  context.set(0, context.dtype(0), context.input(1).shape);
}

void infer_gather_nd(InferContext& context) {
  require_whole_bytes(context, 0);
  context.require_dtype(1, {DType::kS64});
  const int64_t batch = context.int_attr("batch_dims");
  if (batch < 0) context.invalid("batch_dims ", batch, " found, expected 0 or more");
  const SymShape *data = context.shape(0), *indices = context.shape(1);
  if (data == nullptr || indices == nullptr) return context.set_unknown(0, context.dtype(0));
  const int64_t rank = static_cast<int64_t>(data->size());
  if (batch >= std::min<int64_t>(rank, static_cast<int64_t>(indices->size()))) {
    context.invalid("batch_dims ", batch, " found for data ", to_string(*data), " and indices ", to_string(*indices));
  }
  for (int64_t i = 0; i < batch; ++i) {
    same_dim(context, (*data)[static_cast<size_t>(i)], (*indices)[static_cast<size_t>(i)], "batch dimensions");
  }
  const std::optional<int64_t> tuple = tuple_size(context, rank - batch);
  if (!tuple) return context.set_unknown(0, context.dtype(0));
  SymShape shape(indices->begin(), indices->end() - 1);
  shape.insert(shape.end(), data->begin() + batch + *tuple, data->end());
  context.set(0, context.dtype(0), std::move(shape));
}

void infer_scatter_elements(InferContext& context) {
  require_reduction(context);
  require_index(context, 1);
  require_same_dtype(context, 0, 2);
  const SymShape *data = context.shape(0), *indices = context.shape(1), *updates = context.shape(2);
  if (data) context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(data->size()));
  if (data && indices && data->size() != indices->size()) {
    context.invalid("data ", to_string(*data), " and indices ", to_string(*indices), " differ in rank");
  }
  if (indices && updates) {
    if (indices->size() != updates->size()) {
      context.invalid("indices ", to_string(*indices), " and updates ", to_string(*updates), " differ in rank");
    }
    for (size_t i = 0; i < indices->size(); ++i) {
      same_dim(context, (*indices)[i], (*updates)[i], "dimensions of indices and updates");
    }
  }
  infer_same_as_first(context);
}

void infer_scatter_nd(InferContext& context) {
  require_reduction(context);
  context.require_dtype(1, {DType::kS64});
  require_same_dtype(context, 0, 2);
  infer_same_as_first(context);
  const SymShape *data = context.shape(0), *indices = context.shape(1), *updates = context.shape(2);
  if (data == nullptr || indices == nullptr) return;
  const std::optional<int64_t> tuple = tuple_size(context, static_cast<int64_t>(data->size()));
  if (!tuple || updates == nullptr) return;
  SymShape expected(indices->begin(), indices->end() - 1);
  expected.insert(expected.end(), data->begin() + *tuple, data->end());
  if (expected.size() != updates->size()) {
    context.invalid("updates have shape ", to_string(*updates), ", expected ", to_string(expected));
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    same_dim(context, expected[i], (*updates)[i], "dimensions of the updates and what they replace");
  }
}

void infer_one_hot(InferContext& context) {
  require_numeric(context, 0);
  require_numeric(context, 1);
  require_whole_bytes(context, 2);
  const std::optional<int64_t> values = vector_length(context, 2);
  if (values && *values != 2) context.invalid(*values, " values found, expected [off, on]");
  Dim depth;
  if (const std::vector<Dim>* ints = context.ints(1)) {
    if (ints->size() != 1) context.invalid("depth has ", ints->size(), " elements, expected 1");
    depth = (*ints)[0];
  } else if (const Tensor* constant = context.constant(1)) {
    const std::optional<int64_t> value = constant_scalar(*constant);
    if (!value) context.invalid("depth is not a scalar in range");
    depth = *value;
  }
  if (depth.known() && depth.value() < 0) context.invalid("depth ", depth.value(), " is negative");
  const SymShape* indices = context.shape(0);
  if (indices == nullptr) return context.set_unknown(0, context.dtype(2));
  const int64_t axis = context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(indices->size()) + 1);
  SymShape shape = *indices;
  shape.insert(shape.begin() + axis, depth);
  context.set(0, context.dtype(2), std::move(shape));
}

}  // namespace neural_engine
