// Shape and type inference: the same OpDef::infer serves symbolic shapes (passes) and concrete ones (plans).
#pragma once

#include <span>
#include <vector>

#include "ir/graph.h"

namespace neural_engine {

// What OpDef::infer sees of one node.
class InferContext {
 public:
  InferContext(const Node& node, std::span<const Facts* const> inputs, std::span<Facts> outputs)
      : node_(node), inputs_(inputs), outputs_(outputs) {}

  const Node& node() const { return node_; }
  template <class T>
  const T& attr(std::string_view name) const {
    return node_.attrs.get<T>(name);
  }
  int64_t int_attr(std::string_view name) const { return attr<int64_t>(name); }

  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  bool has_input(int i) const { return i < num_inputs() && inputs_[static_cast<size_t>(i)] != nullptr; }
  const Facts& input(int i) const;  // kInternal when absent
  DType dtype(int i) const { return input(i).dtype; }
  // nullptr when not even the rank is known.
  const SymShape* shape(int i) const { return input(i).has_shape() ? &*input(i).shape : nullptr; }
  // The elements of an integer operand, when known (as numbers or symbols); nullptr otherwise.
  const std::vector<Dim>* ints(int i) const { return input(i).ints ? &*input(i).ints : nullptr; }
  // The same, when all are numbers.
  std::optional<std::vector<int64_t>> known_ints(int i) const;
  const Tensor* constant(int i) const { return input(i).constant.defined() ? &input(i).constant : nullptr; }

  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  bool wants_output(int i) const { return i < num_outputs() && node_.outputs[static_cast<size_t>(i)] != kNoValue; }
  // As set so far.
  DType output_dtype(int i) const { return outputs_[static_cast<size_t>(i)].dtype; }
  void set(int i, DType dtype, std::optional<SymShape> shape);
  void set_unknown(int i, DType dtype) { set(i, dtype, std::nullopt); }
  void set_ints(int i, std::vector<Dim> ints);
  void set_facts(int i, Facts facts);

  // Refusals; the node's name and op are put in front by infer_node.
  template <class... Args>
  [[noreturn]] void invalid(const Args&... args) const {
    fail(Code::kInvalidModel, args...);
  }
  template <class... Args>
  [[noreturn]] void unsupported(const Args&... args) const {
    fail(Code::kUnsupported, args...);
  }

  // `axis` in [-rank, rank) made non-negative; refused outside it.
  int64_t normalize_axis(int64_t axis, int64_t rank) const;
  // input i has one of the dtypes, else unsupported with the list.
  void require_dtype(int i, std::initializer_list<DType> dtypes) const;
  // The rank, when known, is as given.
  void require_rank(int i, int64_t rank) const;

 private:
  const Node& node_;
  std::span<const Facts* const> inputs_;
  std::span<Facts> outputs_;
};

// Facts of the node's outputs from those of its inputs (nullptr: absent operand). Errors name the node.
std::vector<Facts> infer_node(const Node& node, std::span<const Facts* const> inputs);

// Recomputes the facts of every value that a node produces.
void infer_graph(Graph& graph);

// Facts of the graph's outputs for given facts of its inputs (bodies of If, Loop and Scan).
std::vector<Facts> infer_outputs(const Graph& graph, std::span<const Facts> inputs);

// ---- inference shared by many ops
// ------------------------------------------------------------------------------------
void infer_same_as_first(InferContext& context);  // output 0: dtype and shape of input 0
// Multidirectional broadcast of all inputs; dtype of input 0, which the others must have.
void infer_broadcast(InferContext& context);
// numpy's broadcast of two shapes; nullopt in, nullopt out. Certainly incompatible dimensions are refused.
std::optional<SymShape> broadcast(const InferContext& context, const std::optional<SymShape>& a,
                                  const std::optional<SymShape>& b);

}  // namespace neural_engine
