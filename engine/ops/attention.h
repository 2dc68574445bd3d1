// What passes and the executor share about FusedAttention:
//   inputs   q, k, v, mask? (additive, or bool with true = attend; broadcast to [B,H,Sq,Sk])
//   output   softmax(scale * q k^T + mask) v
// Each of q, k, v is "BHSD" (4-D) or "BSHD": 3-D [B,S,W], where the heads lie side by side from the element
// q_offset (k_offset, v_offset) of the last dimension on, so that one merged QKV matrix can be given thrice.
// With zero_unseen a softmax that is NaN, as where all keys are at -inf, counts as zeros: the guard that exporters of
// torch's scaled_dot_product_attention put around it.
#pragma once

#include "ir/infer.h"

namespace neural_engine {

// Batch and sequence of one operand.
struct AttentionOperand {
  Dim batch, sequence;
};

// Checks operand i (named by `layout` and `offset` attributes) against its number of heads and head size.
AttentionOperand attention_operand(const InferContext& context, int i, int64_t heads, int64_t head_size);

void infer_fused_attention(InferContext& context);

// onnx_attention.cpp
void infer_attention(InferContext& context);
void infer_rotary_embedding(InferContext& context);

}  // namespace neural_engine
