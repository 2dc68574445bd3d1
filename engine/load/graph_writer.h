// Graphs written node by node, for formats that have no graph of their own or one of other operators.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace neural_engine {

// Adds a node and infers the facts of its outputs, so that what is added after it may ask for ranks and dtypes.
NodeId emit(Graph& graph, const OpDef& def, std::vector<ValueId> inputs, std::vector<ValueId> outputs, Attrs attrs,
            std::string name);

class GraphWriter {
 public:
  explicit GraphWriter(Graph& graph) : graph_(graph) {}

  // Stands in front of the names of nodes, for messages: "layer.3".
  void set_place(std::string place) { place_ = std::move(place); }

  ValueId add(std::string_view op, std::vector<ValueId> inputs, Attrs attrs = {});
  std::vector<ValueId> add_many(std::string_view op, std::vector<ValueId> inputs, Attrs attrs, size_t outputs);
  ValueId constant(Tensor tensor, std::string name = {}) { return graph_.add_constant(std::move(tensor), name); }
  ValueId ints(const std::vector<int64_t>& values);  // a vector
  ValueId integer(int64_t value) { return constant(Tensor::scalar<int64_t>(value)); }
  ValueId number(float value) { return constant(Tensor::scalar<float>(value)); }

  // x as another dtype, by ONNX's code of it.
  ValueId cast(ValueId x, DType dtype);
  // A dimension of x as a scalar.
  ValueId dim(ValueId x, int64_t axis);
  // [b,s,h*d] as [b,h,s,d], and back.
  ValueId split_heads(ValueId x, int64_t heads);
  ValueId join_heads(ValueId x);
  // softmax(scale * q k^T + masks) v over [b,h,s,d].
  ValueId attention(ValueId q, ValueId k, ValueId v, const std::vector<ValueId>& masks, float scale);

  const Facts& facts(ValueId value) const { return graph_.value(value).facts; }
  Graph& graph() { return graph_; }

 private:
  Graph& graph_;
  std::string place_;
};

}  // namespace neural_engine
