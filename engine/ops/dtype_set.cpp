#include "ops/dtype_set.h"

#include <string>

#include "base/onnx_dtype.h"

namespace neural_engine {

namespace {

std::string list(DTypeSet set) {
  std::string result;
  for (int i = 0; i < 32; ++i) {
    const DType dtype = static_cast<DType>(i);
    if (contains(set, dtype)) result += std::string(result.empty() ? "" : ", ") + to_string(dtype);
  }
  return result;
}

}  // namespace

void require_in(const InferContext& context, int input, DTypeSet set) {
  if (!context.has_input(input)) return;
  const DType found = context.dtype(input);
  if (found == DType::kUndefined || contains(set, found)) return;
  context.unsupported("input ", input, " has dtype ", to_string(found), ", supported: ", list(set));
}

void require_same_dtype(const InferContext& context, int input, int other) {
  if (!context.has_input(input) || !context.has_input(other)) return;
  const DType a = context.dtype(input), b = context.dtype(other);
  if (a == DType::kUndefined || b == DType::kUndefined || a == b) return;
  context.invalid("input ", other, " has dtype ", to_string(b), ", input ", input, " has ", to_string(a));
}

DType dtype_attr(const InferContext& context, const char* name, DTypeSet set) {
  const int64_t code = context.int_attr(name);
  const DType dtype = dtype_of_onnx(code);
  if (dtype == DType::kUndefined)
    context.unsupported("attribute ", name, " is the element type ", code, ", supported: ", list(set));
  if (!contains(set, dtype))
    context.unsupported("attribute ", name, " is ", to_string(dtype), ", supported: ", list(set));
  return dtype;
}

}  // namespace neural_engine
