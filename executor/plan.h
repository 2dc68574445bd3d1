// A graph made ready to run for one set of input shapes: steps in order, each with its kernel, and a place for every
// value.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "executor/op_binding.h"
#include "executor/profile.h"
#include "executor/weight_store.h"
#include "ir/graph.h"

namespace neural_engine {

// Where a value's elements are while the plan runs. The index of a place is the graph's ValueId.
struct Place {
  enum class Kind {
    kNone,      // not needed
    kConstant,  // of the graph, or decided by the input shapes
    kInput,     // in the caller's memory, `index` of the inputs
    kOutput,    // in the caller's memory, `index` of the outputs
    kArena,     // at `offset` of the arena
    kDynamic,   // allocated when its step runs: only the data decides its size
  };
  Kind kind = Kind::kNone;
  DType dtype = DType::kUndefined;
  Shape shape;
  bool shape_known = false;  // false only for kDynamic
  int index = 0;
  size_t offset = 0;
  Tensor constant;
};

struct Step {
  const Node* node = nullptr;
  BoundOp op;            // unbound when `dynamic`
  bool dynamic = false;  // inferred, bound and allocated when it runs
  size_t scratch_offset = 0;
  std::vector<ValueId> release;  // dynamic values that nobody reads after this step
};

// One run's memory. A plan keeps those of finished runs for the next.
struct Frame;

class Plan {
 public:
  // Shapes as in the graph's inputs. The graph and the weights outlive the plan.
  Plan(const Graph& graph, const std::vector<Shape>& input_shapes, int threads, WeightStore& weights);
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  // Inputs and outputs in the graph's order. A defined output must have the planned dtype and shape and receives the
  // result; an undefined one becomes a new tensor. Nothing is allocated when the outputs are defined, no step is
  // dynamic and a finished run has left its frame. May be called from many threads.
  void run(std::span<const Tensor> inputs, std::span<Tensor> outputs, Parallel& parallel, Profile* profile) const;

  const std::vector<Shape>& input_shapes() const { return input_shapes_; }
  const std::vector<Step>& steps() const { return steps_; }
  const Place& place(ValueId value) const { return places_[static_cast<size_t>(value)]; }
  const Graph& graph() const { return graph_; }
  size_t arena_bytes() const { return arena_bytes_; }
  // Bytes of the constants that the input shapes decided.
  size_t constant_bytes() const { return constant_bytes_; }
  // Dynamic values are not known before they are computed.
  bool has_dynamic_steps() const;

 private:
  friend class Compiler;

  std::unique_ptr<Frame> acquire_frame() const;
  std::unique_ptr<Frame> make_frame() const;
  void bind_memory(Frame& frame, std::span<const Tensor> inputs, std::span<Tensor> outputs) const;
  void run_dynamic(const Step& step, Frame& frame, Parallel& parallel) const;

  const Graph& graph_;
  WeightStore& weights_;
  std::vector<Shape> input_shapes_;
  std::vector<Place> places_;
  std::vector<Step> steps_;
  struct Copy {
    ValueId from;
    int output;
  };
  std::vector<Copy> copies_;  // outputs that are not computed in place: constants, inputs, views of either, repetitions
  size_t arena_bytes_ = 0;
  size_t constant_bytes_ = 0;

  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Frame>> frames_;
};

}  // namespace neural_engine
