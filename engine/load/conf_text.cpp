// What text models of a conf.yaml begin with: embeddings, positions, masks.
#include "base/error.h"
#include "load/conf_call.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

void expect_integers(const ConfCall& call, ValueId x, int64_t rank) {
  const DType dtype = call.dtype(x);
  if ((dtype != DType::kS32 && dtype != DType::kS64) || call.rank(x) != rank) {
    fail(Code::kUnsupported, "an operand of ", to_string(dtype), " and rank ", call.rank(x),
         " found, supported are integers of rank ", rank);
  }
}

// Rows (along axis `batch_dims`) of the second operand by the indices in the first.
void gather(ConfCall& call) {
  const std::string append = call.text("append_op", "");
  if (!append.empty() && append != "binary_add")
    fail(Code::kUnsupported, "append_op \"", append, "\" found, supported: binary_add");
  const Ints shape = call.integers("reshape"), dims = call.integers("reshape_dims");
  const size_t expected = 2 + (append.empty() ? 0 : 1);
  // What the shape is like may be an operand of its own, or the last of the others.
  call.expect_inputs(expected, expected + (dims.empty() ? 0 : 1));
  expect_integers(call, call.input(0), 1);
  if (call.integer("axis", 0) != 0)
    fail(Code::kInvalidModel, "indices of rank 1 have no axis ", call.integer("axis", 0));
  GraphWriter& w = call.w();
  const int64_t axis = call.integer("batch_dims", 0);
  ValueId y = w.add("Gather", {call.input(1), call.input(0)}, {{"axis", axis}});
  if (!shape.empty()) y = call.reshaped(y, shape, call.input(call.num_inputs() - 1), dims);
  if (!append.empty()) y = w.add("Add", {y, call.input(2)});
  const Facts& indices = w.facts(call.input(0));
  if (!call.flag("keep_dims", true) && indices.shape && (*indices.shape)[0] == Dim(1)) {
    y = w.add("Squeeze", {y, w.ints({axis})});
  }
  call.set_output(0, y);
}

// 0 up to the last token that the mask counts, padding_value from there on: [batch, ..., sequence].
void padding_sequence(ConfCall& call) {
  call.expect_inputs(1, 1);
  const ValueId mask = call.input(0);
  expect_integers(call, mask, 2);
  const Ints shape = call.integers("dst_shape"), dims = call.integers("dims");
  const float padding = call.number("padding_value", -10000.f);
  if (shape.size() < 2 || shape.front() != -1 || shape.back() != -1) {
    fail(Code::kUnsupported, "dst_shape that does not begin and end with -1 found");
  }
  GraphWriter& w = call.w();
  const ValueId counted = w.cast(mask, DType::kBool);
  const ValueId last_place = w.add("Add", {w.dim(mask, 1), w.integer(1)});
  const ValueId places = w.add("Range", {w.integer(1), last_place, w.integer(1)});
  const ValueId length =
      w.add("ReduceMax", {w.add("Where", {counted, places, w.integer(0)}), w.ints({1})}, {{"keepdims", int64_t{1}}});
  const ValueId inside = w.add("LessOrEqual", {places, length});
  ValueId rows = w.add("Where", {inside, w.number(0.f), w.number(padding)});
  Ints middle;
  std::vector<ValueId> extents = {call.extent(mask, 0)};
  size_t next = 0;
  for (size_t i = 1; i + 1 < shape.size(); ++i) {
    middle.push_back(static_cast<int64_t>(i));
    if (shape[i] > 0) {
      extents.push_back(w.ints({shape[i]}));
    } else if (shape[i] == 0 && next < dims.size()) {
      extents.push_back(call.extent(mask, dims[next++]));
    } else {
      fail(Code::kInvalidModel, "dst_shape has ", shape[i],
           " in its middle, expected sizes, or 0 and an entry of dims");
    }
  }
  if (!middle.empty()) rows = w.add("Unsqueeze", {rows, w.ints(middle)});
  extents.push_back(call.extent(mask, 1));
  const ValueId whole = w.add("Expand", {rows, w.add("Concat", extents, {{"axis", int64_t{0}}})});
  call.scope().unexpanded[whole] = rows;
  call.set_output(0, whole);
}

void expect_roberta(ConfCall& call) {
  const std::string mode = call.text("mode");
  if (mode != "roberta") fail(Code::kUnsupported, "mode \"", mode, "\" found, supported: roberta");
}

// 2, 3, 4 ... for what is no padding, 1 for padding, which is the id 1.
void position_ids(ConfCall& call) {
  call.expect_inputs(1, 1);
  expect_roberta(call);
  const ValueId ids = call.input(0);
  expect_integers(call, ids, 2);
  GraphWriter& w = call.w();
  const ValueId filled = w.cast(w.add("Not", {w.add("Equal", {w.cast(ids, DType::kS64), w.integer(1)})}), DType::kS64);
  const ValueId counted = w.add("Mul", {w.add("CumSum", {filled, w.integer(1)}), filled});
  call.set_output(0, w.cast(w.add("Add", {counted, w.integer(1)}), DType::kS32));
}

// The first columns of a constant, for each row.
void token_type_ids(ConfCall& call) {
  call.expect_inputs(2, 2);
  expect_roberta(call);
  expect_integers(call, call.input(0), 2);
  GraphWriter& w = call.w();
  const ValueId flat = w.add("Reshape", {call.input(1), w.ints({-1})});
  const ValueId columns = w.add("Slice", {flat, w.ints({0}), call.extent(call.input(0), 1)});
  call.set_output(0, w.add("Expand", {columns, w.add("Shape", {call.input(0)})}));
}

void one_hot(ConfCall& call) {
  call.expect_inputs(1, 1);
  const DType dtype = call.dtype(call.input(0));
  if (dtype != DType::kS32 && dtype != DType::kS64) fail(Code::kUnsupported, "indices of ", to_string(dtype), " found");
  const int64_t depth = call.integer("depth");
  const std::vector<float> values = {call.number("off_value", 0.f), call.number("on_value", 1.f)};
  GraphWriter& w = call.w();
  const ValueId y = w.add("OneHot", {call.input(0), w.integer(depth), w.constant(Tensor::of<float>({2}, values))},
                          {{"axis", call.integer("axis", -1)}});
  // ONNX counts a negative index from the end; here it is nowhere.
  const ValueId real_index = w.add("GreaterOrEqual", {w.cast(call.input(0), DType::kS64), w.integer(0)});
  const ValueId seen = w.add("Unsqueeze", {real_index, w.ints({call.integer("axis", -1)})});
  call.set_output(0, w.add("Where", {seen, y, w.number(values[0])}));
}

constexpr ConfRow kRows[] = {
    {"Gather", gather},
    {"PaddingSequence", padding_sequence},
    {"PositionIds", position_ids},
    {"TokenTypeIds", token_type_ids},
    {"Onehot", one_hot},
};

}  // namespace

std::span<const ConfRow> conf_text_rows() { return kRows; }

}  // namespace neural_engine
