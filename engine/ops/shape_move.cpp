// Elements in another order or number.
#include <algorithm>
#include <numeric>

#include "ops/shape_infer.h"
#include "ops/shape_rules.h"

namespace neural_engine {

namespace {

// The elements of operand i as facts; unknown dimensions where only their number is known.
std::optional<std::vector<Dim>> ints_or_unknown(const InferContext& context, int input) {
  if (const std::vector<Dim>* ints = context.ints(input)) return *ints;
  const SymShape* shape = context.shape(input);
  if (shape == nullptr || shape->size() != 1 || !(*shape)[0].known() || (*shape)[0].value() > 64) return std::nullopt;
  return std::vector<Dim>(static_cast<size_t>((*shape)[0].value()));
}

void concat_ints(InferContext& context) {
  std::vector<Dim> all;
  bool any = false;
  for (int i = 0; i < context.num_inputs(); ++i) {
    const std::optional<std::vector<Dim>> ints = ints_or_unknown(context, i);
    if (!ints) return;
    any |= context.ints(i) != nullptr;
    all.insert(all.end(), ints->begin(), ints->end());
  }
  if (any) context.set_ints(0, std::move(all));
}

// The sizes of the parts, one per output.
std::vector<Dim> equal_parts(const InferContext& context, const Dim& dim, int64_t parts, bool may_be_uneven) {
  const Dim part = dim / parts;
  if (part * parts == dim) return std::vector<Dim>(static_cast<size_t>(parts), part);
  if (!may_be_uneven) {
    if (dim.known()) context.invalid("an axis of size ", dim.value(), " cannot be split into ", parts, " equal parts");
    return std::vector<Dim>(static_cast<size_t>(parts), part);
  }
  if (!dim.known()) return std::vector<Dim>(static_cast<size_t>(parts));
  const int64_t chunk = (dim.value() + parts - 1) / parts, last = dim.value() - chunk * (parts - 1);
  if (last < 0) context.invalid("an axis of size ", dim.value(), " cannot be split into ", parts, " parts of ", chunk);
  std::vector<Dim> result(static_cast<size_t>(parts), chunk);
  result.back() = last;
  return result;
}

std::vector<Dim> given_parts(const InferContext& context, const Dim& dim, const std::vector<Dim>& parts) {
  if (static_cast<int>(parts.size()) != context.num_outputs()) {
    context.invalid(parts.size(), " parts given for ", context.num_outputs(), " outputs");
  }
  Dim sum = 0;
  for (const Dim& part : parts) {
    if (part.known() && part.value() < 0) context.invalid("a part has the size ", part.value());
    sum = sum + part;
  }
  if (sum.known() && dim.known() && sum.value() != dim.value()) {
    context.invalid("parts ", to_string(parts), " do not add up to the axis of size ", dim.value());
  }
  return parts;
}

std::vector<Dim> split_parts(const InferContext& context, const Dim& dim) {
  const int64_t outputs = context.num_outputs();
  const bool has_count = context.node().attrs.has("num_outputs");
  if (context.has_input(1)) {
    if (has_count) context.invalid("both the parts and num_outputs are given");
    context.require_dtype(1, {DType::kS64});
    vector_length(context, 1);
    const std::vector<Dim>* parts = context.ints(1);
    return parts ? given_parts(context, dim, *parts) : std::vector<Dim>(static_cast<size_t>(outputs));
  }
  if (has_count && context.int_attr("num_outputs") != outputs) {
    context.invalid("num_outputs is ", context.int_attr("num_outputs"), " but the node has ", outputs, " outputs");
  }
  return equal_parts(context, dim, outputs, has_count);
}

void split_ints(InferContext& context, const std::vector<Dim>& parts) {
  const std::vector<Dim>* ints = context.ints(0);
  if (ints == nullptr) return;
  size_t begin = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].known() || begin + static_cast<size_t>(parts[i].value()) > ints->size()) return;
    const size_t end = begin + static_cast<size_t>(parts[i].value());
    context.set_ints(static_cast<int>(i),
                     {ints->begin() + static_cast<int64_t>(begin), ints->begin() + static_cast<int64_t>(end)});
    begin = end;
  }
}

int64_t block_size(const InferContext& context) {
  const int64_t block = context.int_attr("blocksize");
  if (block < 1 || block > (1 << 20)) context.invalid("blocksize ", block, " found, expected 1 or more");
  context.require_rank(0, 4);
  return block;
}

void require_multiple(const InferContext& context, const Dim& dim, int64_t factor, const char* what) {
  if (dim.known() && dim.value() % factor != 0) {
    context.invalid(what, " is ", dim.value(), ", expected a multiple of ", factor);
  }
}

}  // namespace

void infer_transpose(InferContext& context) {
  require_whole_bytes(context, 0);
  const SymShape* data = context.shape(0);
  const bool has_perm = context.node().attrs.has("perm");
  if (data == nullptr) {
    const size_t rank = has_perm ? context.attr<std::vector<int64_t>>("perm").size() : 0;
    return context.set(0, context.dtype(0), has_perm ? std::optional(SymShape(rank)) : std::nullopt);
  }
  const int64_t rank = static_cast<int64_t>(data->size());
  std::vector<int64_t> perm(data->size());
  std::iota(perm.rbegin(), perm.rend(), 0);
  if (has_perm) perm = normalized_axes(context, context.attr<std::vector<int64_t>>("perm"), rank);
  if (perm.size() != data->size()) context.invalid("perm has ", perm.size(), " axes, the input has ", rank);
  SymShape shape;
  for (int64_t axis : perm) shape.push_back((*data)[static_cast<size_t>(axis)]);
  context.set(0, context.dtype(0), std::move(shape));
  if (rank <= 1 && context.ints(0)) context.set_ints(0, *context.ints(0));
}

void infer_concat(InferContext& context) {
  DType dtype = context.dtype(0);
  std::optional<SymShape> shape = context.input(0).shape;
  int64_t axis = context.int_attr("axis");
  bool all_known = shape.has_value();
  for (int i = 0; i < context.num_inputs(); ++i) {
    require_whole_bytes(context, i);
    require_same_dtype(context, 0, i);
    if (dtype == DType::kUndefined) dtype = context.dtype(i);
    const SymShape* other = context.shape(i);
    all_known &= other != nullptr;
    if (other == nullptr) continue;
    const int64_t rank = static_cast<int64_t>(other->size());
    if (i > 0 && shape && shape->size() != other->size()) {
      context.invalid("cannot concatenate ", to_string(*shape), " with ", to_string(*other));
    }
    axis = context.normalize_axis(axis, rank);
    if (!shape) shape = SymShape(other->size());
    for (size_t d = 0; i > 0 && d < other->size(); ++d) {
      Dim& dim = (*shape)[d];
      dim = static_cast<int64_t>(d) == axis ? dim + (*other)[d]
                                            : same_dim(context, dim, (*other)[d], "dimensions off the axis");
    }
  }
  if (shape && !all_known) (*shape)[static_cast<size_t>(axis)] = Dim();
  context.set(0, dtype, std::move(shape));
  concat_ints(context);
}

void infer_split(InferContext& context) {
  require_whole_bytes(context, 0);
  const SymShape* data = context.shape(0);
  if (data == nullptr) {
    for (int i = 0; i < context.num_outputs(); ++i) context.set_unknown(i, context.dtype(0));
    return;
  }
  const size_t axis =
      static_cast<size_t>(context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(data->size())));
  const std::vector<Dim> parts = split_parts(context, (*data)[axis]);
  for (int i = 0; i < context.num_outputs(); ++i) {
    SymShape shape = *data;
    shape[axis] = parts[static_cast<size_t>(i)];
    context.set(i, context.dtype(0), std::move(shape));
  }
  split_ints(context, parts);
}

void infer_expand(InferContext& context) {
  require_whole_bytes(context, 0);
  context.require_dtype(1, {DType::kS64});
  const std::optional<int64_t> length = vector_length(context, 1);
  std::optional<SymShape> target;
  if (const std::vector<Dim>* ints = context.ints(1)) {
    for (const Dim& dim : *ints) {
      if (dim.known() && dim.value() < 0) context.invalid("the target shape ", to_string(*ints), " is negative");
    }
    target = *ints;
  } else if (length) {
    target = SymShape(static_cast<size_t>(*length));
  }
  const std::optional<SymShape> shape = broadcast(context, context.input(0).shape, target);
  context.set(0, context.dtype(0), shape);
  const std::vector<Dim>* ints = context.ints(0);
  if (ints == nullptr || !shape || shape->size() > 1) return;
  const Dim elems = product(*shape);
  if (elems.is(static_cast<int64_t>(ints->size()))) context.set_ints(0, *ints);
  if (ints->size() == 1 && elems.known() && elems.value() <= 64) {
    context.set_ints(0, std::vector<Dim>(static_cast<size_t>(elems.value()), (*ints)[0]));
  }
}

void infer_tile(InferContext& context) {
  require_whole_bytes(context, 0);
  context.require_dtype(1, {DType::kS64});
  const std::optional<int64_t> length = vector_length(context, 1);
  const SymShape* data = context.shape(0);
  if (data == nullptr) {
    return context.set(0, context.dtype(0),
                       length ? std::optional(SymShape(static_cast<size_t>(*length))) : std::nullopt);
  }
  if (length && *length != static_cast<int64_t>(data->size())) {
    context.invalid(*length, " repeats given for ", data->size(), " axes");
  }
  const std::vector<Dim>* repeats = context.ints(1);
  SymShape shape(data->size());
  for (size_t i = 0; repeats && i < shape.size(); ++i) {
    if ((*repeats)[i].known() && (*repeats)[i].value() < 0)
      context.invalid("repeats ", to_string(*repeats), " are negative");
    shape[i] = (*data)[i] * (*repeats)[i];
  }
  context.set(0, context.dtype(0), shape);
  const std::vector<Dim>* ints = context.ints(0);
  if (ints == nullptr || shape.size() != 1 || !shape[0].known() || shape[0].value() > 64) return;
  std::vector<Dim> tiled;
  while (!ints->empty() && static_cast<int64_t>(tiled.size()) < shape[0].value())
    tiled.insert(tiled.end(), ints->begin(), ints->end());
  context.set_ints(0, std::move(tiled));
}

void infer_depth_to_space(InferContext& context) {
  require_whole_bytes(context, 0);
  require_choice(context, "mode", {"DCR", "CRD"});
  const int64_t block = block_size(context);
  const SymShape* data = context.shape(0);
  if (data == nullptr) return context.set(0, context.dtype(0), SymShape(4));
  const SymShape& d = *data;
  require_multiple(context, d[1], block * block, "the number of channels");
  context.set(0, context.dtype(0), SymShape{d[0], d[1] / (block * block), d[2] * block, d[3] * block});
}

void infer_space_to_depth(InferContext& context) {
  require_whole_bytes(context, 0);
  const int64_t block = block_size(context);
  const SymShape* data = context.shape(0);
  if (data == nullptr) return context.set(0, context.dtype(0), SymShape(4));
  const SymShape& d = *data;
  require_multiple(context, d[2], block, "the height");
  require_multiple(context, d[3], block, "the width");
  context.set(0, context.dtype(0), SymShape{d[0], d[1] * (block * block), d[2] / block, d[3] / block});
}

void infer_reverse_sequence(InferContext& context) {
  require_whole_bytes(context, 0);
  context.require_dtype(1, {DType::kS64});
  context.require_rank(1, 1);
  const int64_t time = context.int_attr("time_axis"), batch = context.int_attr("batch_axis");
  if (time < 0 || time > 1 || batch < 0 || batch > 1 || time == batch) {
    context.invalid("time_axis ", time, " and batch_axis ", batch, " found, expected 0 and 1 in some order");
  }
  if (const SymShape* data = context.shape(0)) {
    if (data->size() < 2) context.invalid("input 0 has shape ", to_string(*data), ", expected rank 2 or more");
    if (const SymShape* lengths = context.shape(1)) {
      same_dim(context, (*data)[static_cast<size_t>(batch)], (*lengths)[0], "batch size and number of lengths");
    }
  }
  infer_same_as_first(context);
}

}  // namespace neural_engine
