#include "compressor/calibrate/padding.h"

#include <algorithm>

#include "base/dtype.h"
#include "base/error.h"
#include "passes/queries.h"

namespace neural_engine {

PaddingMask::PaddingMask(const Graph& graph, const std::string& name) {
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const Value& input = graph.value(graph.inputs()[i]);
    if (input.name != name || !input.facts.shape || input.facts.shape->size() != 2) continue;
    input_ = static_cast<int>(i);
    shape_ = *input.facts.shape;
  }
}

// Where all dimensions are numbers a head may be as large as a sequence is long: then the first axis of that size is
// taken, which is the sequence in every layout but the transposed keys.
TokenAxes PaddingMask::axes_of(const Facts& value) const {
  TokenAxes axes;
  if (!exists() || !value.shape || value.shape->empty()) return axes;
  const SymShape& shape = *value.shape;
  const Dim& batch = shape_[0];
  const Dim& sequence = shape_[1];
  if (shape[0] == batch) {
    axes.batch = 0;
    for (size_t axis = 1; axis < shape.size(); ++axis) {
      if (!(shape[axis] == sequence)) continue;
      if (sequence.known() && !axes.sequence.empty()) break;
      axes.sequence.push_back(static_cast<int>(axis));
    }
  }
  axes.flat = !axes.any() && shape.size() >= 2 && shape[0] == batch * sequence && !shape[0].is(1);
  return axes;
}

void PaddingMask::set(std::span<const Tensor> inputs) {
  if (!exists()) return;
  const Tensor& mask = inputs[static_cast<size_t>(input_)];
  require(mask.rank() == 2, Code::kInvalidArgument, "the mask has shape ", to_string(mask.shape()),
          ", expected rank 2");
  rows_ = mask.dim(0);
  tokens_ = mask.dim(1);
  real_.assign(static_cast<size_t>(mask.elems()), false);
  for (int64_t i = 0; i < mask.elems(); ++i) real_[static_cast<size_t>(i)] = element_of(mask, i).value_or(1) != 0;
}

void PaddingMask::visit(const Tensor& tensor, const TokenAxes& axes,
                        FunctionRef<void(const float*, int64_t)> visit) const {
  const float* x = tensor.data<float>();
  const bool fits =
      axes.any() && (axes.flat ? tensor.dim(0) == rows_ * tokens_ : tensor.dim(0) == rows_) &&
      std::all_of(axes.sequence.begin(), axes.sequence.end(), [&](int axis) { return tensor.dim(axis) == tokens_; });
  if (!fits) return visit(x, tensor.elems());
  const int last = axes.flat ? 0 : axes.sequence.back();
  int64_t outer = 1, inner = 1;
  for (int axis = 0; axis < tensor.rank(); ++axis) (axis <= last ? outer : inner) *= tensor.dim(axis);
  std::vector<int64_t> index(static_cast<size_t>(last) + 1, 0);
  for (int64_t i = 0; i < outer; ++i) {
    const bool real = axes.flat ? is_real(index[0] / tokens_, index[0] % tokens_)
                                : std::all_of(axes.sequence.begin(), axes.sequence.end(), [&](int axis) {
                                    return is_real(index[0], index[static_cast<size_t>(axis)]);
                                  });
    if (real) visit(x + i * inner, inner);
    for (int axis = last; axis >= 0 && ++index[static_cast<size_t>(axis)] == tensor.dim(axis); --axis) {
      index[static_cast<size_t>(axis)] = 0;
    }
  }
}

}  // namespace neural_engine
