// The attention operators of ONNX Runtime's optimizer: Attention, MultiHeadAttention and QAttention, spelled out. The
// rules of passes/ make FusedAttention of them again.
//
// Their masks are numbers that are added to the scores: `mask_filter_value` (-10000 by default) where a key is hidden.
// Hidden keys of a causal attention are hidden for good.
#include <cmath>
#include <limits>

#include "load/onnx_contrib.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;
constexpr float kLowest = std::numeric_limits<float>::lowest();

ValueId cast_to_s64(Rewrite& r, ValueId x) { return r.add("Cast", {x}, {{"to", int64_t{7}}}); }

// [b,1,1,t] or [b,1,s,t], bool: the keys that count. `mask` holds lengths [b], ends and starts [2b], or flags [b,t] or
// [b,s,t].
ValueId seen_keys(Rewrite& r, ValueId mask, ValueId q, ValueId k) {
  const std::optional<int64_t> rank = r.rank(mask);
  if (!rank) r.unsupported("a mask of unknown rank found, supported are ranks 1 to 3");
  if (*rank == 2 || *rank == 3) {
    const ValueId flags = r.add("Greater", {cast_to_s64(r, mask), r.scalar_int(0)});
    return r.add("Unsqueeze", {flags, *rank == 2 ? r.ints({1, 2}) : r.ints({1})});
  }
  if (*rank != 1) r.unsupported("a mask of rank ", *rank, " found, supported are ranks 1 to 3");
  const Dim count = (*r.facts(mask).shape)[0];
  const Dim batch = r.facts(q).shape ? (*r.facts(q).shape)[0] : Dim();
  const ValueId positions = r.add("Range", {r.scalar_int(0), scalar_dim_of(r, k, 2), r.scalar_int(1)});
  // As a column for each row of the batch; a mask of another form does not fit and is refused when it runs.
  const ValueId columns = r.add("Concat", {dim_of(r, q, 0), r.ints({1, 1, 1})}, {{"axis", int64_t{0}}});
  if (count == batch + batch && !(count == batch)) {
    const std::vector<ValueId> halves =
        r.add_many("Split", {cast_to_s64(r, mask)}, {{"axis", int64_t{0}}, {"num_outputs", int64_t{2}}}, 2);
    const ValueId before_end = r.add("Less", {positions, r.add("Reshape", {halves[0], columns})});
    const ValueId after_start = r.add("GreaterOrEqual", {positions, r.add("Reshape", {halves[1], columns})});
    return r.add("And", {before_end, after_start});
  }
  return r.add("Less", {positions, r.add("Reshape", {cast_to_s64(r, mask), columns})});
}

// Keys or values before the ones of this call.
ValueId after_past(Rewrite& r, ValueId past, ValueId present) {
  return past == kNoValue ? present : r.add("Concat", {past, present}, {{"axis", int64_t{2}}});
}

void attention(Rewrite& r) {
  if (r.take_or<int64_t>("past_present_share_buffer", 0) != 0) r.unsupported("past_present_share_buffer 1 found");
  if (r.has_input(6)) r.unsupported("past_sequence_length found, which belongs to shared buffers");
  ValueId projected = r.add("MatMul", {r.input(0), r.input(1)});
  if (r.has_input(2)) projected = r.add("Add", {projected, r.input(2)});
  finish_packed_attention(r, {.projected = projected,
                              .mask_index = r.input_or_absent(3),
                              .past = r.input_or_absent(4),
                              .bias = r.input_or_absent(5)});
}

void quantized_attention(Rewrite& r) {
  const QuantizedOperand x = {r.input(0), r.input(3), r.input_or_absent(6)};
  const QuantizedOperand weight = {r.input(1), r.input(4), r.input_or_absent(7)};
  const ValueId projected = r.add("Add", {add_quantized_product(r, x, weight), r.input(2)});
  finish_packed_attention(r,
                          {.projected = projected, .mask_index = r.input_or_absent(5), .past = r.input_or_absent(8)});
}

// ---- MultiHeadAttention

struct Operands {
  ValueId q = kNoValue, k = kNoValue, v = kNoValue;  // [b,h,s,d]
};

// The bias of one operand, from element `first` on.
ValueId with_bias(Rewrite& r, ValueId x, ValueId bias, int64_t* first) {
  if (bias == kNoValue) return x;
  const std::optional<int64_t> width = r.dim(x, -1);
  if (!width) r.unsupported("a bias for operands of unknown width found");
  const ValueId part = r.add("Slice", {bias, r.ints({*first}), r.ints({*first + *width}), r.ints({0})});
  *first += *width;
  return r.add("Add", {x, part});
}

Operands split_operands(Rewrite& r, int64_t heads) {
  const ValueId query = r.input(0), bias = r.input_or_absent(3);
  const std::optional<int64_t> q_rank = r.rank(query), k_rank = r.rank(r.input(1));
  if (!q_rank || !k_rank) r.unsupported("operands of unknown rank found");
  if (*q_rank != 3) r.unsupported("queries of rank ", *q_rank, " found, supported is 3");
  int64_t first = 0;
  const ValueId q = add_head_axis(r, with_bias(r, query, bias, &first), heads);
  if (*k_rank == 4) return {q, r.input(1), r.input(2)};  // those of a cross attention, projected once for all
  if (*k_rank != 3) r.unsupported("keys of rank ", *k_rank, " found, supported are 3 and 4");
  const ValueId k = add_head_axis(r, with_bias(r, r.input(1), bias, &first), heads);
  return {q, k, add_head_axis(r, with_bias(r, r.input(2), bias, &first), heads)};
}

void multi_head_attention(Rewrite& r) {
  const int64_t heads = r.take_required<int64_t>("num_heads");
  const float filter = r.take_or<float>("mask_filter_value", -10000.f);
  const bool causal = r.take_or<int64_t>("unidirectional", 0) != 0;
  if (r.has_input(8) || r.has_input(9)) r.unsupported("shared buffers of past keys (inputs 8 and 9) found");
  if (r.wants_output(3)) r.unsupported("output 3 (the scores) is used");
  if (r.has_input(6) != r.has_input(7)) r.invalid("past_key and past_value come together or not at all");
  Operands x = split_operands(r, heads);
  const float scale = take_scale(r, x.q);
  r.check_all_taken();
  x.k = after_past(r, r.input_or_absent(6), x.k);
  x.v = after_past(r, r.input_or_absent(7), x.v);
  std::vector<ValueId> masks;
  if (r.has_input(4)) masks.push_back(additive_mask(r, seen_keys(r, r.input(4), x.q, x.k), filter, x.q));
  if (causal) masks.push_back(additive_mask(r, causal_seen(r, x.q, x.k), kLowest, x.q));
  if (r.has_input(5)) masks.push_back(r.input(5));
  r.finish_output(0, "Identity", {drop_head_axis(r, add_attention(r, x.q, x.k, x.v, masks, scale))});
  r.finish_output(1, "Identity", {x.k});
  r.finish_output(2, "Identity", {x.v});
}

}  // namespace

ValueId dim_of(Rewrite& r, ValueId x, int64_t axis) {
  return r.add("Shape", {x}, {{"start", axis}, {"end", axis + 1}});
}

ValueId scalar_dim_of(Rewrite& r, ValueId x, int64_t axis) {
  return r.add("Squeeze", {dim_of(r, x, axis), r.ints({0})});
}

ValueId add_head_axis(Rewrite& r, ValueId x, int64_t heads) {
  const std::optional<int64_t> width = r.dim(x, 2);
  if (heads < 1 || (width && *width % heads != 0)) {
    r.invalid(heads, " heads do not divide a width of ", width.value_or(0));
  }
  const ValueId apart = r.add("Reshape", {x, r.ints({0, 0, heads, width ? *width / heads : -1})});
  return r.add("Transpose", {apart}, {{"perm", Ints{0, 2, 1, 3}}});
}

ValueId drop_head_axis(Rewrite& r, ValueId x) {
  const std::optional<int64_t> heads = r.dim(x, 1), size = r.dim(x, 3);
  const ValueId rows = r.add("Transpose", {x}, {{"perm", Ints{0, 2, 1, 3}}});
  return r.add("Reshape", {rows, r.ints({0, 0, heads && size ? *heads * *size : -1})});
}

float take_scale(Rewrite& r, ValueId q) {
  const float scale = r.take_or<float>("scale", 0.f);
  if (scale != 0) return scale;
  const std::optional<int64_t> size = r.dim(q, -1);
  if (!size || *size < 1) r.unsupported("the size of a head is not known, which the default of scale needs");
  return 1.f / std::sqrt(static_cast<float>(*size));
}

ValueId additive_mask(Rewrite& r, ValueId seen, float otherwise, ValueId like) {
  return r.add("Where", {seen, r.scalar_like(0.f, like), r.scalar_like(otherwise, like)});
}

ValueId causal_seen(Rewrite& r, ValueId q, ValueId k) {
  const ValueId total = scalar_dim_of(r, k, 2);
  const ValueId first = r.add("Sub", {total, scalar_dim_of(r, q, 2)});
  const ValueId rows = r.add("Range", {first, total, r.scalar_int(1)});
  const ValueId columns = r.add("Range", {r.scalar_int(0), total, r.scalar_int(1)});
  return r.add("LessOrEqual", {columns, r.add("Unsqueeze", {rows, r.ints({1})})});
}

ValueId add_attention(Rewrite& r, ValueId q, ValueId k, ValueId v, const std::vector<ValueId>& masks, float scale) {
  const ValueId transposed = r.add("Transpose", {k}, {{"perm", Ints{0, 1, 3, 2}}});
  ValueId scores = r.add("MatMul", {q, transposed});
  scores = r.add("Mul", {scores, r.scalar_like(scale, scores)});
  for (ValueId mask : masks) scores = r.add("Add", {scores, mask});
  return r.add("MatMul", {r.add("Softmax", {scores}, {{"axis", int64_t{-1}}}), v});
}

void finish_packed_attention(Rewrite& r, const PackedAttention& operands) {
  const int64_t heads = r.take_required<int64_t>("num_heads");
  const bool causal = r.take_or<int64_t>("unidirectional", 0) != 0;
  const float filter = r.take_or<float>("mask_filter_value", -10000.f);
  if (r.take_or<int64_t>("do_rotary", 0) != 0) r.unsupported("do_rotary 1 found");
  if (r.take_or<int64_t>("rotary_embedding_dim", 0) != 0) r.unsupported("rotary_embedding_dim found");
  const std::optional<int64_t> width = r.dim(operands.projected, -1);
  if (!width) r.unsupported("weights of unknown width found");
  const Ints sizes = r.take_or<Ints>("qkv_hidden_sizes", Ints(3, *width / 3));
  if (sizes.size() != 3 || sizes[0] < 1 || sizes[1] != sizes[0] || sizes[2] < 1 ||
      sizes[0] + sizes[1] + sizes[2] != *width) {
    r.invalid("qkv_hidden_sizes do not divide the width ", *width, " of the weights into three");
  }
  const std::vector<ValueId> parts =
      r.add_many("Split", {operands.projected, r.ints(sizes)}, {{"axis", int64_t{2}}}, 3);
  const ValueId q = add_head_axis(r, parts[0], heads);
  ValueId k = add_head_axis(r, parts[1], heads), v = add_head_axis(r, parts[2], heads);
  const float scale = take_scale(r, q);
  r.check_all_taken();
  if (operands.past != kNoValue) {
    const auto past = [&](int64_t i) {
      return r.add("Gather", {operands.past, r.scalar_int(i)}, {{"axis", int64_t{0}}});
    };
    k = after_past(r, past(0), k);
    v = after_past(r, past(1), v);
  }
  std::vector<ValueId> masks;
  if (operands.mask_index != kNoValue) {
    masks.push_back(additive_mask(r, seen_keys(r, operands.mask_index, q, k), filter, q));
  }
  if (causal) masks.push_back(additive_mask(r, causal_seen(r, q, k), kLowest, q));
  if (operands.bias != kNoValue) masks.push_back(operands.bias);
  r.finish_output(0, "Identity", {drop_head_axis(r, add_attention(r, q, k, v, masks, scale))});
  if (r.wants_output(1)) {
    const ValueId axis = r.ints({0});
    r.finish_output(1, "Concat", {r.add("Unsqueeze", {k, axis}), r.add("Unsqueeze", {v, axis})},
                    {{"axis", int64_t{0}}});
  }
}

std::span<const LegacyRule> contrib_attention_rules() {
  static constexpr LegacyRule kRules[] = {
      {"Attention", 1, 1, attention, kMicrosoft},
      {"QAttention", 1, 1, quantized_attention, kMicrosoft},
      {"MultiHeadAttention", 1, 1, multi_head_attention, kMicrosoft},
  };
  return kRules;
}

}  // namespace neural_engine
