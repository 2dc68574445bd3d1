#include "executor/ops/axis_layout.h"

#include "base/error.h"

namespace neural_engine {

AxisLayout axis_layout(const Shape& shape, int64_t axis) {
  const auto rank = static_cast<int64_t>(shape.size());
  require(axis >= -rank && axis < rank, Code::kInvalidData, "axis ", axis, " found for shape ", to_string(shape));
  if (axis < 0) axis += rank;
  AxisLayout layout;
  for (int64_t i = 0; i < rank; ++i) {
    int64_t& part = i < axis ? layout.outer : i == axis ? layout.size : layout.inner;
    part *= shape[static_cast<size_t>(i)];
  }
  return layout;
}

int64_t scalar_operand(const OpContext& context, int input) {
  const Tensor& tensor = context.input(input);
  require(tensor.elems() == 1, Code::kInvalidData, "input ", input, " has shape ", to_string(tensor.shape()),
          ", expected one element");
  return tensor.dtype() == DType::kS32 ? tensor.data<int32_t>()[0] : tensor.data<int64_t>()[0];
}

Tensor& define_output(OpContext& context, int i, DType dtype, const Shape& shape) {
  if (!context.output(i).defined()) context.set_output(i, Tensor(dtype, shape));
  require(context.output(i).shape() == shape, Code::kInternal, "output ", i, " of shape ", to_string(shape),
          " was planned as ", to_string(context.output(i).shape()));
  return context.output(i);
}

}  // namespace neural_engine
