// Products of quantized matrices.
#include "ops/dtype_set.h"
#include "ops/matmul.h"
#include "ops/quantize.h"

namespace neural_engine {

namespace {

constexpr DTypeSet kByteTypes = dtype_set(DType::kS8, DType::kU8);
constexpr DTypeSet kScaleTypes = dtype_set(DType::kF32, DType::kF16, DType::kBF16);

// A scale or zero point: one element, or one per row of a matrix (or column; `from_end` is 2 or 1), as a vector or as
// the matrix's own shape with the other dimension 1.
void check_parameter(const InferContext& context, int input, int matrix, size_t from_end) {
  if (!context.has_input(input)) return;
  const SymShape* shape = context.shape(input);
  const SymShape* of = context.shape(matrix);
  if (shape == nullptr || of == nullptr || product(*shape).is(1)) return;
  bool fits = of->size() >= 2;
  const auto agree = [](const Dim& a, const Dim& b) { return !a.known() || !b.known() || a == b; };
  if (fits && shape->size() == 1) {
    fits = agree(shape->front(), (*of)[of->size() - from_end]);
  } else if (fits) {
    fits = shape->size() == of->size();
    for (size_t i = 0; fits && i < of->size(); ++i) {
      const bool other = i == of->size() - 1 - (from_end == 1);
      fits = agree((*shape)[i], other ? Dim(1) : (*of)[i]);
    }
  }
  if (!fits) {
    context.invalid("input ", input, " has shape ", to_string(*shape), ", expected one element or one per ",
                    from_end == 2 ? "row" : "column", " of ", to_string(*of));
  }
}

void require_single(const InferContext& context, int input) {
  const SymShape* shape = context.shape(input);
  const Dim count = shape ? product(*shape) : Dim(1);
  if (count.known() && !count.is(1)) {
    context.unsupported("input ", input, " has shape ", to_string(*shape), ", supported: one element");
  }
}

void infer_matmul_integer(InferContext& context) {
  for (int i : {0, 1}) require_in(context, i, kByteTypes);
  require_same_dtype(context, 0, 2);
  require_same_dtype(context, 1, 3);
  check_parameter(context, 2, 0, 2);
  check_parameter(context, 3, 1, 1);
  context.set(0, DType::kS32, matmul_shape(context, 0, 1));
}

void infer_qlinear_matmul(InferContext& context) {
  for (int i : {0, 3, 7}) require_in(context, i, kByteTypes);
  for (int i : {1, 4, 6}) require_in(context, i, kScaleTypes);
  require_same_dtype(context, 0, 2);
  require_same_dtype(context, 3, 5);
  for (int i : {1, 2}) check_parameter(context, i, 0, 2);
  for (int i : {4, 5}) check_parameter(context, i, 3, 1);
  for (int i : {6, 7}) require_single(context, i);
  context.set(0, context.dtype(7), matmul_shape(context, 0, 3));
}

}  // namespace

void append_integer_ops(std::vector<OpDef>* ops) {
  ops->push_back(
      {.name = "MatMulInteger", .inputs = {2, 4}, .infer = infer_matmul_integer, .onnx = {{"MatMulInteger", 10}}});
  ops->push_back(
      {.name = "QLinearMatMul", .inputs = {8, 8}, .infer = infer_qlinear_matmul, .onnx = {{"QLinearMatMul", 10}}});
}

}  // namespace neural_engine
