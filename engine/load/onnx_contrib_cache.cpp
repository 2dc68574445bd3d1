// The operators of decoders that keep keys and values: GroupQueryAttention and RotaryEmbedding.
//
// GroupQueryAttention's rows may have lengths of their own: row b holds seqlens_k[b] + 1 keys after this call, of which
// the last ones come from this call. The cache is the past one, extended to the longest length, with the new keys put
// where each row ends; what lies behind a row's end is 0 and hidden by the mask.
#include "load/onnx_contrib.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

ValueId cast_to_s64(Rewrite& r, ValueId x) { return r.add("Cast", {x}, {{"to", int64_t{7}}}); }

ValueId joined(Rewrite& r, std::vector<ValueId> parts) {
  return r.add("Concat", std::move(parts), {{"axis", int64_t{0}}});
}

ValueId count_to(Rewrite& r, ValueId end) { return r.add("Range", {r.scalar_int(0), end, r.scalar_int(1)}); }

class GroupQuery {
 public:
  explicit GroupQuery(Rewrite& r)
      : r_(r),
        heads_(r.take_required<int64_t>("num_heads")),
        kv_heads_(r.take_required<int64_t>("kv_num_heads")),
        softcap_(r.take_or<float>("softcap", 0.f)),
        window_(r.take_or<int64_t>("local_window_size", -1)),
        rotary_(r.take_or<int64_t>("do_rotary", 0) != 0),
        interleaved_(r.take_or<int64_t>("rotary_interleaved", 0)) {
    if (heads_ < 1 || kv_heads_ < 1 || heads_ % kv_heads_ != 0) {
      r.invalid(kv_heads_, " key-value heads do not divide ", heads_, " heads");
    }
    if (window_ < 1 && window_ != -1) r.invalid("local_window_size is ", window_, ", expected -1 or at least 1");
    for (const char* name : {"smooth_softmax", "qk_output"}) {
      if (const int64_t found = r.take_or<int64_t>(name, 0); found > 0) r.unsupported(name, " ", found, " found");
    }
    if (r.has_input(11)) r.unsupported("head_sink (input 11) found");
    if (r.wants_output(3)) r.unsupported("output 3 (the scores) is used");
    if (r.has_input(3) != r.has_input(4)) r.invalid("past_key and past_value come together or not at all");
  }

  void finish() {
    split();
    const float scale = take_scale(r_, q_);
    r_.check_all_taken();
    place();
    if (rotary_) rotate();
    const ValueId k = appended(r_.input_or_absent(3), k_), v = appended(r_.input_or_absent(4), v_);
    const std::vector<ValueId> operands = {q_, k, v, mask()};
    const Attrs attrs = {{"scale", scale}, {"softcap", softcap_}};
    r_.finish_output(0, "Identity", {drop_head_axis(r_, r_.add("Attention", operands, attrs))});
    r_.finish_output(1, "Identity", {k});
    r_.finish_output(2, "Identity", {v});
  }

 private:
  void split() {
    const ValueId query = r_.input(0);
    ValueId q = query, k = r_.input_or_absent(1), v = r_.input_or_absent(2);
    if ((k == kNoValue) != (v == kNoValue)) r_.invalid("key and value come together or not at all");
    if (k == kNoValue) {
      const std::optional<int64_t> width = r_.dim(query, 2);
      if (!width || *width % (heads_ + 2 * kv_heads_) != 0) {
        r_.unsupported("packed queries of width ", width.value_or(-1), " for ", heads_, " and ", kv_heads_, " heads");
      }
      const int64_t size = *width / (heads_ + 2 * kv_heads_);
      const std::vector<ValueId> parts = r_.add_many(
          "Split", {query, r_.ints({heads_ * size, kv_heads_ * size, kv_heads_ * size})}, {{"axis", int64_t{2}}}, 3);
      q = parts[0], k = parts[1], v = parts[2];
    }
    q_ = add_head_axis(r_, q, heads_);
    k_ = add_head_axis(r_, k, kv_heads_);
    v_ = add_head_axis(r_, v, kv_heads_);
  }

  // Where each row's new keys go: positions [b,s]; and the length of the cache.
  void place() {
    const ValueId column = joined(r_, {dim_of(r_, q_, 0), r_.ints({1})});
    const ValueId lengths =
        r_.add("Add", {r_.add("Reshape", {cast_to_s64(r_, r_.input(5)), column}), r_.scalar_int(1)});
    const ValueId sequence = scalar_dim_of(r_, q_, 2);
    const ValueId before = r_.add("Max", {r_.add("Sub", {lengths, sequence}), r_.scalar_int(0)});
    positions_ = r_.add("Add", {before, count_to(r_, sequence)});
    total_ = r_.add("Reshape", {cast_to_s64(r_, r_.input(6)), r_.ints({1})});
    if (r_.has_input(3)) total_ = r_.add("Max", {total_, dim_of(r_, r_.input(3), 2)});
  }

  void rotate() {
    const ValueId cos = r_.input(7), sin = r_.input(8);
    Attrs attrs = {{"interleaved", interleaved_}};
    const std::optional<int64_t> half = r_.dim(cos, 1), size = r_.dim(q_, 3);
    if (half && size && *half * 2 != *size) attrs.set("rotary_embedding_dim", *half * 2);
    const ValueId ids = r_.has_input(9) ? cast_to_s64(r_, r_.input(9)) : positions_;
    q_ = r_.add("RotaryEmbedding", {q_, cos, sin, ids}, attrs);
    k_ = r_.add("RotaryEmbedding", {k_, cos, sin, ids}, attrs);
  }

  ValueId appended(ValueId past, ValueId now) {
    const ValueId batch = dim_of(r_, now, 0), size = dim_of(r_, now, 3), heads = r_.ints({kv_heads_});
    const ValueId missing = past == kNoValue ? total_ : r_.add("Sub", {total_, dim_of(r_, past, 2)});
    ValueId cache = r_.add("Expand", {r_.scalar_like(0.f, now), joined(r_, {batch, heads, missing, size})});
    if (past != kNoValue) cache = r_.add("Concat", {past, cache}, {{"axis", int64_t{2}}});
    const ValueId rows = r_.add("Unsqueeze", {positions_, r_.ints({1, 3})});
    const ValueId indices = r_.add("Expand", {rows, joined(r_, {batch, heads, dim_of(r_, now, 2), size})});
    return r_.add("ScatterElements", {cache, indices, now}, {{"axis", int64_t{2}}});
  }

  // [b,1,s,t]
  ValueId mask() {
    const ValueId keys = count_to(r_, r_.add("Squeeze", {total_, r_.ints({0})}));
    const ValueId rows = r_.add("Unsqueeze", {positions_, r_.ints({1, 3})});
    ValueId seen = r_.add("LessOrEqual", {keys, rows});
    if (window_ > 0) {
      const ValueId first = r_.add("Sub", {rows, r_.scalar_int(window_)});
      seen = r_.add("And", {seen, r_.add("Greater", {keys, first})});
    }
    if (!r_.has_input(10)) return seen;
    const float lowest = -3.4e38f;
    return r_.add("Add", {r_.input(10), additive_mask(r_, seen, lowest, q_)});
  }

  Rewrite& r_;
  const int64_t heads_, kv_heads_;
  const float softcap_;
  const int64_t window_;
  const bool rotary_;
  const int64_t interleaved_;
  ValueId q_ = kNoValue, k_ = kNoValue, v_ = kNoValue;
  ValueId positions_ = kNoValue, total_ = kNoValue;
};

void group_query_attention(Rewrite& r) { GroupQuery(r).finish(); }

// The caches come after the positions, of which one may stand for all rows: it is the first one's.
void rotary_embedding(Rewrite& r) {
  const ValueId x = r.input(0), cos = r.input(2), sin = r.input(3);
  if (r.take_or<int64_t>("is_packed_batching", 0) != 0) r.unsupported("is_packed_batching 1 found");
  if (const float scale = r.take_or<float>("scale", 1.f); scale != 1.f) r.unsupported("scale ", scale, " found");
  const std::optional<int64_t> rank = r.rank(x), positions_rank = r.rank(r.input(1));
  if (!rank || !positions_rank) r.unsupported("operands of unknown rank found");
  const int64_t part = r.take_or<int64_t>("rotary_embedding_dim", 0);
  int64_t heads = r.take_or<int64_t>("num_heads", 0);
  if (*rank == 3 && heads == 0) {
    const std::optional<int64_t> width = r.dim(x, 2), half = r.dim(cos, 1);
    if (!width || !half || *half < 1) r.unsupported("num_heads is 0 and does not follow from the operands' shapes");
    heads = *width / (2 * *half);
  }
  ValueId positions = r.input(1);
  if (*positions_rank < 2) {
    const int64_t axis = *rank == 3 ? 1 : 2;
    const ValueId first = r.add("Reshape", {positions, r.ints({1, 1})});
    const ValueId counted = r.add("Add", {first, count_to(r, scalar_dim_of(r, x, axis))});
    positions = r.add("Expand", {counted, joined(r, {dim_of(r, x, 0), dim_of(r, x, axis)})});
  }
  const int64_t interleaved = r.take_or<int64_t>("interleaved", 0);
  r.finish("RotaryEmbedding", {x, cos, sin, positions},
           {{"interleaved", interleaved}, {"num_heads", heads}, {"rotary_embedding_dim", part}});
}

}  // namespace

std::span<const LegacyRule> contrib_cache_rules() {
  static constexpr LegacyRule kRules[] = {
      {"GroupQueryAttention", 1, 1, group_query_attention, kMicrosoft},
      {"RotaryEmbedding", 1, 1, rotary_embedding, kMicrosoft},
  };
  return kRules;
}

}  // namespace neural_engine
