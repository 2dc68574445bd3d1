// Taking tensors apart and putting them together.
#include <algorithm>
#include <limits>

#include "load/tensorflow_ops.h"

namespace neural_engine {

namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

// size -1: to the end.
void slice(TfNode& n) {
  const ValueId x = n.input(0), begin = n.as_vector(1), size = n.as_vector(2);
  const std::optional<std::vector<int64_t>> starts = n.known_ints(begin), sizes = n.known_ints(size);
  ValueId ends = kNoValue;
  if (starts && sizes) {
    if (starts->size() != sizes->size()) {
      n.invalid("begin has ", starts->size(), " elements, size has ", sizes->size());
    }
    std::vector<int64_t> values;
    for (size_t i = 0; i < starts->size(); ++i) {
      if ((*sizes)[i] < -1 || (*starts)[i] < 0) n.invalid("begin ", (*starts)[i], " and size ", (*sizes)[i], " found");
      int64_t end = 0;
      if (__builtin_add_overflow((*starts)[i], (*sizes)[i], &end)) n.invalid("begin and size overflow");
      values.push_back((*sizes)[i] == -1 ? kMax : end);
    }
    ends = n.ints(values);
  } else if (sizes) {
    // Nobody computes a size of -1 where a constant says the sizes: one Where fewer in shape arithmetic.
    const bool open = std::find(sizes->begin(), sizes->end(), -1) != sizes->end();
    ends = n.add("Add", {begin, size});
    if (open) ends = n.add("Where", {n.add("Equal", {size, n.scalar_int(-1)}), n.scalar_int(kMax), ends});
  } else {
    ends = n.add("Where", {n.add("Equal", {size, n.scalar_int(-1)}), n.scalar_int(kMax), n.add("Add", {begin, size})});
  }
  const std::optional<int64_t> rank = n.rank(x);
  const std::optional<SymShape> length = n.facts(begin).shape;
  int64_t count = rank.value_or(-1);
  if (count < 0 && length && (*length)[0].known()) count = (*length)[0].value();
  if (count < 0) n.unsupported("the rank of the operand is not known");
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < count; ++i) axes.push_back(i);
  n.finish("Slice", {x, begin, ends, n.ints(axes)});
}

// One entry of begin, end or strides: known, or a one-element tensor.
struct Entries {
  Entries(TfNode& n, size_t operand) : node(n), vector(n.as_vector(operand)), known(n.known_ints(vector)) {
    const std::optional<SymShape>& shape = n.facts(vector).shape;
    if (shape && shape->size() == 1 && (*shape)[0].known()) count = (*shape)[0].value();
  }
  std::optional<int64_t> at(int64_t i) const {
    if (known) return (*known)[static_cast<size_t>(i)];
    const std::optional<std::vector<Dim>>& ints = node.facts(vector).ints;
    if (ints && (*ints)[static_cast<size_t>(i)].known()) return (*ints)[static_cast<size_t>(i)].value();
    return std::nullopt;
  }
  ValueId piece(int64_t i) const {
    return node.add("Slice", {vector, node.ints({i}), node.ints({i + 1}), node.ints({0})});
  }
  TfNode& node;
  ValueId vector;
  std::optional<std::vector<int64_t>> known;
  int64_t count = -1;
};

// One vector operand of Slice from constants and one-element tensors.
class Pieces {
 public:
  explicit Pieces(TfNode& n) : n_(n) {}
  void add(int64_t number) { numbers_.push_back(number), values_.push_back(kNoValue); }
  void add(ValueId piece) { numbers_.push_back(0), values_.push_back(piece), all_known_ = false; }
  ValueId vector() {
    if (all_known_) return n_.ints(numbers_);
    for (size_t i = 0; i < values_.size(); ++i) {
      if (values_[i] == kNoValue) values_[i] = n_.ints({numbers_[i]});
    }
    return values_.size() == 1 ? values_[0] : n_.add("Concat", values_, {{"axis", int64_t{0}}});
  }
  bool empty() const { return values_.empty(); }

 private:
  TfNode& n_;
  std::vector<int64_t> numbers_;
  std::vector<ValueId> values_;
  bool all_known_ = true;
};

// numpy's x[begin:end:stride], with bit masks: an entry may be open (begin_mask, end_mask), one index
// (shrink_axis_mask), a new dimension of 1 (new_axis_mask) or "..." (ellipsis_mask). One index becomes a Gather, which
// refuses an index out of range as TensorFlow does.
class StridedSlice {
 public:
  explicit StridedSlice(TfNode& n)
      : n_(n),
        begin_(n, 1),
        end_(n, 2),
        strides_(n, 3),
        starts_(n),
        ends_(n),
        begin_mask_(n.take_int("begin_mask", 0)),
        end_mask_(n.take_int("end_mask", 0)),
        ellipsis_mask_(n.take_int("ellipsis_mask", 0)),
        new_axis_mask_(n.take_int("new_axis_mask", 0)),
        shrink_mask_(n.take_int("shrink_axis_mask", 0)) {}

  void build() {
    const int64_t entries = std::max({begin_.count, end_.count, strides_.count});
    if (entries < 0) n_.unsupported("the number of dimensions that are sliced is not known");
    for (const int64_t count : {begin_.count, end_.count, strides_.count}) {
      if (count >= 0 && count != entries)
        n_.invalid("begin, end and strides have ", count, " and ", entries, " elements");
    }
    if (entries > 62) n_.invalid(entries, " dimensions are sliced");
    ValueId x = n_.input(0);
    int64_t axis = 0;  // of the operand
    for (int64_t i = 0; i < entries; ++i) {
      if (bit(ellipsis_mask_, i)) {
        axis += skipped(x, i, entries);
      } else if (bit(new_axis_mask_, i)) {
        new_axes_.push_back(axis - static_cast<int64_t>(indexed_.size()) + static_cast<int64_t>(new_axes_.size()));
      } else if (bit(shrink_mask_, i)) {
        indexed_.emplace_back(axis++, i);
      } else {
        add_range(axis++, i);
      }
    }
    if (!starts_.empty()) {
      std::vector<ValueId> operands = {x, starts_.vector(), ends_.vector(), n_.ints(axes_)};
      if (std::any_of(steps_.begin(), steps_.end(), [](int64_t step) { return step != 1; })) {
        operands.push_back(n_.ints(steps_));
      }
      x = n_.add("Slice", operands);
    }
    // The last first, so that the axes before it keep their numbers.
    for (auto it = indexed_.rbegin(); it != indexed_.rend(); ++it) x = take(x, it->first, it->second);
    if (!new_axes_.empty()) x = n_.unsqueeze(x, new_axes_);
    n_.set_output(0, x);
  }

 private:
  static bool bit(int64_t mask, int64_t i) { return (mask >> i) & 1; }

  // Dimensions that "..." stands for.
  int64_t skipped(ValueId x, int64_t at, int64_t entries) {
    if ((ellipsis_mask_ & (ellipsis_mask_ - 1)) != 0) n_.invalid("ellipsis_mask has more than one bit");
    int64_t others = 0;
    for (int64_t i = 0; i < entries; ++i) others += i != at && !bit(new_axis_mask_, i);
    if (at == entries - 1) {
      const std::optional<int64_t> rank = n_.rank(x);
      return rank ? *rank - others : 0;
    }
    const int64_t result = n_.required_rank(x) - others;
    if (result < 0) n_.invalid("more dimensions are sliced than there are");
    return result;
  }

  int64_t stride(int64_t i) {
    const std::optional<int64_t> known = strides_.at(i);
    if (!known) n_.unsupported("strides are computed when the model runs, constants are supported");
    if (*known == 0) n_.invalid("stride 0 found");
    return *known;
  }

  void add_range(int64_t axis, int64_t i) {
    const int64_t step = stride(i);
    const bool open_begin = bit(begin_mask_, i), open_end = bit(end_mask_, i);
    if (open_begin && open_end && step == 1) return;
    axes_.push_back(axis);
    steps_.push_back(step);
    if (open_begin) {
      starts_.add(step > 0 ? int64_t{0} : kMax);
    } else {
      put(starts_, begin_, i);
    }
    if (open_end) {
      ends_.add(step > 0 ? kMax : kMin);
    } else {
      put(ends_, end_, i);
    }
  }

  static void put(Pieces& pieces, const Entries& entries, int64_t i) {
    const std::optional<int64_t> known = entries.at(i);
    known ? pieces.add(*known) : pieces.add(entries.piece(i));
  }

  ValueId take(ValueId x, int64_t axis, int64_t entry) {
    const std::optional<int64_t> known = begin_.at(entry);
    const ValueId index = known ? n_.scalar_int(*known) : n_.reshape(begin_.piece(entry), {});
    return n_.add("Gather", {x, index}, {{"axis", axis}});
  }

  TfNode& n_;
  Entries begin_, end_, strides_;
  Pieces starts_, ends_;
  std::vector<int64_t> axes_, steps_;
  std::vector<std::pair<int64_t, int64_t>> indexed_;  // axis, entry
  std::vector<int64_t> new_axes_;
  int64_t begin_mask_, end_mask_, ellipsis_mask_, new_axis_mask_, shrink_mask_;
};

void strided_slice(TfNode& n) { StridedSlice(n).build(); }

void pack(TfNode& n) {
  n.take_int("N", 0);
  const int64_t axis = n.take_int("axis", 0);
  std::vector<ValueId> parts;
  for (const ValueId part : n.all_inputs()) parts.push_back(n.unsqueeze(part, {axis}));
  n.finish("Concat", parts, {{"axis", axis}});
}

void unpack(TfNode& n) {
  const ValueId x = n.input(0);
  const int64_t count = n.take_int("num"), axis = n.take_int("axis", 0);
  if (count < 0 || count > 1 << 16) n.invalid("num is ", count);
  const std::optional<SymShape> shape = n.facts(x).shape;
  if (shape && !shape->empty()) {
    const Dim& dim = (*shape)[static_cast<size_t>(n.normalized_axis(axis, static_cast<int64_t>(shape->size())))];
    if (dim.known() && dim.value() != count) n.invalid("num is ", count, ", the dimension is ", dim.value());
  }
  if (count == 1) return n.set_output(0, n.squeeze(x, {axis}));
  if (count == 0) return;
  const std::vector<ValueId> parts =
      n.add_many("Split", {x}, static_cast<size_t>(count), {{"axis", axis}, {"num_outputs", count}});
  for (size_t i = 0; i < parts.size(); ++i) n.set_output(i, n.squeeze(parts[i], {axis}));
}

void split_into(TfNode& n, ValueId x, int64_t axis, const std::vector<int64_t>& sizes) {
  const std::vector<ValueId> parts = n.add_many("Split", {x, n.ints(sizes)}, sizes.size(), {{"axis", axis}});
  for (size_t i = 0; i < parts.size(); ++i) n.set_output(i, parts[i]);
}

void split(TfNode& n) {
  const int64_t axis = n.constant_int(0, "split_dim"), count = n.take_int("num_split");
  const ValueId x = n.input(1);
  if (count < 1 || count > 1 << 16) n.invalid("num_split is ", count);
  const std::optional<SymShape> shape = n.facts(x).shape;
  if (shape) {
    const Dim& dim = (*shape)[static_cast<size_t>(n.normalized_axis(axis, static_cast<int64_t>(shape->size())))];
    // ONNX's last part may be smaller.
    if (dim.known() && dim.value() % count != 0) n.invalid("dimension ", dim.value(), " is split into ", count);
    if (dim.known())
      return split_into(n, x, axis, std::vector<int64_t>(static_cast<size_t>(count), dim.value() / count));
  }
  if (count == 1) return n.set_output(0, x);
  n.unsupported("the size of the dimension that is split is not known while loading");
}

void split_v(TfNode& n) {
  const ValueId x = n.input(0);
  std::vector<int64_t> sizes = n.constant_ints(1, "size_splits");
  const int64_t count = n.take_int("num_split"), axis = n.constant_int(2, "split_dim");
  if (count != static_cast<int64_t>(sizes.size()) || count < 1) {
    n.invalid("num_split is ", count, ", size_splits has ", sizes.size(), " elements");
  }
  int64_t sum = 0;
  int64_t* open = nullptr;
  for (int64_t& size : sizes) {
    if (size < -1 || (size == -1 && open != nullptr)) n.invalid("size_splits hold ", size);
    if (size == -1) open = &size;
    if (size >= 0 && __builtin_add_overflow(sum, size, &sum)) n.invalid("size_splits overflow");
  }
  if (open != nullptr) {
    const int64_t rank = n.required_rank(x);
    const Dim dim = (*n.facts(x).shape)[static_cast<size_t>(n.normalized_axis(axis, rank))];
    if (!dim.known()) n.unsupported("size_splits hold -1 of a dimension that is not known while loading");
    if (dim.value() < sum) n.invalid("size_splits sum up to ", sum, ", the dimension is ", dim.value());
    *open = dim.value() - sum;
  }
  split_into(n, x, axis, sizes);
}

void concat_v2(TfNode& n) {
  n.take_int("N", 0);
  if (n.num_inputs() < 2) n.invalid(n.num_inputs(), " inputs found, expected tensors and an axis");
  const int64_t axis = n.constant_int(n.num_inputs() - 1, "the axis");
  n.finish("Concat", n.inputs_from(0, n.num_inputs() - 1), {{"axis", axis}});
}
void concat(TfNode& n) {
  n.take_int("N", 0);
  const int64_t axis = n.constant_int(0, "the axis");
  n.finish("Concat", n.inputs_from(1, n.num_inputs()), {{"axis", axis}});
}

void reverse(TfNode& n) {
  const ValueId x = n.input(0);
  const std::vector<int64_t> axes = n.constant_ints(1, "axis");
  if (axes.empty()) return n.set_output(0, x);
  const std::vector<int64_t> last(axes.size(), -1), before(axes.size(), kMin), step(axes.size(), -1);
  n.finish("Slice", {x, n.ints(last), n.ints(before), n.ints(axes), n.ints(step)});
}

void reverse_sequence(TfNode& n) {
  const int64_t time = n.take_int("seq_dim"), batch = n.take_int("batch_dim", 0);
  if (!((time == 0 && batch == 1) || (time == 1 && batch == 0))) {
    n.unsupported("seq_dim ", time, " and batch_dim ", batch, " found, supported are 0 and 1 in either order");
  }
  n.finish("ReverseSequence", {n.input(0), n.as_vector(1)}, {{"time_axis", time}, {"batch_axis", batch}});
}

}  // namespace

std::span<const TfOp> tf_slice_ops() {
  static constexpr TfOp kOps[] = {
      {"Slice", slice, "T=0;Index=1,2"},
      {"StridedSlice", strided_slice, "T=0;Index=1,2,3"},
      {"Pack", pack},
      {"Unpack", unpack},
      {"Split", split, "T=1"},
      {"SplitV", split_v, "T=0;Tlen=1"},
      {"ConcatV2", concat_v2, "T=0;Tidx"},
      {"Concat", concat, "T=1"},
      {"ReverseV2", reverse, "T=0;Tidx=1"},
      {"ReverseSequence", reverse_sequence, "T=0;Tlen=1"},
  };
  return kOps;
}

}  // namespace neural_engine
