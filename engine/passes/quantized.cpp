#include "passes/quantized.h"

#include <cmath>
#include <cstring>

#include "passes/queries.h"

namespace neural_engine {

bool is_single(const Graph& graph, ValueId value) {
  const SymShape* shape = shape_of(graph, value);
  if (shape == nullptr) return false;
  for (const Dim& dim : *shape) {
    if (!dim.is(1)) return false;
  }
  return true;
}

std::optional<QuantizedGrid> tensor_grid(const Graph& graph, const Node& node) {
  const bool quantizes = node.is("QuantizeLinear");
  if (!quantizes && !node.is("DequantizeLinear")) return std::nullopt;
  QuantizedGrid grid = {node.inputs[1], node.input(2), DType::kUndefined};
  grid.dtype = dtype_of(graph, quantizes ? node.outputs[0] : node.inputs[0]);
  const DType real = dtype_of(graph, quantizes ? node.inputs[0] : node.outputs[0]);
  if (real != DType::kF32 || dtype_of(graph, grid.scale) != DType::kF32) return std::nullopt;
  if (grid.dtype != DType::kS8 && grid.dtype != DType::kU8) return std::nullopt;
  if (node.attr<int64_t>("block_size") != 0 || !is_single(graph, grid.scale)) return std::nullopt;
  if (quantizes && node.attr<int64_t>("precision") != 0 && node.attr<int64_t>("precision") != 1) return std::nullopt;
  if (grid.zero != kNoValue && !is_single(graph, grid.zero)) return std::nullopt;
  return grid;
}

std::optional<QuantizedGrid> constant_grid(const Graph& graph, const Node& node) {
  const std::optional<QuantizedGrid> grid = tensor_grid(graph, node);
  if (!grid) return std::nullopt;
  const std::optional<double> scale = scalar_of(graph, grid->scale);
  if (!scale || !std::isfinite(*scale) || *scale == 0) return std::nullopt;
  if (grid->zero != kNoValue && !graph.value(grid->zero).is_constant()) return std::nullopt;
  return grid;
}

bool same_grid(const Graph& graph, const QuantizedGrid& a, const QuantizedGrid& b) {
  const auto zero = [&](ValueId value) { return value == kNoValue ? 0.0 : scalar_of(graph, value).value_or(NAN); };
  const std::optional<double> scale_a = scalar_of(graph, a.scale), scale_b = scalar_of(graph, b.scale);
  return a.dtype == b.dtype && (a.scale == b.scale || (scale_a && scale_b && *scale_a == *scale_b)) &&
         (a.zero == b.zero || zero(a.zero) == zero(b.zero));
}

ValueId zero_of(Patch& p, const QuantizedGrid& grid) {
  if (grid.zero != kNoValue) return grid.zero;
  Tensor zero(grid.dtype, Shape{});
  std::memset(zero.raw(), 0, 1);
  return p.constant(zero);
}

ValueId as_row(Patch& p, ValueId value) {
  if (value == kNoValue) return kNoValue;
  const Value& found = p.graph().value(value);
  const Tensor& tensor = found.facts.constant;
  if (!tensor.defined() || tensor.rank() == 1) return value;
  return p.constant(tensor.reshaped({tensor.elems()}), found.name.empty() ? "" : found.name + "/row");
}

}  // namespace neural_engine
