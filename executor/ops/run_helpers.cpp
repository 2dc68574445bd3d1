#include "executor/ops/run_helpers.h"

#include <algorithm>
#include <numeric>

#include "executor/ops/strided_copy.h"
#include "ir/infer.h"

namespace neural_engine {

void define_outputs(const Node& node, OpContext& op) {
  bool complete = true;
  for (int i = 0; i < op.num_outputs(); ++i) complete &= !op.wants_output(i) || op.output(i).defined();
  if (complete) return;
  std::vector<Facts> inputs(static_cast<size_t>(op.num_inputs()));
  std::vector<const Facts*> operands(inputs.size(), nullptr);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!op.has_input(static_cast<int>(i))) continue;
    inputs[i] = facts_of(op.input(static_cast<int>(i)));
    operands[i] = &inputs[i];
  }
  const std::vector<Facts> outputs = infer_node(node, operands);
  for (int i = 0; i < op.num_outputs(); ++i) {
    if (!op.wants_output(i) || op.output(i).defined()) continue;
    const Facts& facts = outputs[static_cast<size_t>(i)];
    const std::optional<Shape> shape = facts.shape ? concrete(*facts.shape) : std::nullopt;
    require(shape.has_value(), Code::kInternal, "the shape of output ", i, " does not follow from the inputs");
    op.set_output(i, Tensor(facts.dtype, *shape));
  }
}

void deliver(OpContext& op, int i, Tensor tensor) {
  if (!op.wants_output(i)) return;
  if (!op.output(i).defined()) return op.set_output(i, std::move(tensor));
  require(op.output(i).shape() == tensor.shape(), Code::kInternal, "output ", i, " has shape ",
          to_string(tensor.shape()), ", planned as ", to_string(op.output(i).shape()));
  copy_bytes(tensor.raw(), op.output(i).raw(), tensor.bytes(), op.parallel);
}

std::vector<int64_t> read_ints(const Tensor& tensor) {
  const Indices indices(tensor);
  std::vector<int64_t> result(static_cast<size_t>(tensor.elems()));
  for (size_t i = 0; i < result.size(); ++i) result[i] = indices[static_cast<int64_t>(i)];
  return result;
}

std::vector<int64_t> plain_axes(std::vector<int64_t> axes, bool all, int64_t rank) {
  if (all) {
    axes.resize(static_cast<size_t>(rank));
    std::iota(axes.begin(), axes.end(), 0);
  }
  for (int64_t& axis : axes) axis = axis < 0 ? axis + rank : axis;
  return axes;
}

void fail_index(const Indices& indices, int64_t position, int64_t bound) {
  fail(Code::kInvalidData, "index ", indices[position], " at position ", position, " is outside [",
       indices.lowest(bound), ",", bound, ")");
}

void check_indices(const Indices& indices, int64_t count, int64_t bound) {
  const int64_t lowest = indices.lowest(bound);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t index = indices[i];
    if (index < lowest || index >= bound) fail_index(indices, i, bound);
  }
}

void fill_elements(void* dst, const void* element, int64_t count, size_t bytes, Parallel& parallel) {
  StridedCopy copy(bytes);
  copy.add(count, 0, 1);
  copy.run(element, dst, parallel);
}

void copy_by_tables(const Tensor& src, Tensor& dst, const std::vector<std::vector<int64_t>>& tables,
                    Parallel& parallel) {
  if (dst.elems() == 0) return;
  const size_t rank = tables.size();
  if (rank == 0) return copy_element(dst.raw(), src.raw(), elem_bytes(src));
  const std::vector<int64_t> strides = dense_strides(src.shape());
  const int64_t bytes = static_cast<int64_t>(elem_bytes(src)), row = dst.shape()[rank - 1];
  const std::vector<int64_t>& inner = tables[rank - 1];
  // The longest stretch of a row that is contiguous in the source, too: most of it, but for what a Pad adds.
  int64_t first = 0, last = 0;
  for (int64_t begin = 0, end = 1; begin < row; begin = end++) {
    while (end < row && inner[static_cast<size_t>(end)] == inner[static_cast<size_t>(end - 1)] + 1) ++end;
    if (end - begin > last - first) first = begin, last = end;
  }
  parallel.ranges(dst.elems() / row, std::max<int64_t>(1, 8192 / row), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t offset = 0, rest = r;
      for (size_t i = rank - 1; i-- > 0;) {
        offset += tables[i][static_cast<size_t>(rest % dst.shape()[i])] * strides[i];
        rest /= dst.shape()[i];
      }
      const std::byte* from = static_cast<const std::byte*>(src.raw()) + offset * bytes;
      std::byte* to = static_cast<std::byte*>(dst.raw()) + r * row * bytes;
      const auto copy_one = [&](int64_t j) {
        copy_element(to + j * bytes, from + inner[static_cast<size_t>(j)] * bytes, static_cast<size_t>(bytes));
      };
      for (int64_t j = 0; j < first; ++j) copy_one(j);
      std::memcpy(to + first * bytes, from + inner[static_cast<size_t>(first)] * bytes,
                  static_cast<size_t>((last - first) * bytes));
      for (int64_t j = last; j < row; ++j) copy_one(j);
    }
  });
}

}  // namespace neural_engine
