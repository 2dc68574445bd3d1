// Runs a graph and observes some of its values.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compressor/calibrate/padding.h"
#include "compressor/calibrate/statistics.h"
#include "ir/graph.h"
#include "neural_engine/session.h"

namespace neural_engine {

struct Observed {
  ValueId value = kNoValue;
  bool by_channel = false;  // the last axis is a fixed number of channels
};

class Collector {
 public:
  // The values become outputs of a copy of the graph; they are f32, and each is named once.
  Collector(const Graph& graph, const std::vector<Observed>& values, const std::string& mask_input,
            const SessionOptions& options);

  // The graph's own outputs.
  std::vector<Tensor> run(std::span<const Tensor> inputs);
  int64_t runs() const { return runs_; }
  // nullptr for a value that is not observed.
  const Statistics* find(ValueId value) const;

 private:
  struct Entry {
    ValueId value;
    TokenAxes axes;
    Statistics statistics;
    size_t output;
  };

  PaddingMask mask_;
  std::vector<Entry> entries_;
  size_t num_outputs_;
  int64_t runs_ = 0;
  std::unique_ptr<Session> session_;
};

}  // namespace neural_engine
