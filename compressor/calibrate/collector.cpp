#include "compressor/calibrate/collector.h"

#include <algorithm>

#include "base/error.h"

namespace neural_engine {

namespace {

// Samples of many lengths make many plans; each is used a few times only.
constexpr int kMaxPlans = 4;

}  // namespace

Collector::Collector(const Graph& graph, const std::vector<Observed>& values, const std::string& mask_input,
                     const SessionOptions& options)
    : mask_(graph, mask_input), num_outputs_(graph.outputs().size()) {
  Graph observed = graph;
  for (const Observed& each : values) {
    const Facts& facts = graph.value(each.value).facts;
    const int64_t channels = each.by_channel ? facts.shape->back().value() : 1;
    TokenAxes axes = mask_.axes_of(facts);
    // Channels are whole rows: a fixed last axis is none of tokens, even where its size is that of the sequence.
    if (each.by_channel) std::erase(axes.sequence, static_cast<int>(facts.shape->size()) - 1);
    entries_.push_back({.value = each.value,
                        .axes = std::move(axes),
                        .statistics = Statistics(channels),
                        .output = observed.outputs().size()});
    observed.add_output(text("observed ", entries_.size()), each.value);
  }
  SessionOptions limited = options;
  limited.max_plans = std::min(options.max_plans, kMaxPlans);
  session_ = std::make_unique<Session>(Model(std::move(observed)), limited);
}

std::vector<Tensor> Collector::run(std::span<const Tensor> inputs) {
  std::vector<Tensor> outputs = session_->run(inputs);
  mask_.set(inputs);
  for (Entry& entry : entries_) {
    entry.statistics.begin_run();
    mask_.visit(outputs[entry.output], entry.axes,
                [&](const float* x, int64_t count) { entry.statistics.observe(x, count); });
    entry.statistics.end_run();
  }
  ++runs_;
  outputs.resize(num_outputs_);
  return outputs;
}

const Statistics* Collector::find(ValueId value) const {
  for (const Entry& entry : entries_) {
    if (entry.value == value) return &entry.statistics;
  }
  return nullptr;
}

}  // namespace neural_engine
