// What the rewriters of ONNX Runtime's operators share. Everything becomes ONNX's own operators: the rules that fuse
// exported models fuse these too, so that an optimized file and its original end as the same graph.
#pragma once

#include <string>
#include <vector>

#include "load/onnx_legacy.h"

namespace neural_engine {

// The activation that an attribute names, with its numbers; refused (kUnsupported) when it is none of those known.
ValueId add_activation(Rewrite& r, const std::string& name, ValueId x, const std::vector<float>& numbers);

// a x b of quantized matrices, as f32. With constant scales the portable form: DequantizeLinear of both and a product;
// with scales that a run decides a product of integers that is scaled, as quantize_dynamic writes it. Scales and zero
// points (which may be absent) of `b` hold one element, or one per column.
struct QuantizedOperand {
  ValueId value = kNoValue, scale = kNoValue, zero_point = kNoValue;
};
ValueId add_quantized_product(Rewrite& r, const QuantizedOperand& a, const QuantizedOperand& b);
ValueId add_dequantized(Rewrite& r, const QuantizedOperand& x, int64_t axis = 1);

// [b,s,h*d] as [b,h,s,d], and back.
ValueId add_head_axis(Rewrite& r, ValueId x, int64_t heads);
ValueId drop_head_axis(Rewrite& r, ValueId x);

// softmax(scale * q k^T + masks) v over [b,h,s,d]; the masks are added and spread over [b,h,s,t].
ValueId add_attention(Rewrite& r, ValueId q, ValueId k, ValueId v, const std::vector<ValueId>& masks, float scale);
// 1 / sqrt(head size), unless the attribute says otherwise.
float take_scale(Rewrite& r, ValueId q);

// A dimension of x as an s64 vector of one element, or as a scalar.
ValueId dim_of(Rewrite& r, ValueId x, int64_t axis);
ValueId scalar_dim_of(Rewrite& r, ValueId x, int64_t axis);
// 0 where `seen` (bool), else `otherwise`, in the dtype of `like`.
ValueId additive_mask(Rewrite& r, ValueId seen, float otherwise, ValueId like);
// Which of t keys the last s of them see: s64 positions [s,1] and [t] are compared. For q [.., s, d] and k [.., t, d].
ValueId causal_seen(Rewrite& r, ValueId q, ValueId k);

// The body of Attention once q, k and v are projected: masks, the past, and the outputs of the node.
struct PackedAttention {
  ValueId projected = kNoValue;  // [b,s,q+k+v]
  ValueId mask_index = kNoValue, past = kNoValue, bias = kNoValue;
};
void finish_packed_attention(Rewrite& r, const PackedAttention& operands);

// A normalized sum of embeddings; the tables are looked up already.
struct Embedding {
  ValueId sum = kNoValue, gamma = kNoValue, beta = kNoValue, mask = kNoValue, ids = kNoValue;
};
void finish_embedding(Rewrite& r, const Embedding& embedding);
// The rows of a table of positions: given ones, or 0, 1, .. for ids [b,s].
ValueId position_rows(Rewrite& r, ValueId ids, ValueId positions);

}  // namespace neural_engine
