#include "passes/queries.h"

#include <algorithm>

#include "base/dtype.h"

namespace neural_engine {

const Node* producer_of(const Graph& graph, ValueId value) {
  if (value == kNoValue || graph.value(value).producer == kNoNode) return nullptr;
  return &graph.node(graph.value(value).producer);
}

const Node* producer_of(const Graph& graph, ValueId value, std::string_view op) {
  const Node* node = producer_of(graph, value);
  return node != nullptr && node->is(op) && node->outputs[0] == value ? node : nullptr;
}

const SymShape* shape_of(const Graph& graph, ValueId value) {
  if (value == kNoValue) return nullptr;
  const Facts& facts = graph.value(value).facts;
  return facts.shape ? &*facts.shape : nullptr;
}

int rank_of(const Graph& graph, ValueId value) {
  const SymShape* shape = shape_of(graph, value);
  return shape == nullptr ? -1 : static_cast<int>(shape->size());
}

DType dtype_of(const Graph& graph, ValueId value) { return graph.value(value).facts.dtype; }

const std::vector<Dim>* ints_of(const Graph& graph, ValueId value) {
  if (value == kNoValue) return nullptr;
  const Facts& facts = graph.value(value).facts;
  return facts.ints ? &*facts.ints : nullptr;
}

std::optional<std::vector<int64_t>> known_ints(const Graph& graph, ValueId value) {
  const std::vector<Dim>* ints = ints_of(graph, value);
  return ints != nullptr ? concrete(*ints) : std::nullopt;
}

std::optional<double> element_of(const Tensor& tensor, int64_t i) {
  const DType dtype = tensor.dtype();
  if (bits_of(dtype) < 8 || (bits_of(dtype) == 8 && is_floating(dtype))) return std::nullopt;
  return dispatch_dtype(dtype, [&](auto tag) -> std::optional<double> {
    return static_cast<double>(tensor.data<typename decltype(tag)::type>()[i]);
  });
}

std::optional<double> scalar_of(const Graph& graph, ValueId value) {
  if (value == kNoValue || !graph.value(value).is_constant()) return std::nullopt;
  const Tensor& tensor = graph.value(value).facts.constant;
  return tensor.elems() == 1 ? element_of(tensor, 0) : std::nullopt;
}

bool same_shape(const SymShape& a, const SymShape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Dim& x, const Dim& y) { return x == y; });
}

bool compatible(const SymShape& a, const SymShape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Dim& x, const Dim& y) { return !x.known() || !y.known() || x.value() == y.value(); });
}

SymShape merged(const SymShape& a, const SymShape& b) {
  SymShape result = a;
  for (size_t i = 0; i < result.size(); ++i) {
    const bool better = b[i].known() || (b[i].is_symbol() && !result[i].is_symbol());
    if (!result[i].known() && better) result[i] = b[i];
  }
  return result;
}

bool only_used_by(const Graph& graph, ValueId value, NodeId node) {
  const std::vector<NodeId>& users = graph.value(value).users;
  return std::all_of(users.begin(), users.end(), [&](NodeId user) { return user == node; }) && !graph.is_output(value);
}

bool certainly_not_negative(const Dim& dim) {
  if (dim.known()) return dim.value() >= 0;
  return dim.is_symbol() && dim.symbol().find('-') == std::string::npos;
}

}  // namespace neural_engine
