// InnerProduct and Matmul of a conf.yaml.
//
// Operands come by position, and how many there are says what they are:
//   x, w | x, w, bias or post | x, w, bias, post; each may be followed by the ranges of x and w (4 more), and those by
//   the range of the result (2 more). `post` is there when append_op is sum or binary_add.
// Weights are [out,in]. The result is (x w + bias) * output_scale, then append_op.
#include <algorithm>

#include "base/error.h"
#include "load/conf_call.h"
#include "load/conf_quantize.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

struct Operands {
  ValueId x = kNoValue, w = kNoValue, bias = kNoValue, post = kNoValue;
  ConfRange x_range, w_range, result_range;
  bool quantized() const { return x_range.min != kNoValue; }
};

// The attributes that both have.
struct Product {
  Operands of;
  std::string append;
  Ints x_perm, w_perm, result_perm, shape, shape_dims;
  ValueId shape_like = kNoValue;
  float scale = 1;
  DType result = DType::kF32;
  bool dynamic = false;  // quantized as it runs: the bias is a real number

  bool residual() const { return append == "sum" || append == "binary_add"; }
};

Operands read_operands(const ConfCall& call, size_t count, bool residual) {
  Operands of{.x = call.input(0), .w = call.input(1)};
  // How many lead before the ranges: 2 to 4, then none, two pairs or three pairs.
  size_t lead = 0;
  for (size_t pairs : {0, 4, 6}) {
    // 8 is both: with a residual 4 + 4, without one 2 + 6.
    if (count < pairs + 2 || count > pairs + 4 || (count == 8 && (pairs == 4) != residual)) continue;
    lead = count - pairs;
    if (pairs >= 4) {
      of.x_range = {call.input(lead), call.input(lead + 1)};
      of.w_range = {call.input(lead + 2), call.input(lead + 3)};
    }
    if (pairs == 6) of.result_range = {call.input(lead + 4), call.input(lead + 5)};
  }
  const bool fits = lead == 2 ? !residual : lead == 3 || (lead == 4 && residual);
  if (!fits)
    fail(Code::kInvalidModel, count, " inputs found", residual ? " with a residual" : "", ", which is no form of it");
  if (lead == 3) (residual ? of.post : of.bias) = call.input(2);
  if (lead == 4) {
    of.bias = call.input(2);
    of.post = call.input(3);
  }
  return of;
}

Product read_product(ConfCall& call, std::initializer_list<const char*> appends) {
  call.expect_inputs(2, 11);
  call.expect_outputs({1, 3});
  Product p;
  p.append = call.text("append_op", "");
  if (!p.append.empty() && std::find(appends.begin(), appends.end(), p.append) == appends.end()) {
    fail(Code::kUnsupported, "append_op \"", p.append, "\" found");
  }
  p.x_perm = call.integers("src0_perm");
  p.w_perm = call.integers("src1_perm");
  p.result_perm = call.integers("dst_perm");
  p.scale = call.number("output_scale", 1.f);
  p.result = call.dtype_attr("output_dtype", DType::kF32);
  p.shape = call.integers("reshape");
  p.shape_dims = call.integers("reshape_dims");
  for (const char* how : {"format_any", "gelu_split", "cache_weight"}) call.ignore(how);
  size_t count = call.num_inputs();
  if (!p.shape_dims.empty()) p.shape_like = call.input(--count);
  if (count < 2) fail(Code::kInvalidModel, "two operands are expected beside that of reshape_dims");
  p.of = read_operands(call, count, p.residual());
  p.dynamic = p.of.quantized() && (call.num_outputs() == 3 || call.scope().dynamic.count(p.of.x_range.min) > 0);
  return p;
}

ValueId permuted(const ConfCall& call, ValueId x, const Ints& perm) {
  bool moves = false;
  for (size_t i = 0; i < perm.size(); ++i) moves = moves || perm[i] != static_cast<int64_t>(i);
  return moves ? call.w().add("Transpose", {x}, {{"perm", perm}}) : x;
}

ValueId real(const ConfCall& call, ValueId x, const char* what) {
  if (!is_floating(call.dtype(x))) {
    fail(Code::kInvalidModel, what, " has dtype ", to_string(call.dtype(x)), " and no range, expected fp32 or bf16");
  }
  return call.w().cast(x, DType::kF32);
}

// A static product's bias counts in steps of x times steps of w, as integers or as numbers.
ValueId static_bias(const ConfCall& call, const Operands& of) {
  const std::vector<float> x = conf_steps(call, of.x_range, call.dtype(of.x));
  std::vector<float> steps = conf_steps(call, of.w_range, call.dtype(of.w));
  if (x.size() != 1) fail(Code::kUnsupported, "an activation with ", x.size(), " ranges found, supported is one");
  for (float& step : steps) step *= x[0];
  GraphWriter& w = call.w();
  const ValueId scale = w.constant(steps.size() == 1 ? Tensor::scalar<float>(steps[0])
                                                     : Tensor::of<float>({static_cast<int64_t>(steps.size())}, steps));
  if (call.dtype(of.bias) == DType::kS32) return w.add("DequantizeLinear", {of.bias, scale}, {{"axis", int64_t{-1}}});
  return w.add("Mul", {real(call, of.bias, "the bias"), scale});
}

ValueId activation(const ConfCall& call, const std::string& name, ValueId x) {
  GraphWriter& w = call.w();
  if (name == "gelu_erf") return w.add("Gelu", {x}, {{"approximate", std::string("none")}});
  if (name == "gelu_tanh") return w.add("Gelu", {x}, {{"approximate", std::string("tanh")}});
  if (name == "tanh") return w.add("Tanh", {x});
  if (name == "sigmoid") return w.add("Sigmoid", {x});
  if (name == "relu") return w.add("Relu", {x});
  if (name == "swish") return w.add("Swish", {x}, {{"alpha", 1.f}});
  return x;
}

// The second operand before it is a real matrix [in,out] (or a stack of them).
struct Factor {
  ValueId value;
  bool out_in;           // a matrix that is still to be transposed
  int64_t channel_axis;  // that of out
};

ValueId as_left(const ConfCall& call, const Product& p, ValueId x) {
  if (!p.of.quantized()) return real(call, x, "the first operand");
  const auto dynamic = call.scope().dynamic.find(p.of.x_range.min);
  if (dynamic != call.scope().dynamic.end()) return conf_dequantize_dynamic(call, x, dynamic->second);
  return conf_dequantize(call, x, p.of.x_range, 0);
}

ValueId as_right(const ConfCall& call, const Product& p, const Factor& factor) {
  const auto turned = [&](ValueId value) {
    return factor.out_in ? call.w().add("Transpose", {value}, {{"perm", Ints{1, 0}}}) : value;
  };
  if (!p.of.quantized()) return turned(real(call, factor.value, "the second operand"));
  const auto dynamic = call.scope().dynamic.find(p.of.w_range.min);
  if (dynamic != call.scope().dynamic.end())
    return turned(conf_dequantize_dynamic(call, factor.value, dynamic->second));
  if (p.dynamic) return turned(conf_dequantize_weight(call, factor.value, p.of.w_range, factor.channel_axis));
  // Bytes are transposed as bytes: what multiplies them wants them next to their scale.
  return conf_dequantize(call, turned(factor.value), p.of.w_range, factor.out_in ? 1 : factor.channel_axis);
}

// (x w + bias) * scale.
ValueId multiplied(const ConfCall& call, const Product& p, ValueId x, const Factor& factor) {
  GraphWriter& w = call.w();
  ValueId y = w.add("MatMul", {as_left(call, p, x), as_right(call, p, factor)});
  ValueId bias = p.of.bias;
  if (bias != kNoValue) {
    bias = p.of.quantized() && !p.dynamic ? static_bias(call, p.of) : real(call, bias, "the bias");
  }
  // What quantizes as it runs divides the bias by the scale before.
  if (p.dynamic && p.scale != 1) y = w.add("Mul", {y, w.number(p.scale)});
  if (bias != kNoValue) y = w.add("Add", {y, bias});
  if (!p.dynamic && p.scale != 1) y = w.add("Mul", {y, w.number(p.scale)});
  return y;
}

void finish_product(ConfCall& call, const Product& p, ValueId y, bool offset_of_result) {
  GraphWriter& w = call.w();
  const bool bytes = p.result == DType::kU8 || p.result == DType::kS8;
  if (bytes && p.residual()) {
    fail(Code::kUnsupported, "append_op \"", p.append, "\" with a result of ", to_string(p.result), " found");
  }
  y = activation(call, p.append, y);
  if (p.append == "binary_add") {
    const auto smaller = call.scope().unexpanded.find(p.of.post);
    const ValueId post = smaller == call.scope().unexpanded.end() ? p.of.post : smaller->second;
    y = w.add("Add", {y, real(call, post, "what is added")});
  }
  const bool three = call.num_outputs() == 3;
  if (bytes && !three) {
    if (p.of.result_range.min == kNoValue) fail(Code::kInvalidModel, "a result of bytes without a range found");
    y = conf_quantize(call, y, p.of.result_range, p.result, offset_of_result);
  }
  y = permuted(call, y, p.result_perm);
  // In the order of the result, unlike what binary_add adds.
  if (p.append == "sum") y = w.add("Add", {y, real(call, p.of.post, "what is added")});
  if (!p.shape.empty()) y = call.reshaped(y, p.shape, p.shape_like, p.shape_dims);
  if (three) return conf_quantize_dynamically(call, y, p.result);
  if (!bytes) y = w.cast(y, p.result);
  call.set_output(0, y);
}

void inner_product(ConfCall& call) {
  const Product p =
      read_product(call, {"sum", "binary_add", "gelu_erf", "gelu_tanh", "tanh", "sigmoid", "relu", "swish"});
  const ValueId x = permuted(call, p.of.x, p.x_perm);
  if (call.rank(x) != 2 || call.rank(p.of.w) != 2) {
    fail(Code::kUnsupported, "operands of ranks ", call.rank(x), " and ", call.rank(p.of.w),
         " found, supported are matrices");
  }
  if (call.w().facts(p.of.x).constant.defined()) {
    fail(Code::kUnsupported, "a constant first operand found: the form of a sparse product, [out,in] by [in,rows]");
  }
  const bool in_out = p.w_perm == Ints{1, 0};
  if (!in_out && !p.w_perm.empty() && p.w_perm != Ints{0, 1})
    fail(Code::kInvalidModel, "src1_perm is no order of two axes");
  const ValueId y = multiplied(call, p, x, {.value = p.of.w, .out_in = !in_out, .channel_axis = in_out ? 1 : 0});
  finish_product(call, p, y, !p.append.empty() && !p.residual());
}

void matmul(ConfCall& call) {
  const Product p = read_product(call, {"sum", "binary_add", "gelu_erf", "gelu_tanh", "tanh"});
  const ValueId x = permuted(call, p.of.x, p.x_perm);
  const ValueId other = permuted(call, p.of.w, p.w_perm);
  finish_product(call, p,
                 multiplied(call, p, x, {.value = other, .out_in = false, .channel_axis = call.rank(other) - 1}), true);
}

constexpr ConfRow kRows[] = {{"InnerProduct", inner_product}, {"Matmul", matmul}};

}  // namespace

std::span<const ConfRow> conf_product_rows() { return kRows; }

}  // namespace neural_engine
