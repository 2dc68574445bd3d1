// From a prepared graph and what was observed to a graph in the portable quantized form.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "compressor/prepared.h"
#include "compressor/quantize/qdq.h"
#include "compressor/quantize/smooth.h"

namespace neural_engine {

// The settings may be others than those that the graph was prepared with, as long as what they need was observed.
struct ConvertRequest {
  std::vector<Settings> settings;  // by operation
  SmoothSettings smooth;
  bool bias_correction = false;
};

// Weights that were quantized, for conversions of one prepared model that differ little: by the matrix, the axis, the
// spec and the smoothing's divisors.
struct WeightCache {
  using Key = std::tuple<ValueId, int64_t, int, bool, std::vector<float>>;
  std::map<Key, QuantizedWeight> weights;
};

class Converter {
 public:
  // The cache may be shared by converters of the same prepared model, one after the other.
  Converter(const PreparedModel::Impl& prepared, ConvertRequest request, WeightCache* cache = nullptr);

  // The graph as the passes leave it.
  Graph run(std::vector<OpReport>* report);

 private:
  // An activation as some operations want it: one pair of QuantizeLinear and DequantizeLinear for all of them.
  using PairKey = std::tuple<ValueId, Approach, int, float, int32_t, bool>;

  const Statistics& statistics_of(ValueId value) const;
  bool is_int8(size_t operation) const { return request_.settings[operation].precision == OpPrecision::kInt8; }

  void smooth();
  void smooth_group(ValueId value, const std::vector<size_t>& operations);
  void convert(size_t index, OpReport& report);
  void convert_linear(size_t index, OpReport& report);
  void convert_embedding(size_t index, OpReport& report);
  void convert_to_bf16(size_t index);
  ValueId quantized(const Operand& operand, const Settings& settings, OpReport& report, bool is_linear);
  ValueId static_pair(ValueId value, const QuantSpec& spec, const Settings& settings, bool is_linear, OpReport& report);
  QuantizedWeight quantized_weight(const Operation& operation, size_t input, int64_t axis, const QuantSpec& spec);
  void correct_bias(NodeId product, ValueId value, const Tensor& matrix, const QuantizedWeight& weight);

  const PreparedModel::Impl& prepared_;
  const ConvertRequest request_;
  Graph graph_;
  QdqWriter writer_;
  WeightCache* const cache_;
  struct Smoothed {
    Smoothing smoothing;
    bool folded = false;
  };
  std::map<ValueId, Smoothed> smoothed_;
  std::map<PairKey, ValueId> pairs_;
};

}  // namespace neural_engine
