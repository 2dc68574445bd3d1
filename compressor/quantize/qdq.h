// Writes the portable form of quantized operands: QuantizeLinear and DequantizeLinear around activations,
// DequantizeLinear behind constants.
#pragma once

#include <span>
#include <string>

#include "compressor/quantize/weight.h"
#include "compressor/scheme.h"
#include "ir/graph.h"

namespace neural_engine {

class QdqWriter {
 public:
  explicit QdqWriter(Graph& graph) : graph_(graph) {}

  // Each gives the f32 value that stands for the operand.
  // With `divisors`, channel c of the last axis is divided by divisors[c] before it is quantized: QuantizeLinear has a
  // scale per channel, DequantizeLinear one for all.
  ValueId activation(ValueId value, const QuantParams& params, std::span<const float> divisors = {});
  // The range of each run: DynamicQuantizeLinear, u8.
  ValueId dynamic(ValueId value);
  // The largest magnitude of each row of the last axis, which has `channels` elements: s8.
  ValueId per_token(ValueId value, int64_t channels);
  ValueId weight(const QuantizedWeight& weight, const std::string& name);
  // A table whose rows are gathered, and the rows dequantized.
  ValueId gathered(const Node& gather, const QuantizedWeight& table, const std::string& name);
  // Rounded to bf16, and what is computed from it in f32 as before.
  ValueId rounded_to_bf16(ValueId value);

  // A node with its facts inferred.
  ValueId add(std::string_view op, std::vector<ValueId> inputs, Attrs attrs, const std::string& name, int outputs = 1);

 private:
  std::string name_of(ValueId value) const;

  Graph& graph_;
};

}  // namespace neural_engine
