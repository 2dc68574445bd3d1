#include "ops/attention.h"

namespace neural_engine {

namespace {

const char* const kNames[] = {"q", "k", "v"};

bool is_bshd(const InferContext& context, const std::string& attr) {
  const std::string& layout = context.attr<std::string>(attr);
  if (layout != "BSHD" && layout != "BHSD") {
    context.invalid(attr, " is \"", layout, "\", expected \"BSHD\" or \"BHSD\"");
  }
  return layout == "BSHD";
}

void check_equal(const InferContext& context, const char* what, const Dim& found, const Dim& expected) {
  if (found.known() && expected.known() && found.value() != expected.value()) {
    context.invalid(what, " is ", found.value(), ", expected ", expected.value());
  }
}

int64_t positive(const InferContext& context, const char* attr) {
  const int64_t value = context.int_attr(attr);
  if (value < 1) context.invalid(attr, " is ", value, ", expected at least 1");
  return value;
}

void check_mask(const InferContext& context, const SymShape& scores) {
  if (!context.has_input(3)) return;
  context.require_dtype(3, {DType::kF32, DType::kBool});
  if (!context.shape(3)) return;
  const SymShape& mask = *context.shape(3);
  bool fits = mask.size() <= 4;
  for (size_t d = 0; fits && d < mask.size(); ++d) {
    const Dim &own = mask[mask.size() - 1 - d], &whole = scores[3 - d];
    fits = !own.known() || own.is(1) || !whole.known() || own.value() == whole.value();
  }
  if (!fits)
    context.invalid("the mask has shape ", to_string(mask), ", expected one that spreads over ", to_string(scores));
}

}  // namespace

AttentionOperand attention_operand(const InferContext& context, int i, int64_t heads, int64_t head_size) {
  const std::string name = kNames[i];
  const bool bshd = is_bshd(context, name + "_layout");
  const int64_t offset = context.int_attr(name + "_offset");
  if (offset < 0 || (!bshd && offset != 0)) {
    context.invalid(name, "_offset is ", offset, ", expected ", bshd ? "none below 0" : "0 with layout \"BHSD\"");
  }
  const SymShape* shape = context.shape(i);
  if (!shape) return {};
  context.require_rank(i, bshd ? 3 : 4);
  if (bshd) {
    const Dim& width = shape->back();
    if (width.known() && width.value() - offset < heads * head_size) {
      context.invalid(name, " has shape ", to_string(*shape), ": ", heads, " heads of ", head_size, " from element ",
                      offset, " on do not fit");
    }
    return {(*shape)[0], (*shape)[1]};
  }
  check_equal(context, (name + "'s number of heads").c_str(), (*shape)[1], heads);
  check_equal(context, (name + "'s head size").c_str(), (*shape)[3], head_size);
  return {(*shape)[0], (*shape)[2]};
}

void infer_fused_attention(InferContext& context) {
  for (int i = 0; i < 3; ++i) context.require_dtype(i, {DType::kF32});
  const int64_t heads = positive(context, "num_heads"), kv_heads = positive(context, "num_kv_heads");
  const int64_t size = positive(context, "head_size"), v_size = positive(context, "v_head_size");
  if (heads % kv_heads != 0) context.invalid("num_kv_heads ", kv_heads, " does not divide num_heads ", heads);
  if (size > 256 || v_size > 256) {
    context.unsupported("head sizes are ", size, " and ", v_size, ", up to 256 are supported");
  }
  const AttentionOperand q = attention_operand(context, 0, heads, size);
  const AttentionOperand k = attention_operand(context, 1, kv_heads, size);
  const AttentionOperand v = attention_operand(context, 2, kv_heads, v_size);
  check_equal(context, "the batch of k", k.batch, q.batch);
  check_equal(context, "the batch of v", v.batch, q.batch);
  check_equal(context, "the sequence of v", v.sequence, k.sequence);
  check_mask(context, {q.batch, Dim(heads), q.sequence, k.sequence});
  if (is_bshd(context, "out_layout")) {
    context.set(0, DType::kF32, SymShape{q.batch, q.sequence, Dim(heads * v_size)});
  } else {
    context.set(0, DType::kF32, SymShape{q.batch, Dim(heads), q.sequence, Dim(v_size)});
  }
}

}  // namespace neural_engine
