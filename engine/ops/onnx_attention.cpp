// ONNX's Attention and RotaryEmbedding.
#include "ops/attention.h"

namespace neural_engine {

namespace {

constexpr std::initializer_list<DType> kFloats = {DType::kF64, DType::kF32, DType::kF16, DType::kBF16};

void check_equal(const InferContext& context, const char* what, const Dim& found, const Dim& expected) {
  if (found.known() && expected.known() && found.value() != expected.value()) {
    context.invalid(what, " is ", found.value(), ", expected ", expected.value());
  }
}

// Unknown where the shape is.
struct Heads {
  Dim batch, heads, sequence, size;
  bool merged = false;  // 3-D, [B,S,H*size]
};

Heads heads_of(const InferContext& context, int i, const char* heads_attr) {
  const SymShape* shape = context.shape(i);
  if (!shape) return {};
  if (shape->size() == 4) return {(*shape)[0], (*shape)[1], (*shape)[2], (*shape)[3]};
  if (shape->size() != 3) context.invalid("input ", i, " has shape ", to_string(*shape), ", expected rank 3 or 4");
  const int64_t heads = context.node().attrs.get_or<int64_t>(heads_attr, 0);
  if (heads < 1) context.invalid(heads_attr, " is ", heads, ", expected at least 1 with operands of rank 3");
  const Dim& width = (*shape)[2];
  if (width.known() && width.value() % heads != 0) {
    context.invalid("input ", i, " has shape ", to_string(*shape), ", which ", heads, " heads do not divide");
  }
  return {(*shape)[0], Dim(heads), (*shape)[1], width / Dim(heads), true};
}

// past [B,H,P,size]; returns P, 0 when absent.
Dim past_length(const InferContext& context, int i, const Heads& present) {
  if (!context.has_input(i)) return 0;
  const SymShape* shape = context.shape(i);
  if (!shape) return {};
  context.require_rank(i, 4);
  check_equal(context, "the batch of a past operand", (*shape)[0], present.batch);
  check_equal(context, "the number of heads of a past operand", (*shape)[1], present.heads);
  check_equal(context, "the head size of a past operand", (*shape)[3], present.size);
  return (*shape)[2];
}

void check_mask(const InferContext& context, const SymShape& scores) {
  if (!context.has_input(3)) return;
  context.require_dtype(3, {DType::kF64, DType::kF32, DType::kF16, DType::kBF16, DType::kBool});
  const SymShape* mask = context.shape(3);
  if (!mask) return;
  bool fits = mask->size() <= 4;
  for (size_t d = 0; fits && d < mask->size(); ++d) {
    const Dim &own = (*mask)[mask->size() - 1 - d], &whole = scores[3 - d];
    fits = !own.known() || own.is(1) || !whole.known() || own.value() == whole.value();
  }
  if (!fits) {
    context.invalid("the mask has shape ", to_string(*mask), ", expected one that spreads over ", to_string(scores));
  }
}

void check_attention_attributes(const InferContext& context) {
  if (const int64_t mode = context.int_attr("qk_matmul_output_mode"); mode < 0 || mode > 3) {
    context.invalid("qk_matmul_output_mode is ", mode, ", expected 0 to 3");
  }
  // Sums are at least as precise as what may be asked for: f32, f16, f64 and bf16 in ONNX's numbers.
  const int64_t precision = context.node().attrs.get_or<int64_t>("softmax_precision", 1);
  if (precision != 1 && precision != 10 && precision != 11 && precision != 16) {
    context.unsupported("softmax_precision is ", precision, ", supported are 1, 10, 11 and 16");
  }
  if (context.has_input(4) != context.has_input(5)) {
    context.invalid("past_key and past_value are given together or not at all");
  }
}

}  // namespace

void infer_attention(InferContext& context) {
  for (int i : {0, 1, 2, 4, 5}) {
    if (context.has_input(i)) context.require_dtype(i, kFloats);
  }
  check_attention_attributes(context);
  const Heads q = heads_of(context, 0, "q_num_heads"), k = heads_of(context, 1, "kv_num_heads");
  const Heads v = heads_of(context, 2, "kv_num_heads");
  if (context.shape(0) && context.shape(1) && context.shape(2) && (q.merged != k.merged || q.merged != v.merged)) {
    context.invalid("q, k and v have different ranks");
  }
  check_equal(context, "the batch of k", k.batch, q.batch);
  check_equal(context, "the batch of v", v.batch, q.batch);
  check_equal(context, "the head size of k", k.size, q.size);
  check_equal(context, "the number of heads of v", v.heads, k.heads);
  check_equal(context, "the sequence of v", v.sequence, k.sequence);
  if (q.heads.known() && k.heads.known() && (k.heads.is(0) || q.heads.value() % k.heads.value() != 0)) {
    context.invalid(k.heads.value(), " key-value heads do not divide ", q.heads.value(), " heads");
  }
  const Dim total = past_length(context, 4, k) + k.sequence;
  check_equal(context, "the length of past_value", past_length(context, 5, v) + v.sequence, total);
  check_mask(context, {q.batch, q.heads, q.sequence, total});

  const DType dtype = context.dtype(0), v_dtype = context.dtype(2);
  if (!context.shape(0)) {
    context.set_unknown(0, dtype);
  } else if (q.merged) {
    context.set(0, dtype, SymShape{q.batch, q.sequence, q.heads * v.size});
  } else {
    context.set(0, dtype, SymShape{q.batch, q.heads, q.sequence, v.size});
  }
  context.set(1, dtype, SymShape{k.batch, k.heads, total, k.size});
  context.set(2, v_dtype, SymShape{v.batch, v.heads, total, v.size});
  context.set(3, dtype, SymShape{q.batch, q.heads, q.sequence, total});
}

void infer_rotary_embedding(InferContext& context) {
  for (int i = 0; i < 3; ++i) {
    context.require_dtype(i, kFloats);
    if (context.dtype(i) != DType::kUndefined && context.dtype(i) != context.dtype(0)) {
      context.invalid("input ", i, " has dtype ", to_string(context.dtype(i)), ", input 0 has ",
                      to_string(context.dtype(0)));
    }
  }
  const bool positions = context.has_input(3);
  if (positions) context.require_dtype(3, {DType::kS64});
  const Heads x = heads_of(context, 0, "num_heads");
  const int64_t part = context.int_attr("rotary_embedding_dim");
  if (part < 0 || part % 2 != 0 || (x.size.known() && (part > x.size.value() || x.size.value() % 2 != 0))) {
    context.invalid("rotary_embedding_dim is ", part, " and the head size ", to_string(x.size),
                    ", expected even numbers, the former at most the latter");
  }
  const Dim half = part > 0 ? Dim(part / 2) : x.size / Dim(2);
  for (int i = 1; i < 3; ++i) {
    const SymShape* cache = context.shape(i);
    if (!cache) continue;
    context.require_rank(i, positions ? 2 : 3);
    check_equal(context, "the width of a cache", cache->back(), half);
    if (positions) continue;
    check_equal(context, "the batch of a cache", (*cache)[0], x.batch);
    check_equal(context, "the sequence of a cache", (*cache)[1], x.sequence);
  }
  if (positions && context.shape(3)) {
    context.require_rank(3, 2);
    check_equal(context, "the batch of position_ids", (*context.shape(3))[0], x.batch);
    check_equal(context, "the sequence of position_ids", (*context.shape(3))[1], x.sequence);
  }
  infer_same_as_first(context);
}

}  // namespace neural_engine
