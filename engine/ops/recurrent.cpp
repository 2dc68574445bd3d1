#include "ops/recurrent.h"

#include "ir/infer.h"
#include "ops/all.h"

namespace neural_engine {

namespace {

constexpr std::initializer_list<DType> kFloats = {DType::kF64, DType::kF32, DType::kF16, DType::kBF16};

// Operand i, when present, has this shape where it is known.
void check_shape(const InferContext& context, int i, const SymShape& expected) {
  if (!context.has_input(i) || !context.shape(i)) return;
  const SymShape& found = *context.shape(i);
  bool fits = found.size() == expected.size();
  for (size_t d = 0; fits && d < found.size(); ++d) {
    fits = !found[d].known() || !expected[d].known() || found[d].value() == expected[d].value();
  }
  if (!fits) context.invalid("input ", i, " has shape ", to_string(found), ", expected ", to_string(expected));
}

void check_dtypes(const InferContext& context) {
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) continue;
    if (i == 4) {
      context.require_dtype(i, {DType::kS32});
      continue;
    }
    context.require_dtype(i, kFloats);
    if (context.dtype(i) != DType::kUndefined && context.dtype(0) != DType::kUndefined &&
        context.dtype(i) != context.dtype(0)) {
      context.invalid("input ", i, " has dtype ", to_string(context.dtype(i)), ", input 0 has ",
                      to_string(context.dtype(0)));
    }
  }
}

Dim hidden_size(const InferContext& context) {
  const int64_t given = context.node().attrs.get_or<int64_t>("hidden_size", 0);
  if (given < 0) context.invalid("hidden_size is ", given, ", expected at least 1");
  if (given > 0) return given;
  return context.shape(2) && context.shape(2)->size() == 3 ? (*context.shape(2))[2] : Dim();
}

// W [D,G*H,I], R [D,G*H,H], B [D,2*G*H], lengths [N], initial states and outputs [D,N,H] (or [N,D,H]).
void infer_recurrent(InferContext& context, int64_t gates) {
  check_dtypes(context);
  const Attrs& attrs = context.node().attrs;
  gate_activations(attrs, default_activations(context.node().op()));
  const int64_t layout = context.int_attr("layout");
  if (layout != 0 && layout != 1) context.invalid("layout is ", layout, ", expected 0 or 1");
  if (const float clip = attrs.get_or<float>("clip", 1.0f); !(clip > 0)) {
    context.invalid("clip is ", clip, ", expected more than 0");
  }
  context.require_rank(0, 3);
  const SymShape* x = context.shape(0);
  const Dim sequence = x ? (*x)[layout == 0 ? 0 : 1] : Dim(), batch = x ? (*x)[layout == 0 ? 1 : 0] : Dim();
  const Dim directions = static_cast<int64_t>(direction_count(recurrent_direction(attrs)));
  const Dim hidden = hidden_size(context), rows = hidden * Dim(gates);
  const SymShape state = layout == 0 ? SymShape{directions, batch, hidden} : SymShape{batch, directions, hidden};
  check_shape(context, 1, {directions, rows, x ? (*x)[2] : Dim()});
  check_shape(context, 2, {directions, rows, hidden});
  check_shape(context, 3, {directions, rows * Dim(2)});
  check_shape(context, 4, {batch});
  check_shape(context, 5, state);
  check_shape(context, 6, state);
  check_shape(context, 7, {directions, hidden * Dim(3)});

  const DType dtype = context.dtype(0);
  context.set(
      0, dtype,
      layout == 0 ? SymShape{sequence, directions, batch, hidden} : SymShape{batch, sequence, directions, hidden});
  context.set(1, dtype, state);
  context.set(2, dtype, state);
}

void infer_lstm(InferContext& context) { infer_recurrent(context, 4); }
void infer_gru(InferContext& context) { infer_recurrent(context, 3); }
void infer_rnn(InferContext& context) { infer_recurrent(context, 1); }

std::vector<AttrDef> recurrent_attrs(std::initializer_list<AttrDef> more = {}) {
  std::vector<AttrDef> attrs = {optional_attr("activation_alpha", AttrType::kFloats),
                                optional_attr("activation_beta", AttrType::kFloats),
                                optional_attr("activations", AttrType::kStrings),
                                optional_attr("clip", AttrType::kFloat),
                                {"direction", "forward"},
                                optional_attr("hidden_size", AttrType::kInt),
                                {"layout", 0}};
  attrs.insert(attrs.end(), more);
  return attrs;
}

}  // namespace

std::span<const OpDef> recurrent_ops() {
  static const std::vector<OpDef> kOps = {
      {.name = "LSTM",
       .attrs = recurrent_attrs({{"input_forget", 0}}),
       .inputs = {3, 8},
       .outputs = {0, 3},
       .infer = infer_lstm,
       .onnx = {{"LSTM", 7}}},
      {.name = "GRU",
       .attrs = recurrent_attrs({{"linear_before_reset", 0}}),
       .inputs = {3, 6},
       .outputs = {0, 2},
       .infer = infer_gru,
       .onnx = {{"GRU", 7}}},
      {.name = "RNN",
       .attrs = recurrent_attrs(),
       .inputs = {3, 6},
       .outputs = {0, 2},
       .infer = infer_rnn,
       .onnx = {{"RNN", 7}}},
  };
  return kOps;
}

}  // namespace neural_engine
