// A tensor seen as [outer, size, inner], where `size` is one axis.
#pragma once

#include <cstdint>

#include "executor/op_binding.h"

namespace neural_engine {

struct AxisLayout {
  int64_t outer = 1;
  int64_t size = 1;
  int64_t inner = 1;

  // Lanes run along the axis: one per outer and inner index.
  int64_t lanes() const { return outer * inner; }
  int64_t first(int64_t lane) const { return lane / inner * size * inner + lane % inner; }
};

// `axis` may be negative; one outside the rank is refused (kInvalidData: it came at run time).
AxisLayout axis_layout(const Shape& shape, int64_t axis);

// The one element of an s64 or s32 operand.
int64_t scalar_operand(const OpContext& context, int input);

// Output i: the memory that the plan gave, or new memory when only the run knows the shape.
Tensor& define_output(OpContext& context, int i, DType dtype, const Shape& shape);

}  // namespace neural_engine
