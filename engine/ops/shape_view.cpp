// The same bytes under another shape, and what asks for shapes. A small integer tensor carries its elements as facts
// (numbers or symbols) through all of these: exported transformers compute the target of a Reshape from a Shape.
#include <algorithm>

#include "ops/shape_infer.h"
#include "ops/shape_rules.h"

namespace neural_engine {

namespace {

// Elements are kept as facts for scalars and vectors only.
void keep_ints(InferContext& context, const std::optional<SymShape>& shape) {
  if (context.ints(0) && shape && shape->size() <= 1) context.set_ints(0, *context.ints(0));
}

void set_view(InferContext& context, std::optional<SymShape> shape) {
  context.set(0, context.dtype(0), shape);
  keep_ints(context, shape);
}

// The dimension of `target` that is left open, from the number of elements: what the input and the target have in
// common cancels first, so that a zero or a symbol in both does not hide the answer.
Dim open_dim(const InferContext& context, const SymShape& data, const SymShape& target, size_t open, bool must_fit) {
  SymShape numerator = data, denominator;
  for (size_t i = 0; i < target.size(); ++i) {
    if (i == open) continue;
    const auto common = std::find(numerator.begin(), numerator.end(), target[i]);
    if (common == numerator.end()) {
      denominator.push_back(target[i]);
    } else {
      numerator.erase(common);
    }
  }
  const Dim elems = product(numerator), rest = product(denominator);
  const bool ambiguous = elems.is(0) && rest.is(0);
  if (elems.known() && rest.known() &&
      (ambiguous ? must_fit : rest.value() == 0 || elems.value() % rest.value() != 0)) {
    context.invalid("cannot reshape ", to_string(data), " to ", to_string(target), ": no size fits the open dimension");
  }
  return elems / rest;
}

void check_elems(const InferContext& context, const SymShape& data, const SymShape& target) {
  const Dim from = product(data), to = product(target);
  if (from.known() && to.known() && from.value() != to.value()) {
    context.invalid("cannot reshape ", to_string(data), " to ", to_string(target));
  }
}

// ONNX's Reshape: 0 copies the input's dimension (unless allowzero), one -1 is computed.
SymShape reshaped(const InferContext& context, const SymShape* data, const std::vector<Dim>& target) {
  const bool allow_zero = context.int_attr("allowzero") != 0;
  SymShape result;
  std::vector<size_t> open;  // positions whose size is still to be found
  int computed = 0;
  for (size_t i = 0; i < target.size(); ++i) {
    Dim dim = target[i];
    if (dim.is(-1)) {
      if (++computed > 1) context.invalid("the target shape ", to_string(target), " has more than one -1");
      dim = Dim();
    } else if (dim.known() && dim.value() < 0) {
      context.invalid("the target shape ", to_string(target), " has a negative dimension");
    } else if (dim.is(0) && !allow_zero && data) {
      if (i >= data->size()) {
        context.invalid("the target shape ", to_string(target), " copies dimension ", i, " of ", to_string(*data));
      }
      dim = (*data)[i];
    } else if (dim.is(0) && !allow_zero) {
      dim = Dim();
    }
    if (!dim.known() && !dim.is_symbol()) open.push_back(i);
    result.push_back(dim);
  }
  if (allow_zero && computed && std::any_of(target.begin(), target.end(), [](const Dim& d) { return d.is(0); })) {
    context.invalid("the target shape ", to_string(target), " has both -1 and, with allowzero, 0");
  }
  if (data && open.size() == 1) result[open[0]] = open_dim(context, *data, result, open[0], computed > 0);
  if (data) check_elems(context, *data, result);
  return result;
}

// The shape without the axes, all of which must be 1.
SymShape squeezed(const InferContext& context, const SymShape& data, const std::vector<int64_t>& axes) {
  SymShape result;
  for (size_t i = 0; i < data.size(); ++i) {
    if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) == axes.end()) {
      result.push_back(data[i]);
    } else if (data[i].known() && data[i].value() != 1) {
      context.invalid("cannot squeeze axis ", i, " of ", to_string(data));
    }
  }
  return result;
}

// Without axes every 1 goes; a dimension that is not a number may be one.
std::optional<SymShape> squeezed(const SymShape& data) {
  SymShape result;
  for (const Dim& dim : data) {
    if (!dim.known()) return std::nullopt;
    if (!dim.is(1)) result.push_back(dim);
  }
  return result;
}

}  // namespace

void infer_identity(InferContext& context) { set_view(context, context.input(0).shape); }

void infer_reshape(InferContext& context) {
  context.require_dtype(1, {DType::kS64});
  const std::optional<int64_t> length = vector_length(context, 1);
  std::optional<SymShape> shape;
  if (const std::vector<Dim>* target = context.ints(1)) {
    shape = reshaped(context, context.shape(0), *target);
  } else if (length) {
    shape = SymShape(static_cast<size_t>(*length));
  }
  set_view(context, std::move(shape));
}

void infer_flatten(InferContext& context) {
  const SymShape* data = context.shape(0);
  if (data == nullptr) return context.set(0, context.dtype(0), SymShape(2));
  const int64_t rank = static_cast<int64_t>(data->size());
  const int64_t found = context.int_attr("axis");
  if (found < -rank || found > rank)
    context.invalid("axis ", found, " found, expected one in [", -rank, ",", rank, "]");
  const size_t axis = static_cast<size_t>(found < 0 ? found + rank : found);
  context.set(0, context.dtype(0), SymShape{product(*data, 0, axis), product(*data, axis)});
}

// How many axes there are. ONNX says a vector, its own test cases (and so exporters) have scalars too.
std::optional<int64_t> axes_count(const InferContext& context) {
  return rank_of(context, 1) == 0 ? 1 : vector_length(context, 1);
}

void infer_squeeze(InferContext& context) {
  const SymShape* data = context.shape(0);
  if (!context.has_input(1)) return set_view(context, data ? squeezed(*data) : std::nullopt);
  require_index(context, 1);
  const std::optional<int64_t> length = axes_count(context);
  const std::optional<std::vector<int64_t>> axes = context.known_ints(1);
  if (data == nullptr) return context.set_unknown(0, context.dtype(0));
  const int64_t rank = static_cast<int64_t>(data->size());
  if (axes) return set_view(context, squeezed(context, *data, normalized_axes(context, *axes, rank)));
  if (!length) return context.set_unknown(0, context.dtype(0));
  if (*length > rank) context.invalid(*length, " axes are squeezed out of ", to_string(*data));
  context.set(0, context.dtype(0), SymShape(static_cast<size_t>(rank - *length)));
}

void infer_unsqueeze(InferContext& context) {
  require_index(context, 1);
  const SymShape* data = context.shape(0);
  const std::optional<int64_t> length = axes_count(context);
  if (data == nullptr || !length) return context.set_unknown(0, context.dtype(0));
  const int64_t rank = static_cast<int64_t>(data->size()) + *length;
  const std::optional<std::vector<int64_t>> axes = context.known_ints(1);
  if (!axes) return context.set(0, context.dtype(0), SymShape(static_cast<size_t>(rank)));
  const std::vector<int64_t> inserted = normalized_axes(context, *axes, rank);
  SymShape shape;
  size_t next = 0;
  for (int64_t i = 0; i < rank; ++i) {
    const bool is_new = std::find(inserted.begin(), inserted.end(), i) != inserted.end();
    shape.push_back(is_new ? Dim(1) : (*data)[next++]);
  }
  set_view(context, std::move(shape));
}

void infer_shape(InferContext& context) {
  const SymShape* data = context.shape(0);
  if (data == nullptr) return context.set(0, DType::kS64, SymShape(1));
  const int64_t rank = static_cast<int64_t>(data->size());
  // Bounds are clamped, not refused.
  const auto bound = [&](int64_t value) { return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank); };
  const int64_t start = bound(context.int_attr("start"));
  const int64_t end = std::max(start, bound(context.node().attrs.has("end") ? context.int_attr("end") : rank));
  context.set(0, DType::kS64, SymShape{end - start});
  context.set_ints(0, std::vector<Dim>(data->begin() + start, data->begin() + end));
}

void infer_size(InferContext& context) {
  context.set(0, DType::kS64, SymShape{});
  if (const SymShape* data = context.shape(0)) context.set_ints(0, {product(*data)});
}

}  // namespace neural_engine
