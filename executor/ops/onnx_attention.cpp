// ONNX's Attention. f32, f16 and bf16 without softcap and without the scores as an output run the kernel table's rows
// (halves staged through f32); the rest runs loops in double, on operands staged as f32 or f64.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/dtype.h"
#include "executor/ops/attention.h"
#include "executor/ops/kernel_choice.h"
#include "executor/ops/strides.h"

namespace neural_engine {

namespace {

// Elements of one operand: sizes and strides.
struct View {
  int64_t batch = 0, heads = 0, rows = 0, size = 0;
  int64_t batch_stride = 0, head_stride = 0, row_stride = 0;
  int64_t offset_of(int64_t b, int64_t h, int64_t row) const {
    return b * batch_stride + h * head_stride + row * row_stride;
  }
};

View separate_heads(const Shape& s) { return {s[0], s[1], s[2], s[3], s[1] * s[2] * s[3], s[2] * s[3], s[3]}; }

View view_of(const Shape& shape, int64_t heads) {
  if (shape.size() == 4) return separate_heads(shape);
  const int64_t size = shape[2] / heads;
  return {shape[0], heads, shape[1], size, shape[1] * shape[2], size, shape[2]};
}

struct Scratch {
  size_t offset = 0;
  bool used = false;
};

class AttentionPlan {
 public:
  AttentionPlan(const BindContext& context, BoundOp* bound);
  void run(OpContext& context) const;

 private:
  void bind_kernel(const BindContext& context, BoundOp* bound);
  void reserve(Scratch* scratch, int64_t bytes);
  bool keys_are_present(int i) const { return has_past_ || wants_present_[i]; }
  const std::byte* present(OpContext& context, int i) const;
  void append(const Tensor& from, const View& source, int64_t first_row, const View& target, std::byte* to,
              Parallel& parallel) const;
  template <class W>
  const W* staged(const std::byte* data, DType dtype, int64_t elems, const Scratch& scratch, OpContext& context) const;
  template <class W>
  void run_staged(OpContext& context) const;
  template <class W>
  void run_loops(const W* q, const W* k, const W* v, const W* mask, W* out, W* scores, OpContext& context) const;
  void run_kernel(const float* q, const float* k, const float* v, const float* mask, float* out,
                  OpContext& context) const;
  template <class W>
  bool is_hidden(const W* bias, int64_t i) const;
  template <class W>
  const W* mask_row(const W* mask, int64_t b, int64_t h, int64_t i) const {
    return mask ? mask + b * mask_strides_[0] + h * mask_strides_[1] + i * mask_strides_[2] : nullptr;
  }
  AttentionMatrix matrix(const View& view, const float* data) const {
    return {const_cast<float*>(data), view.batch_stride, view.head_stride, view.row_stride};
  }

  View q_, k_, v_, out_;  // k and v as the scores read them: past included
  View new_[2];           // k and v as given
  View past_[2];
  int64_t past_rows_ = 0;
  bool has_past_ = false, has_mask_ = false, boolean_ = false, causal_ = false, wide_ = false;
  bool wants_present_[2] = {};
  double scale_ = 1, softcap_ = 0;
  int64_t mode_ = -1;  // of the scores that output 3 wants, -1: none
  DType dtypes_[3] = {};
  Shape mask_shape_;
  std::vector<int64_t> mask_strides_ = std::vector<int64_t>(4, 0);
  std::shared_ptr<AttentionKernel> kernel_;
  Scratch present_[2], q_staged_, kv_staged_[2], mask_staged_, out_staged_, scores_staged_, work_;
  int64_t work_bytes_ = 0;  // a worker's, for the loops
  size_t scratch_bytes_ = 0;
};

int64_t elems_of(const View& view) { return view.batch * view.heads * view.rows * view.size; }

AttentionPlan::AttentionPlan(const BindContext& context, BoundOp* bound) {
  const Attrs& attrs = context.node().attrs;
  q_ = view_of(context.shape(0), attrs.get_or<int64_t>("q_num_heads", 0));
  for (int i = 0; i < 2; ++i) {
    new_[i] = view_of(context.shape(1 + i), attrs.get_or<int64_t>("kv_num_heads", 0));
    wants_present_[i] = context.wants_output(1 + i);
    if (context.has_input(4)) past_[i] = separate_heads(context.shape(4 + i));
  }
  for (int i = 0; i < 3; ++i) dtypes_[i] = context.dtype(i);
  has_past_ = context.has_input(4);
  past_rows_ = has_past_ ? past_[0].rows : 0;
  for (int i = 0; i < 2; ++i) {
    View& view = i == 0 ? k_ : v_;
    view = keys_are_present(i) ? separate_heads({new_[i].batch, new_[i].heads, past_rows_ + new_[i].rows, new_[i].size})
                               : new_[i];
  }
  out_ = view_of(context.output_shape(0), q_.heads);
  scale_ = attrs.get_or<float>("scale", static_cast<float>(1.0 / std::sqrt(static_cast<double>(q_.size))));
  softcap_ = attrs.get<float>("softcap");
  causal_ = attrs.get<int64_t>("is_causal") != 0;
  if (context.wants_output(3)) mode_ = attrs.get<int64_t>("qk_matmul_output_mode");
  has_mask_ = context.has_input(3);
  if (has_mask_) {
    boolean_ = context.dtype(3) == DType::kBool;
    mask_shape_ = context.shape(3);
    mask_strides_ = broadcast_strides(mask_shape_, Shape(4, 1));
  }
  wide_ = std::count(dtypes_, dtypes_ + 3, DType::kF64) > 0 || (has_mask_ && context.dtype(3) == DType::kF64) ||
          attrs.get_or<int64_t>("softmax_precision", 1) == 11;
  const bool plain = !wide_ && softcap_ <= 0 && mode_ < 0 && q_.size <= 256 && v_.size <= 256 && q_.size > 0 &&
                     v_.size > 0 && elems_of(out_) > 0 && k_.rows > 0;

  const int64_t width = wide_ ? 8 : 4;
  const DType staged_as = wide_ ? DType::kF64 : DType::kF32;
  for (int i = 0; i < 2; ++i) {
    const View& view = i == 0 ? k_ : v_;
    if (has_past_ && !wants_present_[i]) reserve(&present_[i], elems_of(view) * bits_of(dtypes_[1 + i]) / 8);
    if (dtypes_[1 + i] != staged_as) reserve(&kv_staged_[i], elems_of(view) * width);
  }
  if (dtypes_[0] != staged_as) {
    reserve(&q_staged_, elems_of(q_) * width);
    reserve(&out_staged_, elems_of(out_) * width);
    if (mode_ >= 0) reserve(&scores_staged_, q_.batch * q_.heads * q_.rows * k_.rows * width);
  }
  // A boolean mask becomes 0 and -inf, so that one rule finds the queries that see nothing.
  if (has_mask_ && context.dtype(3) != staged_as) {
    reserve(&mask_staged_, elems_between(mask_shape_, 0, mask_shape_.size()) * width);
  }
  if (plain) {
    bind_kernel(context, bound);
  } else {
    work_bytes_ = round_up(k_.rows * int64_t{sizeof(double)}, kScratchAlignment);
    reserve(&work_, work_bytes_ * context.threads);
  }
  bound->scratch_bytes = scratch_bytes_;
}

void AttentionPlan::reserve(Scratch* scratch, int64_t bytes) {
  *scratch = {scratch_bytes_, true};
  scratch_bytes_ += static_cast<size_t>(round_up(bytes, kScratchAlignment));
}

void AttentionPlan::bind_kernel(const BindContext& context, BoundOp* bound) {
  kernel_ = choose_kernel(AttentionDesc{.num_heads = q_.heads,
                                        .num_kv_heads = k_.heads,
                                        .head_size = q_.size,
                                        .v_head_size = v_.size,
                                        .scale = static_cast<float>(scale_),
                                        .mask = has_mask_ ? AttentionDesc::Mask::kAdditive : AttentionDesc::Mask::kNone,
                                        .causal = causal_,
                                        .sq = q_.rows,
                                        .sk = k_.rows,
                                        .batch = q_.batch},
                          bound);
  AttentionArgs shape;
  shape.batch = q_.batch;
  shape.sq = q_.rows;
  shape.sk = k_.rows;
  reserve(&work_, kernel_->scratch_bytes(shape, context.threads));
}

// Rows of `from` to the rows of the target from first_row on.
void AttentionPlan::append(const Tensor& from, const View& source, int64_t first_row, const View& target, std::byte* to,
                           Parallel& parallel) const {
  const std::byte* data = static_cast<const std::byte*>(from.raw());
  const int64_t width = bits_of(from.dtype()) / 8;
  parallel.ranges(source.batch * source.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t b = index / source.heads, h = index % source.heads;
      for (int64_t row = 0; row < source.rows; ++row) {
        std::memcpy(to + target.offset_of(b, h, first_row + row) * width, data + source.offset_of(b, h, row) * width,
                    static_cast<size_t>(source.size * width));
      }
    }
  });
}

// The keys (0) or values (1) that the scores read.
const std::byte* AttentionPlan::present(OpContext& context, int i) const {
  if (!keys_are_present(i)) return static_cast<const std::byte*>(context.input(1 + i).raw());
  std::byte* to =
      wants_present_[i] ? static_cast<std::byte*>(context.output(1 + i).raw()) : context.scratch + present_[i].offset;
  const View& target = i == 0 ? k_ : v_;
  if (has_past_) append(context.input(4 + i), past_[i], 0, target, to, context.parallel);
  append(context.input(1 + i), new_[i], past_rows_, target, to, context.parallel);
  return to;
}

template <class W>
const W* AttentionPlan::staged(const std::byte* data, DType dtype, int64_t elems, const Scratch& scratch,
                               OpContext& context) const {
  if (!scratch.used) return reinterpret_cast<const W*>(data);
  W* to = reinterpret_cast<W*>(context.scratch + scratch.offset);
  dispatch_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* from = reinterpret_cast<const T*>(data);
    for (int64_t i = 0; i < elems; ++i) {
      if constexpr (std::is_same_v<T, bool>) {
        to[i] = from[i] ? W(0) : -std::numeric_limits<W>::infinity();
      } else {
        to[i] = static_cast<W>(from[i]);
      }
    }
  });
  return to;
}

template <class W>
void round_to(const W* from, Tensor* to) {
  dispatch_floating(to->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = to->data<T>();
    for (int64_t i = 0; i < to->elems(); ++i) {
      out[i] = T(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(from[i]));
    }
  });
}

void AttentionPlan::run(OpContext& context) const {
  if (wide_) {
    run_staged<double>(context);
  } else {
    run_staged<float>(context);
  }
}

template <class W>
void AttentionPlan::run_staged(OpContext& context) const {
  const auto bytes = [](const Tensor& tensor) { return static_cast<const std::byte*>(tensor.raw()); };
  const W* q = staged<W>(bytes(context.input(0)), dtypes_[0], elems_of(q_), q_staged_, context);
  const W* k = staged<W>(present(context, 0), dtypes_[1], elems_of(k_), kv_staged_[0], context);
  const W* v = staged<W>(present(context, 1), dtypes_[2], elems_of(v_), kv_staged_[1], context);
  const W* mask = nullptr;
  if (has_mask_) {
    const Tensor& given = context.input(3);
    mask = staged<W>(bytes(given), given.dtype(), given.elems(), mask_staged_, context);
  }
  const auto target = [&](int i, const Scratch& scratch) {
    return scratch.used ? reinterpret_cast<W*>(context.scratch + scratch.offset)
                        : static_cast<W*>(context.output(i).raw());
  };
  W* out = target(0, out_staged_);
  W* scores = mode_ >= 0 ? target(3, scores_staged_) : nullptr;
  if constexpr (std::is_same_v<W, float>) {
    if (kernel_) run_kernel(q, k, v, mask, out, context);
  }
  if (!kernel_) run_loops<W>(q, k, v, mask, out, scores, context);
  if (out_staged_.used) round_to(out, &context.output(0));
  if (scores_staged_.used) round_to(scores, &context.output(3));
}

// No key is left for query i, whose row of the mask this is.
template <class W>
bool AttentionPlan::is_hidden(const W* bias, int64_t i) const {
  if (!bias) return false;
  const int64_t seen = causal_ ? std::min(k_.rows, i + past_rows_ + 1) : k_.rows;
  for (int64_t j = 0; j < seen; ++j) {
    if (bias[j * mask_strides_[3]] != -std::numeric_limits<W>::infinity()) return false;
  }
  return true;
}

void AttentionPlan::run_kernel(const float* q, const float* k, const float* v, const float* mask, float* out,
                               OpContext& context) const {
  AttentionArgs args;
  args.batch = q_.batch;
  args.sq = q_.rows;
  args.sk = k_.rows;
  args.q = matrix(q_, q);
  args.k = matrix(k_, k);
  args.v = matrix(v_, v);
  args.out = matrix(out_, out);
  args.mask = {mask, mask_strides_[0], mask_strides_[1], mask_strides_[2], mask_strides_[3]};
  args.causal_offset = past_rows_;
  args.scratch = context.scratch + work_.offset;
  kernel_->run(args, context.parallel);
  if (!mask) return;
  // ONNX gives zeros to a query that sees no key, the kernels NaN.
  context.parallel.ranges(q_.batch * q_.heads * q_.rows, 64, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t b = index / (q_.heads * q_.rows), h = index / q_.rows % q_.heads, i = index % q_.rows;
      if (is_hidden(mask_row(mask, b, h, i), i)) std::fill_n(out + out_.offset_of(b, h, i), out_.size, 0.0f);
    }
  });
}

template <class W>
void AttentionPlan::run_loops(const W* q, const W* k, const W* v, const W* mask, W* out, W* all_scores,
                              OpContext& context) const {
  const int64_t keys = k_.rows;
  context.parallel.run(q_.batch * q_.heads * q_.rows, [&](int64_t index, int worker) {
    const int64_t b = index / (q_.heads * q_.rows), h = index / q_.rows % q_.heads, i = index % q_.rows;
    const int64_t kv_head = h / (q_.heads / k_.heads);
    double* scores = reinterpret_cast<double*>(context.scratch + work_.offset + worker * work_bytes_);
    const W* bias = mask_row(mask, b, h, i);
    const auto save = [&](int64_t mode) {
      if (mode == mode_) std::copy_n(scores, keys, all_scores + index * keys);
    };
    for (int64_t j = 0; j < keys; ++j) {
      double dot = 0;
      const W *x = q + q_.offset_of(b, h, i), *y = k + k_.offset_of(b, kv_head, j);
      for (int64_t d = 0; d < q_.size; ++d) dot += static_cast<double>(x[d]) * static_cast<double>(y[d]);
      scores[j] = dot * scale_;
    }
    save(0);
    for (int64_t j = 0; j < keys && softcap_ > 0; ++j) scores[j] = softcap_ * std::tanh(scores[j] / softcap_);
    save(1);
    double max = -HUGE_VAL, sum = 0;
    for (int64_t j = 0; j < keys; ++j) {
      if (bias) scores[j] += static_cast<double>(bias[j * mask_strides_[3]]);
      if (causal_ && j > i + past_rows_) scores[j] = -HUGE_VAL;
      max = std::max(max, scores[j]);
    }
    save(2);
    const bool hidden = is_hidden(bias, i);
    for (int64_t j = 0; j < keys; ++j) sum += scores[j] = hidden ? 0.0 : std::exp(scores[j] - max);
    for (int64_t j = 0; j < keys && !hidden; ++j) scores[j] /= sum;
    save(3);
    W* to = out + out_.offset_of(b, h, i);
    for (int64_t d = 0; d < v_.size; ++d) {
      double value = 0;
      for (int64_t j = 0; j < keys; ++j) value += scores[j] * static_cast<double>(v[v_.offset_of(b, kv_head, j) + d]);
      to[d] = static_cast<W>(value);
    }
  });
}

}  // namespace

BoundOp bind_attention(const BindContext& context) {
  BoundOp bound;
  const auto plan = std::make_shared<const AttentionPlan>(context, &bound);
  bound.run = [plan](OpContext& op) { plan->run(op); };
  return bound;
}

}  // namespace neural_engine
