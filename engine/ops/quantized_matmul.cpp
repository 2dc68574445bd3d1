// Products of integers with what follows them: made by lowering, never found in files.
#include "ops/dtype_set.h"
#include "ops/matmul.h"
#include "ops/post_ops.h"

namespace neural_engine {

namespace {

void require_matrix(const InferContext& context, int a, const std::optional<SymShape>& shape) {
  if (shape && context.shape(a)->size() < 2) {
    context.invalid("input ", a, " has shape ", to_string(*context.shape(a)), ", expected a rank of at least 2");
  }
}

void require_f32(const InferContext& context, int input) {
  if (context.has_input(input)) context.require_dtype(input, {DType::kF32});
}

void infer_dynamic_matmul(InferContext& context) {
  context.require_dtype(1, {DType::kS8});
  for (const int input : {0, 2, 3}) require_f32(context, input);
  context.require_rank(1, 2);
  std::optional<SymShape> shape = matmul_shape(context, 0, 1, false, context.int_attr("trans_b") != 0);
  require_matrix(context, 0, shape);
  check_row(context, 2, "scale", shape);
  check_row(context, 3, "bias", shape);
  const DType dtype = check_post_ops(context, 4, shape, true);
  context.set(0, dtype, std::move(shape));
}

// One element, or one for each column.
void check_parameter(const InferContext& context, int input, const char* what, const std::optional<SymShape>& shape) {
  if (!context.has_input(input) || !context.shape(input)) return;
  for (const Dim& dim : *context.shape(input)) {
    if (!dim.is(1)) return check_row(context, input, what, shape);
  }
}

void require_one(const InferContext& context, int input, const char* what) {
  check_parameter(context, input, what, SymShape{Dim(1)});
}

void infer_quantized_matmul(InferContext& context) {
  for (const int input : {0, 2}) require_in(context, input, dtype_set(DType::kS8, DType::kU8));
  for (const int input : {1, 3, 6}) require_f32(context, input);
  require_same_dtype(context, 0, 4);
  require_same_dtype(context, 2, 5);
  context.require_rank(2, 2);
  std::optional<SymShape> shape = matmul_shape(context, 0, 2, false, context.int_attr("trans_b") != 0);
  require_matrix(context, 0, shape);
  require_one(context, 1, "scale of a");
  require_one(context, 4, "zero point of a");
  check_parameter(context, 3, "scale of b", shape);
  check_parameter(context, 5, "zero point of b", shape);
  check_row(context, 6, "bias", shape);
  const DType dtype = check_post_ops(context, 7, shape, true);
  context.set(0, dtype, std::move(shape));
}

}  // namespace

void append_integer_products(std::vector<OpDef>* ops) {
  const std::vector<AttrDef> attrs = {{"trans_b", 0}, {"alpha", 1.0f}, {"post_ops", std::vector<std::string>{}}};
  ops->push_back(
      {.name = "DynamicQuantizedMatMul", .attrs = attrs, .inputs = {3, kVariadic}, .infer = infer_dynamic_matmul});
  ops->push_back(
      {.name = "QuantizedMatMul", .attrs = attrs, .inputs = {4, kVariadic}, .infer = infer_quantized_matmul});
}

}  // namespace neural_engine
