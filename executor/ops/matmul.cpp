#include <algorithm>

#include "base/dtype.h"
#include "executor/ops/einsum.h"
#include "executor/ops/int_matmul.h"
#include "executor/ops/matmul_plan.h"
#include "executor/ops/post_ops.h"

namespace neural_engine {

namespace {

BoundOp planned(const MatmulProblem& problem, const BindContext& context) {
  BoundOp bound;
  const auto plan = std::make_shared<const MatmulPlan>(problem, context, &bound);
  bound.run = [plan](OpContext& op) { plan->run(op); };
  return bound;
}

// numpy's vectors: [K] is one row on the left, one column on the right.
BoundOp bind_matmul(const BindContext& context) {
  MatmulProblem problem{.dtype = context.dtype(0), .a = context.shape(0), .b = context.shape(1)};
  if (problem.a.size() == 1) problem.a.insert(problem.a.begin(), 1);
  if (problem.b.size() == 1) problem.b.push_back(1);
  return planned(problem, context);
}

Spread spread_over(const Shape& c, int64_t m, int64_t n) {
  const int64_t rows = c.size() < 2 ? 1 : c[0], columns = c.empty() ? 1 : c.back();
  if (rows == 1) return columns == n ? Spread::kRow : Spread::kScalar;
  return columns == n ? Spread::kFull : m == rows ? Spread::kColumn : Spread::kFull;
}

// C of an f64 or integer Gemm, which the plan's loops do not add.
template <class T>
void add_c(OpContext& context, float beta, Spread spread) {
  const T* c = context.input(2).data<T>();
  Tensor& out = context.output(0);
  const T factor = std::is_floating_point_v<T> ? static_cast<T>(beta) : static_cast<T>(static_cast<int64_t>(beta));
  const int64_t n = out.dim(1);
  const int64_t row = spread == Spread::kColumn ? 1 : spread == Spread::kFull ? n : 0;
  const int64_t column = spread == Spread::kRow || spread == Spread::kFull ? 1 : 0;
  T* to = out.data<T>();
  for (int64_t i = 0; i < out.elems(); ++i) to[i] += factor * c[i / n * row + i % n * column];
}

BoundOp bind_gemm(const BindContext& context) {
  MatmulProblem problem{.dtype = context.dtype(0),
                        .a = context.shape(0),
                        .b = context.shape(1),
                        .trans_a = context.attr<int64_t>("transA") != 0,
                        .trans_b = context.attr<int64_t>("transB") != 0,
                        .alpha = context.attr<float>("alpha")};
  const float beta = context.attr<float>("beta");
  if (!context.has_input(2) || beta == 0.0f) return planned(problem, context);
  const Shape out = context.output_shape(0);
  const Spread spread = spread_over(context.shape(2), out[0], out[1]);
  if (problem.dtype == DType::kF32 || problem.dtype == DType::kF16 || problem.dtype == DType::kBF16) {
    problem.epilogue = {binary(BinaryOp::kAdd, spread)};
    problem.operands = {{2, spread, beta}};
    return planned(problem, context);
  }
  BoundOp bound = planned(problem, context);
  bound.run = [product = bound.run, beta, spread](OpContext& op) {
    product(op);
    switch (op.output(0).dtype()) {
      case DType::kF64: return add_c<double>(op, beta, spread);
      case DType::kS64:
      case DType::kU64: return add_c<uint64_t>(op, beta, spread);
      default: return add_c<uint32_t>(op, beta, spread);
    }
  };
  return bound;
}

BoundOp bind_fused_matmul(const BindContext& context) {
  MatmulProblem problem{.dtype = context.dtype(0),
                        .a = context.shape(0),
                        .b = context.shape(1),
                        .trans_a = context.attr<int64_t>("trans_a") != 0,
                        .trans_b = context.attr<int64_t>("trans_b") != 0,
                        .alpha = context.attr<float>("alpha")};
  if (context.has_input(2)) {
    problem.epilogue.push_back(bias());
    problem.operands.push_back({2, Spread::kRow});
  }
  append_post_ops(context, 3, &problem.epilogue, &problem.operands);
  return planned(problem, context);
}

}  // namespace

std::span<const OpBinding> matmul_bindings() {
  static constexpr OpBinding kBindings[] = {{"MatMul", bind_matmul},
                                            {"Gemm", bind_gemm},
                                            {"FusedMatMul", bind_fused_matmul},
                                            {"DynamicQuantizedMatMul", bind_dynamic_matmul},
                                            {"QuantizedMatMul", bind_quantized_matmul},
                                            {"Einsum", bind_einsum}};
  return kBindings;
}

}  // namespace neural_engine
