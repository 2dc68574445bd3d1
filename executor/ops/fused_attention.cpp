#include "executor/ops/attention.h"
#include "executor/ops/kernel_choice.h"
#include "executor/ops/strides.h"

namespace neural_engine {

namespace {

// Strides of an operand without its address.
AttentionMatrix matrix_of(const Shape& shape, bool bshd, int64_t head_size) {
  if (bshd) return {.batch_stride = shape[1] * shape[2], .head_stride = head_size, .row_stride = shape[2]};
  return {.batch_stride = shape[1] * shape[2] * shape[3], .head_stride = shape[2] * shape[3], .row_stride = shape[3]};
}

AttentionMask mask_of(const Shape& shape) {
  // Right-aligned to [B,H,Sq,Sk]; the strides of dimensions of size 1 are 0.
  const std::vector<int64_t> strides = broadcast_strides(shape, Shape(4, 1));
  return {.batch_stride = strides[0], .head_stride = strides[1], .q_stride = strides[2], .k_stride = strides[3]};
}

struct Plan {
  std::shared_ptr<AttentionKernel> kernel;
  AttentionArgs args;
  int64_t offsets[3] = {};  // elements, of q, k, v
  bool has_mask = false;
};

void run(const Plan& plan, OpContext& context) {
  if (context.output(0).elems() == 0) return;
  AttentionArgs args = plan.args;
  AttentionMatrix* const matrices[] = {&args.q, &args.k, &args.v};
  for (int i = 0; i < 3; ++i) {
    matrices[i]->data = const_cast<float*>(context.input(i).data<float>()) + plan.offsets[i];
  }
  args.out.data = context.output(0).raw();
  if (plan.has_mask) args.mask.data = context.input(3).raw();
  args.scratch = context.scratch;
  plan.kernel->run(args, context.parallel);
}

}  // namespace

BoundOp bind_fused_attention(const BindContext& context) {
  const auto bshd = [&](const char* attr) { return context.attr<std::string>(attr) == "BSHD"; };
  const Shape q = context.shape(0), k = context.shape(1), v = context.shape(2);
  const int64_t size = context.attr<int64_t>("head_size"), v_size = context.attr<int64_t>("v_head_size");
  Plan plan;
  plan.has_mask = context.has_input(3);
  plan.args.batch = q[0];
  plan.args.sq = q[bshd("q_layout") ? 1 : 2];
  plan.args.sk = k[bshd("k_layout") ? 1 : 2];
  plan.args.causal_offset = plan.args.sk - plan.args.sq;
  plan.args.q = matrix_of(q, bshd("q_layout"), size);
  plan.args.k = matrix_of(k, bshd("k_layout"), size);
  plan.args.v = matrix_of(v, bshd("v_layout"), v_size);
  plan.args.out = matrix_of(context.output_shape(0), bshd("out_layout"), v_size);
  const char* const offsets[] = {"q_offset", "k_offset", "v_offset"};
  for (int i = 0; i < 3; ++i) plan.offsets[i] = context.attr<int64_t>(offsets[i]);

  AttentionDesc desc{.num_heads = context.attr<int64_t>("num_heads"),
                     .num_kv_heads = context.attr<int64_t>("num_kv_heads"),
                     .head_size = size,
                     .v_head_size = v_size,
                     .scale = context.attr<float>("scale"),
                     .causal = context.attr<int64_t>("causal") != 0,
                     .sq = plan.args.sq,
                     .sk = plan.args.sk,
                     .batch = plan.args.batch};
  if (plan.has_mask) {
    desc.mask = context.dtype(3) == DType::kBool ? AttentionDesc::Mask::kBoolean : AttentionDesc::Mask::kAdditive;
    plan.args.mask = mask_of(context.shape(3));
  }
  BoundOp bound;
  plan.kernel = choose_kernel(desc, &bound);
  bound.scratch_bytes = static_cast<size_t>(plan.kernel->scratch_bytes(plan.args, context.threads));
  bound.run = [plan](OpContext& op) { run(plan, op); };
  return bound;
}

}  // namespace neural_engine
