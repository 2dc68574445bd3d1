// What ONNX Runtime's quantizer writes, in the portable form: DequantizeLinear, the operator in f32, QuantizeLinear.
// The executor's lowering makes integer kernels of that; where it does not, it runs as it says.
#include "load/onnx_contrib.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

void finish_quantized(Rewrite& r, ValueId result, ValueId scale, ValueId zero_point) {
  r.finish("QuantizeLinear", {result, scale, zero_point});
}

// Operand i with the scale and zero point after it.
QuantizedOperand triplet(Rewrite& r, size_t i) { return {r.input(i), r.input(i + 1), r.input_or_absent(i + 2)}; }

void quantize_linear(Rewrite& r) {
  const int64_t axis = r.take_or<int64_t>("axis", 1);
  r.finish("QuantizeLinear", {r.input(0), r.input(1), r.input_or_absent(2)}, {{"axis", axis}});
}

void dequantize_linear(Rewrite& r) {
  const int64_t axis = r.take_or<int64_t>("axis", 1);
  r.finish("DequantizeLinear", {r.input(0), r.input(1), r.input_or_absent(2)}, {{"axis", axis}});
}

void binary(Rewrite& r, const char* op) {
  const ValueId result = r.add(op, {add_dequantized(r, triplet(r, 0)), add_dequantized(r, triplet(r, 3))});
  finish_quantized(r, result, r.input(6), r.input_or_absent(7));
}
void qlinear_add(Rewrite& r) { binary(r, "Add"); }
void qlinear_mul(Rewrite& r) { binary(r, "Mul"); }

// x, its scale and zero point, then those of the result.
void unary(Rewrite& r, const char* op, const Attrs& attrs) {
  const ValueId result = r.add(op, {add_dequantized(r, triplet(r, 0))}, attrs);
  finish_quantized(r, result, r.input(3), r.input_or_absent(4));
}
void qlinear_sigmoid(Rewrite& r) { unary(r, "Sigmoid", {}); }
void qlinear_leaky_relu(Rewrite& r) { unary(r, "LeakyRelu", {{"alpha", r.take_or<float>("alpha", 0.01f)}}); }

void qlinear_softmax(Rewrite& r) {
  const int64_t opset = r.take_or<int64_t>("opset", 13), axis = r.take_or<int64_t>("axis", -1);
  const std::optional<int64_t> rank = r.rank(r.input(0));
  if (opset < 13 && axis != -1 && axis != rank.value_or(0) - 1) {
    r.unsupported("axis ", axis, " found for opset ", opset, ", supported is the last axis");
  }
  unary(r, "Softmax", {{"axis", axis}});
}

void require_channels_first(Rewrite& r) {
  if (r.take_or<int64_t>("channels_last", 0) != 0) r.unsupported("channels_last 1 found, supported is 0");
}

void qlinear_global_average_pool(Rewrite& r) {
  require_channels_first(r);
  unary(r, "GlobalAveragePool", {});
}

void qlinear_average_pool(Rewrite& r) {
  require_channels_first(r);
  const Attrs attrs = r.node().attrs;  // AveragePool's
  for (const auto& [name, value] : attrs.items()) r.node().attrs.erase(name);
  unary(r, "AveragePool", attrs);
}

void qlinear_concat(Rewrite& r) {
  const int64_t axis = r.take_required<int64_t>("axis");
  if (r.num_inputs() < 5 || r.num_inputs() % 3 != 2) {
    r.invalid(r.num_inputs(), " inputs found, expected a scale, a zero point, and three for each part");
  }
  std::vector<ValueId> parts;
  for (size_t i = 2; i < r.num_inputs(); i += 3) parts.push_back(add_dequantized(r, triplet(r, i)));
  finish_quantized(r, r.add("Concat", parts, {{"axis", axis}}), r.input(0), r.input_or_absent(1));
}

void qlinear_where(Rewrite& r) {
  const ValueId result =
      r.add("Where", {r.input(0), add_dequantized(r, triplet(r, 1)), add_dequantized(r, triplet(r, 4))});
  finish_quantized(r, result, r.input(7), r.input_or_absent(8));
}

// C is s32 with the scale alpha * a_scale * b_scale: alpha applies to it too.
void q_gemm(Rewrite& r) {
  const int64_t trans_a = r.take_or<int64_t>("transA", 0), trans_b = r.take_or<int64_t>("transB", 0);
  const float alpha = r.take_or<float>("alpha", 1.f);
  const QuantizedOperand a = triplet(r, 0), b = triplet(r, 3);
  const ValueId x = add_dequantized(r, a), weight = add_dequantized(r, b, trans_b != 0 ? 0 : 1);
  ValueId bias = kNoValue;
  if (r.has_input(6)) bias = add_dequantized(r, {r.input(6), r.add("Mul", {a.scale, b.scale}), kNoValue}, -1);
  Attrs attrs = {{"alpha", alpha}, {"beta", alpha}, {"transA", trans_a}, {"transB", trans_b}};
  if (!r.has_input(7)) return r.finish("Gemm", {x, weight, bias}, std::move(attrs));
  finish_quantized(r, r.add("Gemm", {x, weight, bias}, std::move(attrs)), r.input(7), r.input_or_absent(8));
}

void finish_with_bias(Rewrite& r, ValueId product, ValueId bias) {
  if (bias == kNoValue) return r.finish("Identity", {product});
  r.finish("Add", {product, bias});
}

void matmul_integer_to_float(Rewrite& r) {
  const QuantizedOperand a = {r.input(0), r.input(2), r.input_or_absent(4)};
  const QuantizedOperand b = {r.input(1), r.input(3), r.input_or_absent(5)};
  finish_with_bias(r, add_quantized_product(r, a, b), r.input_or_absent(6));
}

void dynamic_quantize_matmul(Rewrite& r) {
  const std::vector<ValueId> a = r.add_many("DynamicQuantizeLinear", {r.input(0)}, {}, 3);
  const QuantizedOperand b = {r.input(1), r.input(2), r.input_or_absent(3)};
  finish_with_bias(r, add_quantized_product(r, {a[0], a[1], a[2]}, b), r.input_or_absent(4));
}

// The weights [directions, inputs, gates], transposed and quantized. The steps' inputs stay f32: rounding them, as
// ONNX Runtime does, would save time only.
void dynamic_quantize_lstm(Rewrite& r) {
  const auto weight = [&](size_t i, size_t parameter) {
    const QuantizedOperand quantized = {r.input(i), r.input(parameter), r.input(parameter + 1)};
    const std::optional<int64_t> rank = r.rank(quantized.scale);
    if (!rank || *rank > 2) r.unsupported("a scale of unknown rank or of one beyond 2 found");
    // One per direction, or one per direction and gate: as subtraction and product, which spread over any of these.
    const auto spread = [&](ValueId x) { return *rank == 2 ? r.add("Unsqueeze", {x, r.ints({1})}) : x; };
    const auto column = [&](ValueId x) { return *rank == 1 ? r.add("Reshape", {x, r.ints({-1, 1, 1})}) : spread(x); };
    const ValueId whole = r.add("Cast", {quantized.value}, {{"to", int64_t{1}}});
    const ValueId zero = column(r.add("Cast", {quantized.zero_point}, {{"to", int64_t{1}}}));
    const ValueId real = r.add("Mul", {r.add("Sub", {whole, zero}), column(quantized.scale)});
    return r.add("Transpose", {real}, {{"perm", Ints{0, 2, 1}}});
  };
  std::vector<ValueId> inputs = {r.input(0), weight(1, 8), weight(2, 10)};
  for (size_t i = 3; i < 8; ++i) inputs.push_back(r.input_or_absent(i));
  while (inputs.back() == kNoValue) inputs.pop_back();
  r.finish_with_rest("LSTM", inputs);
}

}  // namespace

ValueId add_dequantized(Rewrite& r, const QuantizedOperand& x, int64_t axis) {
  std::vector<ValueId> inputs = {x.value, x.scale};
  if (x.zero_point != kNoValue) inputs.push_back(x.zero_point);
  return r.add("DequantizeLinear", inputs, {{"axis", axis}});
}

ValueId add_quantized_product(Rewrite& r, const QuantizedOperand& a, const QuantizedOperand& b) {
  const auto is_constant = [&](ValueId x) { return r.facts(x).constant.defined(); };
  if (is_constant(a.scale) && is_constant(b.scale)) {
    return r.add("MatMul", {add_dequantized(r, a), add_dequantized(r, b, -1)});
  }
  const auto zero = [&](const QuantizedOperand& x) {
    if (x.zero_point != kNoValue) return x.zero_point;
    const ValueId none = r.constant(Tensor::scalar<uint8_t>(0));
    return r.facts(x.value).dtype == DType::kU8 ? none : r.add("CastLike", {none, x.value});
  };
  const ValueId whole = r.add("MatMulInteger", {a.value, b.value, zero(a), zero(b)});
  return r.add("Mul", {r.add("Cast", {whole}, {{"to", int64_t{1}}}), r.add("Mul", {a.scale, b.scale})});
}

std::span<const LegacyRule> contrib_quantize_rules() {
  static constexpr LegacyRule kRules[] = {
      {"QuantizeLinear", 1, 1, quantize_linear, kMicrosoft},
      {"DequantizeLinear", 1, 1, dequantize_linear, kMicrosoft},
      {"QLinearAdd", 1, 1, qlinear_add, kMicrosoft},
      {"QLinearMul", 1, 1, qlinear_mul, kMicrosoft},
      {"QLinearSigmoid", 1, 1, qlinear_sigmoid, kMicrosoft},
      {"QLinearLeakyRelu", 1, 1, qlinear_leaky_relu, kMicrosoft},
      {"QLinearSoftmax", 1, 1, qlinear_softmax, kMicrosoft},
      {"QLinearGlobalAveragePool", 1, 1, qlinear_global_average_pool, kMicrosoft},
      {"QLinearAveragePool", 1, 1, qlinear_average_pool, kMicrosoft},
      {"QLinearConcat", 1, 1, qlinear_concat, kMicrosoft},
      {"QLinearWhere", 1, 1, qlinear_where, kMicrosoft},
      {"QGemm", 1, 1, q_gemm, kMicrosoft},
      {"MatMulIntegerToFloat", 1, 1, matmul_integer_to_float, kMicrosoft},
      {"DynamicQuantizeMatMul", 1, 1, dynamic_quantize_matmul, kMicrosoft},
      {"DynamicQuantizeLSTM", 1, 1, dynamic_quantize_lstm, kMicrosoft},
  };
  return kRules;
}

}  // namespace neural_engine
