#include "ops/matmul.h"

#include "ir/infer.h"
#include "ops/all.h"
#include "ops/einsum.h"
#include "ops/post_ops.h"

namespace neural_engine {

namespace {

constexpr auto kMatmulDtypes = {DType::kF64, DType::kF32, DType::kF16, DType::kBF16,
                                DType::kS64, DType::kS32, DType::kU64, DType::kU32};

// The dtype that inputs 0..count-1 share, as far as it is known.
DType common_dtype(InferContext& context, int count, std::initializer_list<DType> supported) {
  DType dtype = DType::kUndefined;
  for (int i = 0; i < count; ++i) {
    if (!context.has_input(i) || context.dtype(i) == DType::kUndefined) continue;
    context.require_dtype(i, supported);
    if (dtype == DType::kUndefined) dtype = context.dtype(i);
    if (dtype != context.dtype(i)) {
      context.invalid("input ", i, " has dtype ", to_string(context.dtype(i)), ", input 0 has ", to_string(dtype));
    }
  }
  return dtype;
}

void infer_matmul(InferContext& context) {
  const DType dtype = common_dtype(context, 2, kMatmulDtypes);
  context.set(0, dtype, matmul_shape(context, 0, 1, false, false));
}

bool is_whole(float value) { return value == static_cast<float>(static_cast<int32_t>(value)); }

void infer_gemm(InferContext& context) {
  const DType dtype = common_dtype(context, 3, kMatmulDtypes);
  const float alpha = context.attr<float>("alpha"), beta = context.attr<float>("beta");
  if (is_integer(dtype) && (!is_whole(alpha) || !is_whole(beta))) {
    context.unsupported("alpha ", alpha, " and beta ", beta, " with dtype ", to_string(dtype),
                        ", whole numbers are supported with integers");
  }
  context.require_rank(0, 2);
  context.require_rank(1, 2);
  std::optional<SymShape> shape =
      matmul_shape(context, 0, 1, context.int_attr("transA") != 0, context.int_attr("transB") != 0);
  if (shape && context.has_input(2) && context.shape(2)) {
    // C spreads over the product, never the other way round.
    const std::optional<SymShape> both = broadcast(context, shape, *context.shape(2));
    bool wider = both->size() != 2;
    for (size_t i = 0; !wider && i < 2; ++i) {
      wider = (*shape)[i].known() && (*both)[i].known() && (*shape)[i].value() != (*both)[i].value();
    }
    if (wider) context.invalid("C has shape ", to_string(*context.shape(2)), ", the product ", to_string(*shape));
  }
  context.set(0, dtype, std::move(shape));
}

void infer_fused_matmul(InferContext& context) {
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (context.has_input(i)) context.require_dtype(i, {DType::kF32, DType::kF16, DType::kBF16});
  }
  const DType dtype = common_dtype(context, context.num_inputs(), kMatmulDtypes);
  std::optional<SymShape> shape =
      matmul_shape(context, 0, 1, context.int_attr("trans_a") != 0, context.int_attr("trans_b") != 0);
  if (shape && (context.shape(0)->size() < 2 || context.shape(1)->size() < 2)) {
    context.invalid("shapes are ", to_string(*context.shape(0)), " and ", to_string(*context.shape(1)),
                    ", expected ranks of at least 2");
  }
  check_row(context, 2, "bias", shape);
  check_post_ops(context, 3, shape, false);
  context.set(0, dtype, std::move(shape));
}

}  // namespace

std::optional<SymShape> matmul_shape(const InferContext& context, int input_a, int input_b, bool trans_a,
                                     bool trans_b) {
  if (!context.shape(input_a) || !context.shape(input_b)) return std::nullopt;
  SymShape a = *context.shape(input_a), b = *context.shape(input_b);
  if (a.empty() || b.empty()) {
    context.invalid("shapes are ", to_string(a), " and ", to_string(b), ", expected ranks of at least 1");
  }
  if ((trans_a && a.size() < 2) || (trans_b && b.size() < 2)) {
    context.invalid("shapes are ", to_string(a), " and ", to_string(b), ", expected rank 2 or more to transpose");
  }
  const bool vector_a = a.size() == 1, vector_b = b.size() == 1;
  if (vector_a) a.insert(a.begin(), Dim(1));
  if (vector_b) b.push_back(Dim(1));
  if (trans_a) std::swap(a[a.size() - 1], a[a.size() - 2]);
  if (trans_b) std::swap(b[b.size() - 1], b[b.size() - 2]);
  const Dim& inner_a = a[a.size() - 1];
  const Dim& inner_b = b[b.size() - 2];
  if (inner_a.known() && inner_b.known() && inner_a.value() != inner_b.value()) {
    context.invalid("shapes ", to_string(*context.shape(input_a)), " and ", to_string(*context.shape(input_b)),
                    " cannot be multiplied: the inner dimensions are ", inner_a.value(), " and ", inner_b.value());
  }
  std::optional<SymShape> result =
      broadcast(context, SymShape(a.begin(), a.end() - 2), SymShape(b.begin(), b.end() - 2));
  if (!vector_a) result->push_back(a[a.size() - 2]);
  if (!vector_b) result->push_back(b[b.size() - 1]);
  return result;
}

std::span<const OpDef> matmul_ops() {
  static const auto* const kOps = [] {
    auto* ops = new std::vector<OpDef>{
        {.name = "MatMul", .inputs = {2, 2}, .infer = infer_matmul, .onnx = {{"MatMul", 1}}},
        {.name = "Gemm",
         .attrs = {{"alpha", 1.0f}, {"beta", 1.0f}, {"transA", 0}, {"transB", 0}},
         .inputs = {2, 3},
         .infer = infer_gemm,
         .onnx = {{"Gemm", 7}}},
        // Ours: post_ops(alpha * op(a) x op(b) + bias), see ops/matmul.h.
        {.name = "FusedMatMul",
         .attrs = {{"trans_a", 0}, {"trans_b", 0}, {"alpha", 1.0f}, {"post_ops", std::vector<std::string>{}}},
         .inputs = {2, kVariadic},
         .infer = infer_fused_matmul},
        {.name = "Einsum",
         .attrs = {required_attr("equation", AttrType::kString)},
         .inputs = {1, kVariadic},
         .infer = infer_einsum,
         .onnx = {{"Einsum", 12}}},
    };
    append_integer_products(ops);
    return ops;
  }();
  return *kOps;
}

}  // namespace neural_engine
