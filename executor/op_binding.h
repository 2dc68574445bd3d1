// How an op runs: for each OpDef a function that, once the shapes are known, chooses a kernel and prepares constants,
// and gives the function that does the work.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "ir/graph.h"
#include "ir/infer.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

class WeightStore;

// What a run function sees. Called concurrently for distinct runs of one plan: all state is in here.
class OpContext {
 public:
  OpContext(std::span<const Tensor* const> inputs, std::span<Tensor* const> outputs, Parallel& pool, std::byte* memory)
      : parallel(pool), scratch(memory), inputs_(inputs), outputs_(outputs) {}

  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  bool has_input(int i) const { return i < num_inputs() && inputs_[static_cast<size_t>(i)] != nullptr; }
  const Tensor& input(int i) const { return *inputs_[static_cast<size_t>(i)]; }
  bool wants_output(int i) const { return i < num_outputs() && outputs_[static_cast<size_t>(i)] != nullptr; }
  // Memory for the output, of the inferred dtype and shape. For an elementwise op it may be the memory of an input of
  // the same size; for a view it may already hold the bytes of input 0.
  Tensor& output(int i) const { return *outputs_[static_cast<size_t>(i)]; }
  // For outputs whose shape only the op knows (NonZero, Loop): output(i) is undefined before, and this defines it.
  // Where inference did know the shape, the elements are copied to the memory that the plan gave. The tensor owns its
  // memory.
  void set_output(int i, Tensor tensor) const;

  Parallel& parallel;
  std::byte* const scratch;  // BoundOp::scratch_bytes, 64-byte aligned

 private:
  std::span<const Tensor* const> inputs_;
  std::span<Tensor* const> outputs_;
};

using RunFn = std::function<void(OpContext&)>;

struct BoundOp {
  RunFn run;
  size_t scratch_bytes = 0;
  std::string kernel = "reference";        // the kernel row that runs, for `explain`
  std::vector<std::string> rejected = {};  // "row: why not"
  double operations = 0;                   // multiplications and additions of a product; 0: few for each element
};

// What a bind function sees: the node, and dtype, shape and (where constant) elements of its operands. Shapes are
// concrete, but for outputs that only a run can size (Facts::shape is empty or has unknown dimensions).
class BindContext {
 public:
  BindContext(const Node& node, std::span<const Facts* const> inputs, std::span<const Facts> outputs, int thread_count,
              WeightStore& store)
      : threads(thread_count), weights(store), node_(node), inputs_(inputs), outputs_(outputs) {}

  const Node& node() const { return node_; }
  template <class T>
  const T& attr(std::string_view name) const {
    return node_.attrs.get<T>(name);
  }
  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  bool has_input(int i) const { return i < num_inputs() && inputs_[static_cast<size_t>(i)] != nullptr; }
  DType dtype(int i) const { return facts(i).dtype; }
  Shape shape(int i) const;  // kInternal when it is not concrete
  // For packing weights only: what infer() may read from a constant, a run function reads from its inputs again.
  bool is_constant(int i) const { return has_input(i) && facts(i).constant.defined(); }
  // nullptr when it is not constant. Aligned, which may take a copy.
  const Tensor* constant(int i) const;
  // For a weight that is packed: its elements lie at any address, and the run function does not read the operand.
  const Tensor* packed_constant(int i) const;
  bool is_packed(int i) const { return ((packed_ >> i) & 1) != 0; }
  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  bool wants_output(int i) const { return i < num_outputs() && node_.outputs[static_cast<size_t>(i)] != kNoValue; }
  DType output_dtype(int i) const { return outputs_[static_cast<size_t>(i)].dtype; }
  Shape output_shape(int i) const;
  const Facts& facts(int i) const { return *inputs_[static_cast<size_t>(i)]; }

  const int threads;
  WeightStore& weights;  // packed forms of constants, shared by all plans of a session

 private:
  mutable std::map<int, Tensor> aligned_;  // by operand
  mutable uint64_t packed_ = 0;            // by operand: packed_constant() was asked for
  const Node& node_;
  std::span<const Facts* const> inputs_;
  std::span<const Facts> outputs_;
};

struct OpBinding {
  const char* op;
  BoundOp (*bind)(const BindContext&);
  // Operands, by bit, of which the run function moves bytes alone: a constant may lie at any address.
  uint64_t any_address = 0;
};

// A binding whose run function needs nothing but the context: {"Relu", bind_simple<relu>}. Attributes are read from
// the node, which outlives the plan.
template <void (*run)(const Node&, OpContext&)>
BoundOp bind_simple(const BindContext& context) {
  const Node& node = context.node();
  return {.run = [&node](OpContext& op) { run(node, op); }};
}

// nullptr when the op has no binding (a test forbids that).
const OpBinding* find_binding(std::string_view op);

// Families, as in ops/all.h.
std::span<const OpBinding> elementwise_bindings();
std::span<const OpBinding> reduce_bindings();
std::span<const OpBinding> quantize_bindings();
std::span<const OpBinding> random_bindings();
std::span<const OpBinding> shape_bindings();
std::span<const OpBinding> gather_bindings();
std::span<const OpBinding> image_bindings();
std::span<const OpBinding> control_bindings();
std::span<const OpBinding> matmul_bindings();
std::span<const OpBinding> conv_bindings();
std::span<const OpBinding> norm_bindings();
std::span<const OpBinding> recurrent_bindings();
std::span<const OpBinding> attention_bindings();
std::span<const OpBinding> signal_bindings();

}  // namespace neural_engine
