// Elements that come from no input: fills, ranges, padding, and the sums of overlapping blocks.
#include <algorithm>
#include <cmath>

#include "base/dtype.h"
#include "ops/range_count.h"
#include "ops/shape_infer.h"
#include "ops/shape_rules.h"

namespace neural_engine {

namespace {

// The number of elements of a Range whose integer bounds may be symbols.
Dim range_dim(const InferContext& context, const Dim& start, const Dim& limit, const Dim& delta) {
  if (delta.is(0)) context.invalid("delta is 0");
  if (start.known() && limit.known() && delta.known()) return range_count(start.value(), limit.value(), delta.value());
  return delta.known() && delta.value() == 1 ? limit - start : Dim();
}

std::optional<Dim> scalar_int(const InferContext& context, int input) {
  const std::vector<Dim>* ints = context.ints(input);
  return ints && ints->size() == 1 ? std::optional((*ints)[0]) : std::nullopt;
}

// Of constants of any dtype.
Dim constant_range_dim(const Tensor& start, const Tensor& limit, const Tensor& delta) {
  return dispatch_dtype(start.dtype(), [&](auto tag) -> Dim {
    using T = typename decltype(tag)::type;
    return range_count(start.data<T>()[0], limit.data<T>()[0], delta.data<T>()[0]);
  });
}

void require_scalar(const InferContext& context, int input) {
  const SymShape* shape = context.shape(input);
  if (shape == nullptr) return;
  const Dim elems = product(*shape);
  if (elems.known() && elems.value() != 1) {
    context.invalid("input ", input, " has shape ", to_string(*shape), ", expected a scalar");
  }
}

// begin and end pads of each axis; nullopt when not known.
std::optional<std::vector<std::pair<Dim, Dim>>> pads_of(const InferContext& context, int64_t rank) {
  const std::vector<Dim>* pads = context.ints(1);
  const std::optional<int64_t> length = vector_length(context, 1);
  const std::optional<std::vector<int64_t>> axes = axes_or_all(context, 3, rank);
  if (axes && length && *length != 2 * static_cast<int64_t>(axes->size())) {
    context.invalid(*length, " pads given for ", axes->size(), " axes");
  }
  if (!pads || !axes) return std::nullopt;
  std::vector<std::pair<Dim, Dim>> result(static_cast<size_t>(rank), {0, 0});
  for (size_t i = 0; i < axes->size(); ++i) {
    result[static_cast<size_t>((*axes)[i])] = {(*pads)[i], (*pads)[i + axes->size()]};
  }
  return result;
}

std::vector<int64_t> spatial_attr(const InferContext& context, const char* attr, size_t count, int64_t otherwise,
                                  int64_t least) {
  if (!context.node().attrs.has(attr)) return std::vector<int64_t>(count, otherwise);
  const std::vector<int64_t>& values = context.attr<std::vector<int64_t>>(attr);
  if (values.size() != count || std::any_of(values.begin(), values.end(), [&](int64_t v) { return v < least; })) {
    context.invalid(attr, " has ", values.size(), " values, expected ", count, " of at least ", least);
  }
  return values;
}

// The number of blocks along each axis must multiply to the columns of the input.
void check_columns(const InferContext& context, const std::vector<Dim>& image, const std::vector<Dim>& block,
                   const Dim& columns) {
  const size_t rank = image.size();
  const std::vector<int64_t> strides = spatial_attr(context, "strides", rank, 1, 1);
  const std::vector<int64_t> dilations = spatial_attr(context, "dilations", rank, 1, 1);
  const std::vector<int64_t> pads = spatial_attr(context, "pads", 2 * rank, 0, 0);
  Dim expected = 1;
  for (size_t i = 0; i < rank; ++i) {
    const Dim span = (block[i] - 1) * dilations[i] + 1;
    const Dim room = image[i] + pads[i] + pads[i + rank] - span;
    if (room.known() && room.value() < 0) context.invalid("a block does not fit the image along axis ", i);
    expected = expected * (room / strides[i] + 1);
  }
  if (expected.known() && columns.known() && expected.value() != columns.value()) {
    context.invalid("input 0 has ", columns.value(), " columns, expected ", expected.value(), " blocks");
  }
}

}  // namespace

void infer_constant_of_shape(InferContext& context) {
  context.require_dtype(0, {DType::kS64});
  Tensor value = Tensor::scalar(0.0f);
  if (context.node().attrs.has("value")) value = context.attr<Tensor>("value");
  if (value.elems() != 1) context.invalid("value has shape ", to_string(value.shape()), ", expected one element");
  if (bits_of(value.dtype()) % 8 != 0) context.unsupported("value has dtype ", to_string(value.dtype()));
  const std::optional<int64_t> length = vector_length(context, 0);
  const std::vector<Dim>* dims = context.ints(0);
  if (dims == nullptr) {
    return context.set(0, value.dtype(), length ? std::optional(SymShape(static_cast<size_t>(*length))) : std::nullopt);
  }
  for (const Dim& dim : *dims) {
    if (dim.known() && dim.value() < 0) context.invalid("the shape ", to_string(*dims), " has a negative dimension");
  }
  context.set(0, value.dtype(), *dims);
  const Dim elems = product(*dims);
  const Facts element = facts_of(value.reshaped({}));
  if (element.ints && dims->size() <= 1 && elems.known() && elems.value() <= 64) {
    context.set_ints(0, std::vector<Dim>(static_cast<size_t>(elems.value()), (*element.ints)[0]));
  }
}

void infer_range(InferContext& context) {
  context.require_dtype(0, {DType::kS64, DType::kS32, DType::kS16, DType::kF32, DType::kF64});
  for (int i = 0; i < 3; ++i) {
    require_scalar(context, i);
    require_same_dtype(context, 0, i);
  }
  const std::optional<Dim> start = scalar_int(context, 0), limit = scalar_int(context, 1),
                           delta = scalar_int(context, 2);
  Dim count;
  if (start && limit && delta) {
    count = range_dim(context, *start, *limit, *delta);
  } else if (context.constant(0) && context.constant(1) && context.constant(2)) {
    count = constant_range_dim(*context.constant(0), *context.constant(1), *context.constant(2));
  }
  if (count.is(-1)) context.invalid("the bounds give no finite number of elements");
  context.set(0, context.dtype(0), SymShape{count});
  if (!count.known() || count.value() > 64 || !start || !delta || !delta->known()) return;
  std::vector<Dim> ints;
  for (int64_t i = 0; i < count.value(); ++i) ints.push_back(*start + *delta * i);
  context.set_ints(0, std::move(ints));
}

void infer_pad(InferContext& context) {
  require_whole_bytes(context, 0);
  require_choice(context, "mode", {"constant", "reflect", "edge", "wrap"});
  context.require_dtype(1, {DType::kS64});
  if (context.has_input(2)) {
    require_same_dtype(context, 0, 2);
    require_scalar(context, 2);
  }
  if (context.has_input(3)) require_index(context, 3);
  const SymShape* data = context.shape(0);
  if (data == nullptr) return context.set_unknown(0, context.dtype(0));
  const auto pads = pads_of(context, static_cast<int64_t>(data->size()));
  SymShape shape(data->size());
  for (size_t i = 0; pads && i < shape.size(); ++i) {
    const Dim &dim = (*data)[i], &begin = (*pads)[i].first, &end = (*pads)[i].second;
    shape[i] = dim + begin + end;
    if (shape[i].known() && shape[i].value() < 0) {
      context.invalid("pads ", begin.value(), " and ", end.value(), " remove more than axis ", i, " of ",
                      to_string(*data));
    }
    if (dim.is(0) && shape[i].known() && shape[i].value() > 0 && context.attr<std::string>("mode") != "constant") {
      context.invalid("mode ", context.attr<std::string>("mode"), " cannot pad axis ", i, " of ", to_string(*data));
    }
  }
  context.set(0, context.dtype(0), std::move(shape));
}

void infer_center_crop_pad(InferContext& context) {
  require_whole_bytes(context, 0);
  require_index(context, 1);
  const SymShape* data = context.shape(0);
  const std::optional<int64_t> length = vector_length(context, 1);
  if (data == nullptr) return context.set_unknown(0, context.dtype(0));
  const std::vector<int64_t> axes = axes_or_all(context, "axes", static_cast<int64_t>(data->size()));
  if (length && *length != static_cast<int64_t>(axes.size())) {
    context.invalid("a shape of ", *length, " dimensions is given for ", axes.size(), " axes");
  }
  const std::vector<Dim>* target = context.ints(1);
  SymShape shape = *data;
  for (size_t i = 0; i < axes.size(); ++i) {
    const Dim dim = target ? (*target)[i] : Dim();
    if (dim.known() && dim.value() < 0) context.invalid("the shape ", to_string(*target), " has a negative dimension");
    shape[static_cast<size_t>(axes[i])] = dim;
  }
  context.set(0, context.dtype(0), std::move(shape));
}

void infer_col2im(InferContext& context) {
  require_in(context, 0, kNumberTypes);
  context.require_dtype(1, {DType::kS64});
  context.require_dtype(2, {DType::kS64});
  context.require_rank(0, 3);
  const std::optional<int64_t> rank = vector_length(context, 1), block_rank = vector_length(context, 2);
  if (rank && block_rank && *rank != *block_rank) {
    context.invalid("the image has ", *rank, " axes, the block ", *block_rank);
  }
  if (!rank) return context.set_unknown(0, context.dtype(0));
  SymShape shape(static_cast<size_t>(*rank) + 2);
  const SymShape* data = context.shape(0);
  const std::vector<Dim>*image = context.ints(1), *block = context.ints(2);
  for (const std::vector<Dim>* sizes : {image, block}) {
    if (sizes && std::any_of(sizes->begin(), sizes->end(), [](const Dim& d) { return d.known() && d.value() < 1; })) {
      context.invalid("the sizes ", to_string(*sizes), " are not positive");
    }
  }
  if (data) shape[0] = (*data)[0];
  if (data && block) {
    const Dim elems = product(*block);
    if ((*data)[1].known() && elems.known() && (*data)[1].value() % elems.value() != 0) {
      context.invalid("input 0 has ", (*data)[1].value(), " rows, expected a multiple of ", elems.value());
    }
    shape[1] = (*data)[1] / elems;
  }
  if (image) std::copy(image->begin(), image->end(), shape.begin() + 2);
  if (image && block) check_columns(context, *image, *block, data ? (*data)[2] : Dim());
  context.set(0, context.dtype(0), std::move(shape));
}

}  // namespace neural_engine
