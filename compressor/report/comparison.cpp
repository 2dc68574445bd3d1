#include "compressor/report/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "ir/graph.h"

namespace neural_engine {

namespace {

constexpr int kMaxPlans = 4;  // as in calibration: each length is seen a few times only

// The f32 value that the named node makes.
std::map<std::string, ValueId> named_results(const Graph& graph) {
  std::map<std::string, ValueId> results;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    const ValueId value = node.outputs[0];
    if (node.name.empty() || value == kNoValue || graph.value(value).facts.dtype != DType::kF32) continue;
    results.emplace(node.name, value);
  }
  return results;
}

std::unique_ptr<Session> session_of(Graph graph, const SessionOptions& options) {
  SessionOptions limited = options;
  limited.max_plans = std::min(options.max_plans, kMaxPlans);
  return std::make_unique<Session>(Model(std::move(graph)), limited);
}

}  // namespace

Comparison::Comparison(const Model& reference, const Model& other, const std::string& mask_input,
                       const SessionOptions& options)
    : mask_(reference.graph(), mask_input),
      reference_outputs_(reference.outputs().size()),
      other_outputs_(other.outputs().size()) {
  Graph a = reference.graph(), b = other.graph();
  const std::map<std::string, ValueId> others = named_results(b);
  for (NodeId id : a.order()) {
    const Node& node = a.node(id);
    const auto twin = others.find(node.name);
    if (twin == others.end() || node.outputs[0] == kNoValue) continue;
    const Facts& facts = a.value(node.outputs[0]).facts;
    if (facts.dtype != DType::kF32) continue;
    layers_.push_back({.name = node.name,
                       .axes = mask_.axes_of(facts),
                       .reference_output = a.outputs().size(),
                       .other_output = b.outputs().size()});
    a.add_output(text("layer ", layers_.size()), node.outputs[0]);
    b.add_output(text("layer ", layers_.size()), twin->second);
  }
  reference_ = session_of(std::move(a), options);
  other_ = session_of(std::move(b), options);
}

void Comparison::accumulate(Layer& layer, const Tensor& a, const Tensor& b) const {
  if (a.shape() != b.shape()) {
    fail(Code::kInvalidData, "layer \"", layer.name, "\" is ", to_string(b.shape()), " in the other model, ",
         to_string(a.shape()), " in the first");
  }
  const float* base = a.data<float>();
  mask_.visit(a, layer.axes, [&](const float* x, int64_t count) {
    const float* y = b.data<float>() + (x - base);
    for (int64_t i = 0; i < count; ++i) {
      const double p = static_cast<double>(x[i]), q = static_cast<double>(y[i]);
      if (!std::isfinite(p) && !std::isfinite(q)) continue;  // masked scores
      layer.reference_squares += p * p;
      layer.other_squares += q * q;
      layer.products += p * q;
      layer.difference_squares += (p - q) * (p - q);
      layer.max_abs = std::max(layer.max_abs, std::abs(p - q));
      layer.sum_abs += std::abs(p);
      ++layer.count;
    }
  });
}

Comparison::Outputs Comparison::run(std::span<const Tensor> inputs) {
  Outputs outputs{.reference = reference_->run(inputs), .other = other_->run(inputs)};
  mask_.set(inputs);
  for (Layer& layer : layers_) {
    accumulate(layer, outputs.reference[layer.reference_output], outputs.other[layer.other_output]);
  }
  outputs.reference.resize(reference_outputs_);
  outputs.other.resize(other_outputs_);
  return outputs;
}

std::vector<LayerError> Comparison::layers() const {
  std::vector<LayerError> result;
  for (const Layer& layer : layers_) {
    LayerError error{.name = layer.name};
    if (layer.count == 0) continue;
    const double norms = std::sqrt(layer.reference_squares * layer.other_squares);
    error.cosine = norms > 0 ? layer.products / norms : layer.reference_squares == layer.other_squares ? 1 : 0;
    error.sqnr_db =
        layer.difference_squares > 0
            ? std::min(200.0, 10 * std::log10(std::max(layer.reference_squares, 1e-300) / layer.difference_squares))
            : 200;
    error.max_abs = layer.max_abs;
    error.mean_abs = layer.sum_abs / static_cast<double>(layer.count);
    result.push_back(std::move(error));
  }
  return result;
}

}  // namespace neural_engine
