// The activations of recurrent cells, shared by inference and the executor.
#pragma once

#include <string>
#include <vector>

#include "ir/attrs.h"

namespace neural_engine {

enum class GateFunction {
  kRelu,
  kTanh,
  kSigmoid,
  kAffine,
  kLeakyRelu,
  kThresholdedRelu,
  kScaledTanh,
  kHardSigmoid,
  kElu,
  kSoftsign,
  kSoftplus,
};

struct GateActivation {
  GateFunction function = GateFunction::kTanh;
  float alpha = 0, beta = 0;
  double operator()(double x) const;
};

enum class RecurrentDirection { kForward, kReverse, kBidirectional };
// From the attribute "direction". Throws Error(kInvalidModel).
RecurrentDirection recurrent_direction(const Attrs& attrs);
inline size_t direction_count(RecurrentDirection direction) {
  return direction == RecurrentDirection::kBidirectional ? 2 : 1;
}

// What the attributes activations, activation_alpha and activation_beta say: as many for each direction as there are
// defaults. alpha and beta are consumed in order by the functions that have one. Throws Error(kInvalidModel).
std::vector<GateActivation> gate_activations(const Attrs& attrs, const std::vector<GateFunction>& defaults);

// Of LSTM, GRU and RNN.
std::vector<GateFunction> default_activations(std::string_view op);

}  // namespace neural_engine
