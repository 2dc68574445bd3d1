// Questions that rules ask about quantized values.
#pragma once

#include <optional>

#include "ir/graph.h"
#include "passes/patch.h"

namespace neural_engine {

// The scale and zero point (kNoValue: 0) of a QuantizeLinear or DequantizeLinear between f32 and s8 or u8.
struct QuantizedGrid {
  ValueId scale = kNoValue, zero = kNoValue;
  DType dtype = DType::kUndefined;
};

// One scale and zero point for the whole tensor, whether constant or not; nullopt otherwise.
std::optional<QuantizedGrid> tensor_grid(const Graph& graph, const Node& node);
// The same, with constants; a scale that cannot be divided by is none.
std::optional<QuantizedGrid> constant_grid(const Graph& graph, const Node& node);
// The levels and numbers are the same, as far as constants tell.
bool same_grid(const Graph& graph, const QuantizedGrid& a, const QuantizedGrid& b);
// The zero point, made where there is none.
ValueId zero_of(Patch& p, const QuantizedGrid& grid);

// One element for certain.
bool is_single(const Graph& graph, ValueId value);
// A constant with `n` elements as [n].
ValueId as_row(Patch& p, ValueId value);

}  // namespace neural_engine
