// A graph and its plans: one plan for each set of input shapes that was seen lately.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "executor/plan.h"
#include "executor/weight_store.h"
#include "ir/graph.h"

namespace neural_engine {

class Program {
 public:
  // `weights` outlives the program.
  Program(GraphPtr graph, WeightStore& weights, int threads, size_t max_plans = 16);

  const Graph& graph() const { return *graph_; }

  // The plan for the shapes of the inputs (in the graph's order); compiled when it is new, and then the one that was
  // used least recently makes room, as do more where the weight store's limit asks for it. Finding a plan allocates
  // nothing. Throws Error(kOutOfMemory) for a plan that the limit has no room for.
  std::shared_ptr<const Plan> plan_for(std::span<const Tensor> inputs);
  std::shared_ptr<const Plan> plan_for(const std::vector<Shape>& shapes);

  // As Plan::run.
  void run(std::span<const Tensor> inputs, std::span<Tensor> outputs, Parallel& parallel, Profile* profile = nullptr) {
    plan_for(inputs)->run(inputs, outputs, parallel, profile);
  }

  std::vector<std::shared_ptr<const Plan>> plans() const;

 private:
  template <class ShapeOf>
  std::shared_ptr<const Plan> find(size_t count, const ShapeOf& shape_of);
  void check_inputs(const std::vector<Shape>& shapes) const;
  void make_room_for(const Plan& plan);

  const GraphPtr graph_;
  WeightStore& weights_;
  const int threads_;
  const size_t max_plans_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const Plan>> plans_;  // the latest used first
};

}  // namespace neural_engine
