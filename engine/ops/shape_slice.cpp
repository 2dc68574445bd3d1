// Slice. Known bounds of a known dimension are exact. A symbolic bound is taken to lie within the dimension, as in
// every exported model (mask[:, :, total - seq : total]): the concrete inference of a request clamps and has the last
// word.
#include <algorithm>

#include "ops/shape_infer.h"
#include "ops/shape_rules.h"
#include "ops/slice_range.h"

namespace neural_engine {

namespace {

// Exporters write "to the end" as the greatest 32- or 64-bit number, or one near it.
constexpr int64_t kToTheEnd = INT32_MAX - 1;

bool is_negative(const Dim& dim) {
  return dim.known() ? dim.value() < 0 : dim.is_symbol() && dim.symbol().front() == '-';
}

// A bound from the start of the axis; unknown when clamping may change it.
Dim absolute_bound(const Dim& dim, const Dim& bound) {
  if (bound.known() && bound.value() >= kToTheEnd) return dim;
  if (is_negative(bound)) return dim + bound;
  if (bound.known() && bound.value() != 0 && !dim.known()) return {};
  return bound;
}

Dim sliced_dim(const Dim& dim, const Dim& start, const Dim& end, int64_t step) {
  if (dim.known() && start.known() && end.known()) {
    return slice_range(dim.value(), start.value(), end.value(), step).count;
  }
  const bool reversed = step < 0;
  if (step == -1 && start.known() && (start.is(-1) || start.value() >= kToTheEnd) && end.known() &&
      end.value() <= -kToTheEnd) {
    return dim;
  }
  if (reversed) return {};
  const bool to_the_end = end.known() && end.value() >= kToTheEnd;
  // dim[k:] of a dimension that may be shorter than k is not dim - k.
  const Dim from =
      to_the_end && start.known() && start.value() > 0 && dim.is_symbol() ? Dim() : absolute_bound(dim, start);
  const Dim length = absolute_bound(dim, end) - from;
  if (step != 1) return (length + (step - 1)) / step;
  return is_negative(length) ? Dim(0) : length;
}

struct Bounds {
  const std::vector<Dim>* starts;
  const std::vector<Dim>* ends;
  std::optional<std::vector<int64_t>> axes;
  std::optional<std::vector<int64_t>> steps;
};

// Axes default to the first ones, steps to 1.
Bounds read_bounds(const InferContext& context, int64_t rank) {
  Bounds bounds{context.ints(1), context.ints(2), std::nullopt, std::nullopt};
  const std::optional<int64_t> count = vector_length(context, 1);
  for (int i = 2; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) continue;
    const std::optional<int64_t> other = vector_length(context, i);
    if (count && other && *count != *other) {
      context.invalid("input ", i, " has ", *other, " elements, the starts have ", *count);
    }
  }
  if (context.has_input(3)) {
    bounds.axes = axes_or_all(context, 3, rank);
  } else if (count) {
    if (*count > rank) context.invalid(*count, " starts given for ", rank, " axes");
    bounds.axes = axes_or_all(context, 3, *count);
  }
  if (context.has_input(4)) {
    bounds.steps = context.known_ints(4);
  } else if (count) {
    bounds.steps = std::vector<int64_t>(static_cast<size_t>(*count), 1);
  }
  if (bounds.steps && std::count(bounds.steps->begin(), bounds.steps->end(), 0)) context.invalid("a step is 0");
  return bounds;
}

void slice_ints(InferContext& context, const Bounds& bounds) {
  const std::vector<Dim>* ints = context.ints(0);
  if (ints == nullptr || !bounds.starts || !bounds.ends || !bounds.steps || !bounds.axes) return;
  if (bounds.axes->empty()) return context.set_ints(0, *ints);
  const Dim &start = (*bounds.starts)[0], &end = (*bounds.ends)[0];
  if (!start.known() || !end.known()) return;
  const int64_t step = (*bounds.steps)[0];
  const SliceRange range = slice_range(static_cast<int64_t>(ints->size()), start.value(), end.value(), step);
  std::vector<Dim> result;
  for (int64_t i = 0; i < range.count; ++i) result.push_back((*ints)[static_cast<size_t>(range.start + i * step)]);
  context.set_ints(0, std::move(result));
}

}  // namespace

void infer_slice(InferContext& context) {
  require_whole_bytes(context, 0);
  for (int i = 1; i < context.num_inputs(); ++i) {
    if (context.has_input(i)) require_index(context, i);
  }
  const SymShape* data = context.shape(0);
  if (data == nullptr) return context.set_unknown(0, context.dtype(0));
  const Bounds bounds = read_bounds(context, static_cast<int64_t>(data->size()));
  if (!bounds.axes) return context.set(0, context.dtype(0), SymShape(data->size()));
  SymShape shape = *data;
  for (size_t i = 0; i < bounds.axes->size(); ++i) {
    Dim& dim = shape[static_cast<size_t>((*bounds.axes)[i])];
    const Dim start = bounds.starts ? (*bounds.starts)[i] : Dim(), end = bounds.ends ? (*bounds.ends)[i] : Dim();
    dim = bounds.steps ? sliced_dim(dim, start, end, (*bounds.steps)[i]) : Dim();
  }
  context.set(0, context.dtype(0), shape);
  if (shape.size() == 1) slice_ints(context, bounds);
}

}  // namespace neural_engine
