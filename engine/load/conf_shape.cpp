// Operators of a conf.yaml that move data and compute nothing.
#include <algorithm>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "load/conf_call.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

// dst_perm, or two axes that change places. What is added comes in the order of the result.
void reorder(ConfCall& call) {
  call.expect_inputs(1, 2);
  const std::string append = call.text("append_op", "");
  if (append != (call.num_inputs() == 2 ? "sum" : "")) {
    fail(Code::kUnsupported, "append_op \"", append, "\" with ", call.num_inputs(),
         " inputs found, supported: sum with two");
  }
  const DType dtype = call.dtype(call.input(0));
  if (call.dtype_attr("output_dtype", dtype) != dtype) fail(Code::kUnsupported, "another output_dtype found");
  Ints source = call.integers("src_perm"), perm = call.integers("dst_perm");
  const Ints swapped = call.integers("transpose_dims");
  const int64_t rank = call.rank(call.input(0));
  Ints identity(static_cast<size_t>(rank));
  std::iota(identity.begin(), identity.end(), 0);
  if (!source.empty() && source != identity) fail(Code::kUnsupported, "src_perm that is not 0,1,2... found");
  if (!swapped.empty()) {
    if (swapped.size() != 2) fail(Code::kInvalidModel, "transpose_dims has ", swapped.size(), " axes, expected 2");
    for (int64_t axis : swapped) {
      if (axis < -rank || axis >= rank) fail(Code::kInvalidModel, "axis ", axis, " of a rank of ", rank, " found");
    }
    perm = identity;
    std::swap(perm[static_cast<size_t>((swapped[0] + rank) % rank)],
              perm[static_cast<size_t>((swapped[1] + rank) % rank)]);
  }
  ValueId y = perm.empty() ? call.w().add("Identity", {call.input(0)})
                           : call.w().add("Transpose", {call.input(0)}, {{"perm", perm}});
  if (call.num_inputs() == 2) y = call.w().add("Add", {y, call.input(1)});
  call.set_output(0, y);
}

// Dimensions that `mul` lists become one.
ValueId merged(const ConfCall& call, ValueId x, const Ints& mul) {
  const int64_t rank = call.rank(x);
  for (size_t i = 0; i < mul.size(); ++i) {
    if (mul[i] < 0 || mul[i] >= rank || (i > 0 && mul[i] != mul[i - 1] + 1)) {
      fail(Code::kUnsupported, "mul that is no run of axes found");
    }
  }
  std::vector<ValueId> parts;
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (axis == mul.front()) parts.push_back(call.w().ints({-1}));
    if (axis < mul.front() || axis > mul.back()) parts.push_back(call.extent(x, axis));
  }
  return call.w().add("Reshape", {x, call.w().add("Concat", parts, {{"axis", int64_t{0}}})});
}

void reshape(ConfCall& call) {
  call.expect_inputs(1, 2);
  const ValueId x = call.input(0);
  if (call.has("unsqueeze")) {
    return call.set_output(0, call.w().add("Unsqueeze", {x, call.w().ints({call.integer("unsqueeze")})}));
  }
  if (call.has("squeeze")) {
    return call.set_output(0, call.w().add("Squeeze", {x, call.w().ints({call.integer("squeeze")})}));
  }
  const Ints shape = call.integers("dst_shape"), dims = call.integers("dims"), mul = call.integers("mul");
  ValueId y = x;
  if (!shape.empty()) y = call.reshaped(x, shape, call.num_inputs() == 2 ? call.input(1) : x, dims);
  if (mul.size() > 1) y = merged(call, y, mul);
  call.set_output(0, y == x ? call.w().add("Identity", {x}) : y);
}

void unsqueeze(ConfCall& call) {
  call.expect_inputs(1, 1);
  call.set_output(0, call.w().add("Unsqueeze", {call.input(0), call.w().ints({call.integer("axis")})}));
}

void squeeze(ConfCall& call) {
  call.expect_inputs(1, 1);
  call.set_output(0, call.w().add("Squeeze", {call.input(0), call.w().ints({call.integer("axis")})}));
}

void slice(ConfCall& call) {
  call.expect_inputs(1, 1);
  const Ints starts = call.integers("starts"), axes = call.integers("axes");
  Ints ends = call.integers("ends"), steps = call.integers("steps");
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (starts.empty() || ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    fail(Code::kUnsupported, "starts, ends, axes and steps of one length are supported, as attributes");
  }
  if (std::any_of(steps.begin(), steps.end(), [](int64_t step) { return step < 1; })) {
    fail(Code::kInvalidModel, "a step below 1 found");
  }
  // So the format writes "to the end".
  for (int64_t& end : ends) end = end > 99999 ? std::numeric_limits<int64_t>::max() : end;
  GraphWriter& w = call.w();
  call.set_output(0, w.add("Slice", {call.input(0), w.ints(starts), w.ints(ends), w.ints(axes), w.ints(steps)}));
}

void split(ConfCall& call) {
  call.expect_inputs(1, 1);
  const Ints sizes = call.integers("split");
  if (sizes.size() != call.num_outputs()) {
    fail(Code::kInvalidModel, sizes.size(), " sizes and ", call.num_outputs(), " outputs found");
  }
  const std::vector<ValueId> parts = call.w().add_many("Split", {call.input(0), call.w().ints(sizes)},
                                                       {{"axis", call.integer("axis", 0)}}, sizes.size());
  for (size_t i = 0; i < parts.size(); ++i) call.set_output(i, parts[i]);
}

void concat(ConfCall& call) {
  call.expect_inputs(1, 1024);
  std::vector<ValueId> parts;
  for (size_t i = 0; i < call.num_inputs(); ++i) parts.push_back(call.input(i));
  call.set_output(0, call.w().add("Concat", parts, {{"axis", call.integer("axis")}}));
}

void identity(ConfCall& call) {
  call.expect_inputs(1, 1);
  call.set_output(0, call.w().add("Identity", {call.input(0)}));
}

constexpr ConfRow kRows[] = {
    {"Reorder", reorder}, {"Transpose", reorder}, {"Reshape", reshape}, {"Unsqueeze", unsqueeze}, {"Squeeze", squeeze},
    {"Slice", slice},     {"Split", split},       {"Concat", concat},   {"Identity", identity},
};

}  // namespace

std::span<const ConfRow> conf_shape_rows() { return kRows; }

}  // namespace neural_engine
