// Runs a single op in a test.
#pragma once

#include <string_view>
#include <vector>

#include "executor/evaluate.h"
#include "ir/graph.h"

namespace neural_engine::testing {

// The outputs of one node; an undefined tensor stands for an absent operand.
inline std::vector<Tensor> run_op(std::string_view op, const std::vector<Tensor>& inputs, Attrs attrs = {},
                                  int outputs = 1) {
  Graph graph;
  std::vector<ValueId> operands;
  for (const Tensor& input : inputs) {
    operands.push_back(input.defined() ? graph.add_input("", input.dtype(), symbolic(input.shape())) : kNoValue);
  }
  const NodeId id = graph.add_node(op_def(op), operands, std::move(attrs), outputs, "node");
  return evaluate_node(graph.node(id), inputs);
}

template <class T>
std::vector<T> values(const Tensor& tensor) {
  const T* data = tensor.data<T>();
  return std::vector<T>(data, data + tensor.elems());
}

}  // namespace neural_engine::testing
