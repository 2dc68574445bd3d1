#include <algorithm>

#include "base/dtype.h"
#include "executor/ops/einsum.h"
#include "executor/ops/kernel_choice.h"
#include "executor/ops/matmul_plan.h"
#include "executor/weight_store.h"
#include "ops/matmul.h"

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

EpilogueOp unary_post_op(std::string_view name) {
  if (name == "gelu_erf") return unary(UnaryOp::kGeluErf);
  if (name == "gelu_tanh") return unary(UnaryOp::kGeluTanh);
  if (name == "relu") return unary(UnaryOp::kRelu);
  if (name == "silu") return unary(UnaryOp::kSilu);
  if (name == "tanh") return unary(UnaryOp::kTanh);
  return unary(UnaryOp::kSigmoid);
}

Spread spread_of_operand(const BindContext& context, int input) {
  const auto spread = operand_spread(context.shape(input), context.output_shape(0));
  if (!spread) {
    fail(Code::kUnsupported, "operand ", input, " has shape ", to_string(context.shape(input)), ", the output ",
         to_string(context.output_shape(0)));
  }
  return *spread == OperandSpread::kScalar ? Spread::kScalar
         : *spread == OperandSpread::kRow  ? Spread::kRow
                                           : Spread::kFull;
}

// Ops of the epilogue and which inputs they read, from `extra` on.
void append_post_ops(const BindContext& context, int extra, MatmulProblem* problem) {
  for (const std::string& name : context.attr<std::vector<std::string>>("post_ops")) {
    if (!find_post_op(name)->binary) {
      problem->epilogue.push_back(unary_post_op(name));
      continue;
    }
    const Spread spread = spread_of_operand(context, extra);
    problem->epilogue.push_back(binary(name == "add" ? BinaryOp::kAdd : BinaryOp::kMul, spread));
    problem->operands.push_back({extra++, spread});
  }
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
  append_post_ops(context, 3, &problem);
  return planned(problem, context);
}

struct IntMatmulPlan {
  std::shared_ptr<IntMatmulKernel> kernel;
  Tensor packed;  // undefined when B is no constant: then it is packed in the scratch memory
  int64_t m = 0, n = 0, ldb = 0;
  std::vector<PlanOperand> operands;
  size_t packed_at = 0, work_at = 0;  // in the scratch memory, which begins with the list of operands
};

void run_int_matmul(const IntMatmulPlan& plan, OpContext& context) {
  if (context.output(0).elems() == 0) return;
  const void* b = plan.packed.raw();
  if (!plan.packed.defined()) {
    plan.kernel->pack(context.input(1).data<int8_t>(), plan.ldb, context.scratch + plan.packed_at, context.parallel);
    b = context.scratch + plan.packed_at;
  }
  auto* operands = reinterpret_cast<EpilogueOperand*>(context.scratch);
  for (size_t i = 0; i < plan.operands.size(); ++i) {
    operands[i] = {.data = context.input(plan.operands[i].input).raw(), .ld = plan.n, .batch_stride = 0};
  }
  const Tensor& a = context.input(0);
  plan.kernel->run({.m = plan.m,
                    .a = a.data<float>(),
                    .lda = a.dim(-1),
                    .b = b,
                    .scale_b = context.input(2).data<float>(),
                    .c = context.output(0).data<float>(),
                    .ldc = plan.n,
                    .operands = {operands, plan.operands.size()},
                    .scratch = context.scratch + plan.work_at},
                   context.parallel);
}

BoundOp bind_dynamic_matmul(const BindContext& context) {
  MatmulProblem problem;
  const float alpha = context.attr<float>("alpha");
  if (alpha != 1.0f) problem.epilogue.push_back(scale(alpha));
  if (context.has_input(3)) {
    problem.epilogue.push_back(bias());
    problem.operands.push_back({3, Spread::kRow});
  }
  append_post_ops(context, 4, &problem);
  const Shape a = context.shape(0), b = context.shape(1);
  const bool transposed = context.attr<int64_t>("trans_b") != 0;
  IntMatmulPlan plan;
  plan.n = b[transposed ? 0 : 1];
  plan.ldb = b[1];
  plan.m = 1;
  for (size_t i = 0; i + 1 < a.size(); ++i) plan.m *= a[i];
  plan.operands = problem.operands;
  BoundOp bound;
  plan.kernel = choose_kernel(
      IntMatmulDesc{.m = plan.m, .n = plan.n, .k = a.back(), .b_transposed = transposed, .epilogue = problem.epilogue},
      &bound);
  const auto pack = [&](const Tensor& weight) {
    SerialParallel serial;
    Tensor packed(DType::kU8, {plan.kernel->packed_bytes()});
    plan.kernel->pack(weight.data<int8_t>(), plan.ldb, packed.raw(), serial);
    return packed;
  };
  plan.packed_at = static_cast<size_t>(
      round_up(static_cast<int64_t>(plan.operands.size() * sizeof(EpilogueOperand)), kScratchAlignment));
  plan.work_at = plan.packed_at;
  if (const Tensor* weight = context.constant(1)) {
    const std::string layout = plan.kernel->packing() + (transposed ? ":t" : "");
    plan.packed = context.weights.get(*weight, layout, [&] { return pack(*weight); });
  } else {
    plan.work_at += static_cast<size_t>(round_up(plan.kernel->packed_bytes(), kScratchAlignment));
  }
  bound.scratch_bytes = plan.work_at + static_cast<size_t>(plan.kernel->scratch_bytes(plan.m));
  bound.run = [plan](OpContext& op) { run_int_matmul(plan, op); };
  return bound;
}

}  // namespace

std::span<const OpBinding> matmul_bindings() {
  static constexpr OpBinding kBindings[] = {{"MatMul", bind_matmul},
                                            {"Gemm", bind_gemm},
                                            {"FusedMatMul", bind_fused_matmul},
                                            {"DynamicQuantizedMatMul", bind_dynamic_matmul},
                                            {"Einsum", bind_einsum}};
  return kBindings;
}

}  // namespace neural_engine
