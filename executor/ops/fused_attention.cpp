#include <algorithm>
#include <cmath>

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
  AttentionDesc desc;
  AttentionArgs args;
  int64_t offsets[3] = {};  // elements, of q, k, v
  bool has_mask = false;
  bool zero_unseen = false;
};

// A row of NaN came either from a softmax of NaN or from v. In the first case the weights count as zeros, and zeros
// times v are zero but where v is not finite; in the second the same columns of v are not finite, and stay NaN.
void zero_unseen_row(const AttentionDesc& desc, const AttentionArgs& args, int64_t b, int64_t h, float* row) {
  const int64_t kv_head = h / (desc.num_heads / desc.num_kv_heads);
  const float* v = static_cast<const float*>(args.v.data) + b * args.v.batch_stride + kv_head * args.v.head_stride;
  for (int64_t d = 0; d < desc.v_head_size; ++d) {
    bool finite = true;
    for (int64_t j = 0; finite && j < args.sk; ++j) finite = std::isfinite(v[j * args.v.row_stride + d]);
    if (finite) row[d] = 0;
  }
}

void zero_unseen(const AttentionDesc& desc, const AttentionArgs& args, Parallel& parallel) {
  parallel.ranges(args.batch * desc.num_heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t b = i / desc.num_heads, h = i % desc.num_heads;
      float* rows = static_cast<float*>(args.out.data) + b * args.out.batch_stride + h * args.out.head_stride;
      for (int64_t s = 0; s < args.sq; ++s) {
        float* row = rows + s * args.out.row_stride;
        // Rows of NaN only, so the first element tells nearly always.
        if (!std::isnan(row[0])) continue;
        const bool all = std::all_of(row, row + desc.v_head_size, [](float x) { return std::isnan(x); });
        if (all) zero_unseen_row(desc, args, b, h, row);
      }
    }
  });
}

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
  if (plan.zero_unseen) zero_unseen(plan.desc, args, context.parallel);
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
  plan.desc = desc;
  plan.zero_unseen = context.attr<int64_t>("zero_unseen") != 0;
  BoundOp bound;
  plan.kernel = choose_kernel(desc, &bound);
  bound.scratch_bytes = static_cast<size_t>(plan.kernel->scratch_bytes(plan.args, context.threads));
  bound.operations = 2.0 * static_cast<double>(plan.args.batch * desc.num_heads * plan.args.sq) *
                     static_cast<double>(plan.args.sk * (size + v_size));
  bound.run = [plan](OpContext& op) { run(plan, op); };
  return bound;
}

}  // namespace neural_engine
