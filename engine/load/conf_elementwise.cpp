// Element-wise operators, normalizations, reductions and Quantize of a conf.yaml.
#include "base/error.h"
#include "load/conf_call.h"
#include "load/conf_quantize.h"

namespace neural_engine {

namespace {

// Computed in fp32; as dtype `to`.
ValueId as_real(const ConfCall& call, ValueId x) { return call.w().cast(x, DType::kF32); }

void refuse_bytes(const ConfCall& call, ValueId x) {
  const DType dtype = call.dtype(x);
  if (dtype == DType::kU8 || dtype == DType::kS8) {
    fail(Code::kUnsupported, "an operand of ", to_string(dtype), " found, which has no range here");
  }
}

// One input, one output of its dtype or of output_dtype.
void set_real(ConfCall& call, ValueId y) {
  const DType dtype = call.dtype_attr("output_dtype", call.dtype(call.input(0)));
  if (!is_floating(dtype)) fail(Code::kUnsupported, "a result of ", to_string(dtype), " found, supported: fp32, bf16");
  call.set_output(0, call.w().cast(y, dtype));
}

template <const char* const& op>
void unary(ConfCall& call) {
  call.expect_inputs(1, 1);
  refuse_bytes(call, call.input(0));
  set_real(call, call.w().add(op, {as_real(call, call.input(0))}));
}

constexpr const char* kTanh = "Tanh";
constexpr const char* kSigmoid = "Sigmoid";
constexpr const char* kRelu = "Relu";
constexpr const char* kErf = "Erf";
constexpr const char* kExp = "Exp";
constexpr const char* kSqrt = "Sqrt";

void gelu(ConfCall& call) {
  call.expect_inputs(1, 1);
  refuse_bytes(call, call.input(0));
  const std::string kind = call.text("algorithm", "gelu_erf");
  if (kind != "gelu_erf" && kind != "gelu_tanh") {
    fail(Code::kUnsupported, "algorithm \"", kind, "\" found, supported: gelu_erf, gelu_tanh");
  }
  const std::string form = kind == "gelu_tanh" ? "tanh" : "none";
  set_real(call, call.w().add("Gelu", {as_real(call, call.input(0))}, {{"approximate", form}}));
}

void swish(ConfCall& call) {
  call.expect_inputs(1, 1);
  refuse_bytes(call, call.input(0));
  set_real(call, call.w().add("Swish", {as_real(call, call.input(0))}, {{"alpha", 1.f}}));
}

// Two operands, and a third with append_op sum.
void binary_add(ConfCall& call) {
  const std::string append = call.text("append_op", "");
  if (!append.empty() && append != "sum") fail(Code::kUnsupported, "append_op \"", append, "\" found, supported: sum");
  call.expect_inputs(append.empty() ? 2 : 3, append.empty() ? 2 : 3);
  ValueId sum = kNoValue;
  for (size_t i = 0; i < call.num_inputs(); ++i) {
    refuse_bytes(call, call.input(i));
    const ValueId x = as_real(call, call.input(i));
    sum = i == 0 ? x : call.w().add("Add", {sum, x});
  }
  set_real(call, sum);
}

struct Binary {
  const char* algorithm;
  const char* op;
  bool compares;
};
constexpr Binary kBinary[] = {
    {"add", "Add", false}, {"sub", "Sub", false},       {"mul", "Mul", false},   {"div", "Div", false},
    {"min", "Min", false}, {"max", "Max", false},       {"gt", "Greater", true}, {"ge", "GreaterOrEqual", true},
    {"lt", "Less", true},  {"le", "LessOrEqual", true}, {"eq", "Equal", true},   {"ne", "Equal", true},
};

void binary_op(ConfCall& call) {
  call.expect_inputs(2, 2);
  const std::string algorithm = call.text("algorithm");
  GraphWriter& w = call.w();
  for (size_t i = 0; i < 2; ++i) refuse_bytes(call, call.input(i));
  for (const Binary& row : kBinary) {
    if (algorithm != row.algorithm) continue;
    ValueId y = w.add(row.op, {as_real(call, call.input(0)), as_real(call, call.input(1))});
    if (algorithm == "ne") y = w.add("Not", {y});
    return set_real(call, row.compares ? w.cast(y, DType::kF32) : y);
  }
  fail(Code::kUnsupported, "algorithm \"", algorithm,
       "\" found, supported: add, sub, mul, div, min, max, gt, ge, lt, le, eq, ne");
}

// With a range (or three outputs) the result is bytes.
void softmax(ConfCall& call) {
  if (call.num_inputs() != 1) call.expect_inputs(3, 3);
  call.expect_outputs({1, 3});
  refuse_bytes(call, call.input(0));
  const ValueId y = call.w().add("Softmax", {as_real(call, call.input(0))}, {{"axis", call.integer("axis", -1)}});
  const DType dtype = call.dtype_attr("output_dtype", DType::kF32);
  if (call.num_outputs() == 3) return conf_quantize_dynamically(call, y, dtype);
  if (is_floating(dtype)) return call.set_output(0, call.w().cast(y, dtype));
  if (dtype != DType::kU8 || call.num_inputs() != 3) {
    fail(Code::kUnsupported, "a result of ", to_string(dtype), " with ", call.num_inputs(),
         " inputs found, supported: fp32, bf16, u8 with a range");
  }
  call.set_output(0, conf_quantize(call, y, {call.input(1), call.input(2)}, dtype, false));
}

void log_softmax(ConfCall& call) {
  call.expect_inputs(1, 1);
  refuse_bytes(call, call.input(0));
  set_real(call, call.w().add("LogSoftmax", {as_real(call, call.input(0))}, {{"axis", call.integer("axis", -1)}}));
}

void layer_norm(ConfCall& call) {
  call.expect_inputs(3, 3);
  refuse_bytes(call, call.input(0));
  call.ignore("normalized_shape");  // that of the scale
  const Attrs attrs = {{"axis", int64_t{-1}}, {"epsilon", call.number("epsilon")}};
  set_real(
      call,
      call.w().add("LayerNormalization",
                   {as_real(call, call.input(0)), as_real(call, call.input(1)), as_real(call, call.input(2))}, attrs));
}

void rms_norm(ConfCall& call) {
  call.expect_inputs(2, 2);
  refuse_bytes(call, call.input(0));
  const Attrs attrs = {{"axis", int64_t{-1}}, {"epsilon", call.number("epsilon")}};
  set_real(call, call.w().add("RMSNormalization", {as_real(call, call.input(0)), as_real(call, call.input(1))}, attrs));
}

void reduce(ConfCall& call, const char* op) {
  call.expect_inputs(1, 1);
  refuse_bytes(call, call.input(0));
  const std::vector<int64_t> axes = call.integers("axis");
  if (axes.empty()) fail(Code::kInvalidModel, "attribute \"axis\" is missing");
  const Attrs attrs = {{"keepdims", int64_t{call.flag("keep_dims", false) ? 1 : 0}}};
  set_real(call, call.w().add(op, {as_real(call, call.input(0)), call.w().ints(axes)}, attrs));
}
void reduce_mean(ConfCall& call) { reduce(call, "ReduceMean"); }
void reduce_sum(ConfCall& call) { reduce(call, "ReduceSum"); }

void quantize(ConfCall& call) {
  const DType dtype = call.dtype_attr("output_dtype", DType::kU8);
  refuse_bytes(call, call.input(0));
  const ValueId x = as_real(call, call.input(0));
  call.expect_outputs({1, 3});
  if (call.num_outputs() == 3) {
    call.expect_inputs(1, 1);
    return conf_quantize_dynamically(call, x, dtype);
  }
  if (is_floating(dtype)) {
    if (call.num_inputs() != 1) call.expect_inputs(3, 3);
    return call.set_output(0, call.w().cast(x, dtype));
  }
  call.expect_inputs(3, 3);
  if (dtype != DType::kU8 && dtype != DType::kS8) {
    fail(Code::kUnsupported, "a result of ", to_string(dtype), " found, supported: u8, s8, bf16");
  }
  call.set_output(0, conf_quantize(call, x, {call.input(1), call.input(2)}, dtype, true));
}

// Bytes, scale and zero point, as ONNX has them.
void dequantize_linear(ConfCall& call) {
  call.expect_inputs(2, 3);
  std::vector<ValueId> operands = {call.input(0), call.input(1)};
  if (call.num_inputs() == 3) operands.push_back(call.input(2));
  call.set_output(0, call.w().add("DequantizeLinear", operands, {{"axis", call.integer("axis", 1)}}));
}

// `axis` and rank need an operand: every row here has one.
template <void (*body)(ConfCall&)>
void with_operand(ConfCall& call) {
  call.expect_inputs(1, 16);
  body(call);
}

constexpr ConfRow kRows[] = {
    {"BinaryAdd", with_operand<binary_add>},
    {"BinaryOp", with_operand<binary_op>},
    {"BinaryOP", with_operand<binary_op>},
    {"Softmax", with_operand<softmax>},
    {"LogSoftmax", with_operand<log_softmax>},
    {"LayerNorm", with_operand<layer_norm>},
    {"RmsNorm", with_operand<rms_norm>},
    {"Gelu", with_operand<gelu>},
    {"Swish", with_operand<swish>},
    {"Tanh", unary<kTanh>},
    {"Sigmoid", unary<kSigmoid>},
    {"Relu", unary<kRelu>},
    {"Erf", unary<kErf>},
    {"Exp", unary<kExp>},
    {"Sqrt", unary<kSqrt>},
    {"ReduceMean", with_operand<reduce_mean>},
    {"ReduceSum", with_operand<reduce_sum>},
    {"Quantize", with_operand<quantize>},
    {"DequantizeLinear", with_operand<dequantize_linear>},
};

}  // namespace

std::span<const ConfRow> conf_elementwise_rows() { return kRows; }

}  // namespace neural_engine
