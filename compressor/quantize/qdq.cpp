#include "compressor/quantize/qdq.h"

#include <limits>

#include "base/error.h"
#include "base/half.h"
#include "base/onnx_dtype.h"
#include "ir/infer.h"

namespace neural_engine {

namespace {

Tensor zero_point_of(const QuantParams& params, const Shape& shape) {
  Tensor result(params.dtype, shape);
  for (int64_t i = 0; i < result.elems(); ++i) {
    if (params.dtype == DType::kS8) {
      result.data<int8_t>()[i] = static_cast<int8_t>(params.zero_point);
    } else {
      result.data<uint8_t>()[i] = static_cast<uint8_t>(params.zero_point);
    }
  }
  return result;
}

}  // namespace

std::string QdqWriter::name_of(ValueId value) const {
  const Value& found = graph_.value(value);
  if (!found.name.empty()) return found.name;
  return found.producer == kNoNode ? "value" : graph_.node(found.producer).name;
}

ValueId QdqWriter::add(std::string_view op, std::vector<ValueId> inputs, Attrs attrs, const std::string& name,
                       int outputs) {
  const NodeId id = graph_.add_node(op_def(op), std::move(inputs), std::move(attrs), outputs, name);
  const Node& node = graph_.node(id);
  std::vector<const Facts*> operands;
  for (ValueId input : node.inputs) operands.push_back(input == kNoValue ? nullptr : &graph_.value(input).facts);
  std::vector<Facts> facts = infer_node(node, operands);
  for (size_t i = 0; i < facts.size(); ++i) graph_.value(node.outputs[i]).facts = std::move(facts[i]);
  return node.outputs[0];
}

ValueId QdqWriter::activation(ValueId value, const QuantParams& params, std::span<const float> divisors) {
  const std::string name = name_of(value);
  const ValueId scale = graph_.add_constant(Tensor::scalar<float>(params.scale), name + "/scale");
  const ValueId zero_point = graph_.add_constant(zero_point_of(params, {}), name + "/zero_point");
  if (divisors.empty()) {
    const ValueId quantized = add("QuantizeLinear", {value, scale, zero_point}, {}, name + "/QuantizeLinear");
    return add("DequantizeLinear", {quantized, scale, zero_point}, {}, name + "/DequantizeLinear");
  }
  const auto channels = static_cast<int64_t>(divisors.size());
  Tensor scales(DType::kF32, {channels});
  for (size_t c = 0; c < divisors.size(); ++c) scales.data<float>()[c] = params.scale * divisors[c];
  const ValueId by_channel = graph_.add_constant(std::move(scales), name + "/scales");
  const ValueId zero_points = graph_.add_constant(zero_point_of(params, {channels}), name + "/zero_points");
  const ValueId quantized =
      add("QuantizeLinear", {value, by_channel, zero_points}, {{"axis", int64_t{-1}}}, name + "/QuantizeLinear");
  return add("DequantizeLinear", {quantized, scale, zero_point}, {}, name + "/DequantizeLinear");
}

ValueId QdqWriter::dynamic(ValueId value) {
  const std::string name = name_of(value);
  const ValueId quantized = add("DynamicQuantizeLinear", {value}, {}, name + "/DynamicQuantizeLinear", 3);
  const std::vector<ValueId> results = graph_.node(graph_.value(quantized).producer).outputs;
  return add("DequantizeLinear", {results[0], results[1], results[2]}, {}, name + "/DequantizeLinear");
}

// scale = max|row| / 127, at least the smallest normal number so that rows of zeros divide by something. A block as
// wide as the row gives each row a scale of its own.
ValueId QdqWriter::per_token(ValueId value, int64_t channels) {
  const std::string name = name_of(value) + "/per_token";
  const ValueId axes = graph_.add_constant(Tensor::of<int64_t>({1}, {-1}));
  const ValueId magnitude = add("Abs", {value}, {}, name + "/Abs");
  const ValueId largest = add("ReduceMax", {magnitude, axes}, {}, name + "/ReduceMax");
  const ValueId steps = graph_.add_constant(Tensor::scalar<float>(127));
  const ValueId least = graph_.add_constant(Tensor::scalar<float>(std::numeric_limits<float>::min()));
  const ValueId scale = add("Max", {add("Div", {largest, steps}, {}, name + "/Div"), least}, {}, name + "/Max");
  const Attrs block = {{"axis", int64_t{-1}}, {"block_size", channels}};
  Attrs to_s8 = block;
  to_s8.set("output_dtype", onnx_code(DType::kS8));
  const ValueId quantized = add("QuantizeLinear", {value, scale}, to_s8, name + "/QuantizeLinear");
  return add("DequantizeLinear", {quantized, scale}, block, name + "/DequantizeLinear");
}

ValueId QdqWriter::weight(const QuantizedWeight& weight, const std::string& name) {
  const ValueId values = graph_.add_constant(weight.values, name + "/quantized");
  const ValueId scales = graph_.add_constant(weight.scales, name + "/scale");
  const ValueId zero_points = graph_.add_constant(weight.zero_points, name + "/zero_point");
  const Attrs attrs = weight.axis < 0 ? Attrs{} : Attrs{{"axis", weight.axis}};
  return add("DequantizeLinear", {values, scales, zero_points}, attrs, name + "/DequantizeLinear");
}

ValueId QdqWriter::gathered(const Node& gather, const QuantizedWeight& table, const std::string& name) {
  const std::string node_name = gather.name;
  const Attrs attrs = gather.attrs;
  const ValueId indices = gather.inputs[1];
  const ValueId values = graph_.add_constant(table.values, name + "/quantized");
  const ValueId rows = add("Gather", {values, indices}, attrs, node_name);
  const ValueId scales = graph_.add_constant(table.scales, name + "/scale");
  const ValueId zero_points = graph_.add_constant(table.zero_points, name + "/zero_point");
  const Attrs last = table.axis < 0 ? Attrs{} : Attrs{{"axis", int64_t{-1}}};
  return add("DequantizeLinear", {rows, scales, zero_points}, last, node_name + "/DequantizeLinear");
}

ValueId QdqWriter::rounded_to_bf16(ValueId value) {
  const std::string name = name_of(value);
  const auto code = [](DType dtype) { return Attrs{{"to", onnx_code(dtype)}}; };
  const Value& found = graph_.value(value);
  if (!found.is_constant()) {
    return add("Cast", {add("Cast", {value}, code(DType::kBF16), name + "/Cast")}, code(DType::kF32),
               name + "/CastBack");
  }
  const Tensor& from = found.facts.constant;
  Tensor to(DType::kBF16, from.shape());
  for (int64_t i = 0; i < from.elems(); ++i) to.data<uint16_t>()[i] = float_to_bfloat16(from.data<float>()[i]);
  return add("Cast", {graph_.add_constant(std::move(to), name + "/bf16")}, code(DType::kF32), name + "/CastBack");
}

}  // namespace neural_engine
