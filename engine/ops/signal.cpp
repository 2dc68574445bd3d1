#include <algorithm>

#include "base/onnx_dtype.h"
#include "ir/infer.h"
#include "ops/all.h"
#include "ops/loss.h"

namespace neural_engine {

namespace {

constexpr std::initializer_list<DType> kFloats = {DType::kF64, DType::kF32, DType::kF16, DType::kBF16};

// The value of a scalar integer operand; unknown when it is not (yet) known.
Dim scalar(const InferContext& context, int i) {
  context.require_dtype(i, {DType::kS64, DType::kS32});
  const std::vector<Dim>* ints = context.ints(i);
  if (ints == nullptr) return {};
  if (ints->size() != 1) context.invalid("input ", i, " has ", ints->size(), " elements, expected 1");
  return (*ints)[0];
}

void check_positive(const InferContext& context, const char* what, const Dim& value) {
  if (value.known() && value.value() < 1) context.invalid(what, " is ", value.value(), ", expected at least 1");
}

Dim unique_bins(const Dim& length) { return length / Dim(2) + Dim(1); }

// Real or complex signals: the last dimension is 1 or 2.
void check_parts(const InferContext& context, int i) {
  const SymShape* shape = context.shape(i);
  if (!shape) return;
  if (shape->size() < 2 || (shape->back().known() && !shape->back().is(1) && !shape->back().is(2))) {
    context.invalid("input ", i, " has shape ", to_string(*shape),
                    ", expected [...,n,1] (real) or [...,n,2] (complex)");
  }
}

void infer_dft(InferContext& context) {
  context.require_dtype(0, kFloats);
  check_parts(context, 0);
  const Dim axis = context.has_input(2) ? scalar(context, 2) : Dim(-2);
  const Dim given = context.has_input(1) ? scalar(context, 1) : Dim();
  check_positive(context, "dft_length", given);
  const SymShape* shape = context.shape(0);
  const bool inverse = context.int_attr("inverse") != 0, onesided = context.int_attr("onesided") != 0;
  if (onesided && shape && shape->back().is(inverse ? 1 : 2)) {
    context.invalid("onesided with ", inverse ? "the inverse of a real" : "a complex", " input");
  }
  if (!shape) return context.set_unknown(0, context.dtype(0));
  SymShape out = *shape;
  // The inverse of one side is real.
  out.back() = inverse && onesided ? 1 : 2;
  if (!axis.known()) {
    std::fill(out.begin(), out.end() - 1, Dim());
    return context.set(0, context.dtype(0), std::move(out));
  }
  const int64_t rank = static_cast<int64_t>(out.size());
  const int64_t at = context.normalize_axis(axis.value(), rank);
  if (at == rank - 1) context.invalid("axis ", axis.value(), " is that of the real and imaginary parts");
  Dim& size = out[static_cast<size_t>(at)];
  if (context.has_input(1)) {
    size = given;
  } else if (inverse && onesided) {
    size = (size - Dim(1)) * Dim(2);
  }
  if (onesided && !inverse) size = unique_bins(size);
  context.set(0, context.dtype(0), std::move(out));
}

void infer_stft(InferContext& context) {
  context.require_dtype(0, kFloats);
  context.require_rank(0, 3);
  check_parts(context, 0);
  if (context.has_input(2)) {
    context.require_dtype(2, kFloats);
    context.require_rank(2, 1);
    if (context.dtype(2) != DType::kUndefined && context.dtype(2) != context.dtype(0)) {
      context.invalid("the window has dtype ", to_string(context.dtype(2)), ", the signal ",
                      to_string(context.dtype(0)));
    }
  }
  const SymShape* shape = context.shape(0);
  const Dim step = scalar(context, 1);
  check_positive(context, "frame_step", step);
  const bool has_window = context.has_input(2), has_length = context.has_input(3);
  const Dim window = has_window && context.shape(2) ? (*context.shape(2))[0] : Dim();
  const Dim length = has_length ? scalar(context, 3) : has_window ? window : shape ? (*shape)[1] : Dim();
  check_positive(context, "frame_length", length);
  if (window.known() && length.known() && window.value() != length.value()) {
    context.invalid("the window has ", window.value(), " elements, the frames ", length.value());
  }
  const bool onesided = context.int_attr("onesided") != 0;
  if (onesided && shape && shape->back().is(2)) context.invalid("onesided is 1 with a complex signal");
  if (shape && (*shape)[1].known() && length.known() && (*shape)[1].value() < length.value()) {
    context.invalid("frames of ", length.value(), " do not fit into a signal of ", (*shape)[1].value());
  }
  const Dim frames = shape ? ((*shape)[1] - length) / step + Dim(1) : Dim();
  const Dim batch = shape ? (*shape)[0] : Dim();
  context.set(0, context.dtype(0), SymShape{batch, frames, onesided ? unique_bins(length) : length, Dim(2)});
}

DType output_dtype(const InferContext& context) {
  const int64_t code = context.int_attr("output_datatype");
  const DType dtype = dtype_of_onnx(code);
  if ((!is_floating(dtype) && !is_integer(dtype)) || bits_of(dtype) < 8 ||
      (is_floating(dtype) && bits_of(dtype) < 16)) {
    context.unsupported("output_datatype is ", code, " (", to_string(dtype),
                        "), supported are integers of 8 bits or more, f16, bf16, f32 and f64");
  }
  return dtype;
}

void infer_window(InferContext& context) {
  const Dim size = scalar(context, 0);
  if (size.known() && size.value() < 0) context.invalid("size is ", size.value(), ", expected at least 0");
  context.set(0, output_dtype(context), SymShape{size});
}

void infer_mel_weights(InferContext& context) {
  const Dim bands = scalar(context, 0), length = scalar(context, 1);
  check_positive(context, "num_mel_bins", bands);
  check_positive(context, "dft_length", length);
  check_positive(context, "sample_rate", scalar(context, 2));
  context.require_dtype(3, kFloats);
  context.require_dtype(4, kFloats);
  context.set(0, output_dtype(context), SymShape{unique_bins(length), bands});
}

OpDef window_op(const char* name) {
  return {
      .name = name, .attrs = {{"output_datatype", 1}, {"periodic", 1}}, .infer = infer_window, .onnx = {{name, 17}}};
}

}  // namespace

std::span<const OpDef> signal_ops() {
  static const std::vector<OpDef> kOps = {
      {.name = "DFT",
       .attrs = {{"inverse", 0}, {"onesided", 0}},
       .inputs = {1, 3},
       .infer = infer_dft,
       .onnx = {{"DFT", 20}}},
      {.name = "STFT", .attrs = {{"onesided", 1}}, .inputs = {2, 4}, .infer = infer_stft, .onnx = {{"STFT", 17}}},
      window_op("HannWindow"),
      window_op("HammingWindow"),
      window_op("BlackmanWindow"),
      {.name = "MelWeightMatrix",
       .attrs = {{"output_datatype", 1}},
       .inputs = {5, 5},
       .infer = infer_mel_weights,
       .onnx = {{"MelWeightMatrix", 17}}},
      {.name = "NegativeLogLikelihoodLoss",
       .attrs = {optional_attr("ignore_index", AttrType::kInt), {"reduction", "mean"}},
       .inputs = {2, 3},
       .infer = infer_negative_log_likelihood,
       .onnx = {{"NegativeLogLikelihoodLoss", 12}}},
      {.name = "SoftmaxCrossEntropyLoss",
       .attrs = {optional_attr("ignore_index", AttrType::kInt), {"reduction", "mean"}},
       .inputs = {2, 3},
       .outputs = {1, 2},
       .infer = infer_softmax_cross_entropy,
       .onnx = {{"SoftmaxCrossEntropyLoss", 12}}},
      {.name = "TfIdfVectorizer",
       .attrs = {required_attr("max_gram_length", AttrType::kInt), required_attr("max_skip_count", AttrType::kInt),
                 required_attr("min_gram_length", AttrType::kInt), required_attr("mode", AttrType::kString),
                 required_attr("ngram_counts", AttrType::kInts), required_attr("ngram_indexes", AttrType::kInts),
                 optional_attr("pool_int64s", AttrType::kInts), optional_attr("pool_strings", AttrType::kStrings),
                 optional_attr("weights", AttrType::kFloats)},
       .infer = infer_tf_idf,
       .onnx = {{"TfIdfVectorizer", 9}}},
  };
  return kOps;
}

}  // namespace neural_engine
