#include <algorithm>
#include <cmath>

#include "ops/recurrent.h"

namespace neural_engine {

namespace {

struct NamedFunction {
  const char* name;
  GateFunction function;
  bool has_alpha, has_beta;
  float alpha, beta;  // ONNX's defaults
};

constexpr NamedFunction kFunctions[] = {
    {"relu", GateFunction::kRelu, false, false, 0, 0},
    {"tanh", GateFunction::kTanh, false, false, 0, 0},
    {"sigmoid", GateFunction::kSigmoid, false, false, 0, 0},
    {"affine", GateFunction::kAffine, true, true, 1.0f, 0},
    {"leakyrelu", GateFunction::kLeakyRelu, true, false, 0.01f, 0},
    {"thresholdedrelu", GateFunction::kThresholdedRelu, true, false, 1.0f, 0},
    {"scaledtanh", GateFunction::kScaledTanh, true, true, 1.0f, 1.0f},
    {"hardsigmoid", GateFunction::kHardSigmoid, true, true, 0.2f, 0.5f},
    {"elu", GateFunction::kElu, true, false, 1.0f, 0},
    {"softsign", GateFunction::kSoftsign, false, false, 0, 0},
    {"softplus", GateFunction::kSoftplus, false, false, 0, 0},
};

// ONNX's tests and exporters differ in capitals.
const NamedFunction& named(const std::string& name) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const NamedFunction& each : kFunctions) {
    if (lower == each.name) return each;
  }
  fail(Code::kInvalidModel, "activations has \"", name, "\", which is none of ONNX's for recurrent operators");
}

const NamedFunction& named(GateFunction function) {
  return *std::find_if(std::begin(kFunctions), std::end(kFunctions),
                       [&](const NamedFunction& each) { return each.function == function; });
}

}  // namespace

double GateActivation::operator()(double x) const {
  switch (function) {
    case GateFunction::kRelu: return x < 0 ? 0 : x;
    case GateFunction::kTanh: return std::tanh(x);
    case GateFunction::kSigmoid: return 1 / (1 + std::exp(-x));
    case GateFunction::kAffine: return alpha * x + beta;
    case GateFunction::kLeakyRelu: return x < 0 ? alpha * x : x;
    case GateFunction::kThresholdedRelu: return x >= alpha ? x : 0;
    case GateFunction::kScaledTanh: return alpha * std::tanh(beta * x);
    case GateFunction::kHardSigmoid: return std::min(std::max(alpha * x + beta, 0.0), 1.0);
    case GateFunction::kElu: return x < 0 ? alpha * std::expm1(x) : x;
    case GateFunction::kSoftsign: return x / (1 + std::fabs(x));
    // log(1 + e^x) without overflow.
    case GateFunction::kSoftplus: return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
  }
  return 0;
}

RecurrentDirection recurrent_direction(const Attrs& attrs) {
  const std::string& name = attrs.get<std::string>("direction");
  if (name == "forward") return RecurrentDirection::kForward;
  if (name == "reverse") return RecurrentDirection::kReverse;
  if (name == "bidirectional") return RecurrentDirection::kBidirectional;
  fail(Code::kInvalidModel, "direction is \"", name, "\", expected forward, reverse or bidirectional");
}

std::vector<GateFunction> default_activations(std::string_view op) {
  if (op == "LSTM") return {GateFunction::kSigmoid, GateFunction::kTanh, GateFunction::kTanh};
  if (op == "GRU") return {GateFunction::kSigmoid, GateFunction::kTanh};
  return {GateFunction::kTanh};
}

std::vector<GateActivation> gate_activations(const Attrs& attrs, const std::vector<GateFunction>& defaults) {
  const size_t count = defaults.size() * direction_count(recurrent_direction(attrs));
  const auto names = attrs.get_or<std::vector<std::string>>("activations", {});
  const auto alphas = attrs.get_or<std::vector<float>>("activation_alpha", {});
  const auto betas = attrs.get_or<std::vector<float>>("activation_beta", {});
  if (!names.empty() && names.size() != count) {
    fail(Code::kInvalidModel, "activations has ", names.size(), " elements, expected ", count);
  }
  std::vector<GateActivation> result;
  size_t next_alpha = 0, next_beta = 0;
  for (size_t i = 0; i < count; ++i) {
    const NamedFunction& function = names.empty() ? named(defaults[i % defaults.size()]) : named(names[i]);
    GateActivation activation{function.function, function.alpha, function.beta};
    if (function.has_alpha && next_alpha < alphas.size()) activation.alpha = alphas[next_alpha++];
    if (function.has_beta && next_beta < betas.size()) activation.beta = betas[next_beta++];
    result.push_back(activation);
  }
  if (next_alpha < alphas.size() || next_beta < betas.size()) {
    fail(Code::kInvalidModel, "activation_alpha and activation_beta have ", alphas.size(), " and ", betas.size(),
         " elements, the activations take ", next_alpha, " and ", next_beta);
  }
  return result;
}

}  // namespace neural_engine
