#include "load/graph_writer.h"

#include "base/onnx_dtype.h"
#include "ir/infer.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

// A dimension that is known, else -1, which Reshape works out.
int64_t known_or_rest(const Facts& facts, size_t axis) {
  return facts.shape && axis < facts.shape->size() && (*facts.shape)[axis].known() ? (*facts.shape)[axis].value() : -1;
}

}  // namespace

NodeId emit(Graph& graph, const OpDef& def, std::vector<ValueId> inputs, std::vector<ValueId> outputs, Attrs attrs,
            std::string name) {
  const NodeId id = graph.add_node_to(def, std::move(inputs), std::move(outputs), std::move(attrs), std::move(name));
  const Node& node = graph.node(id);
  std::vector<const Facts*> operands;
  for (ValueId input : node.inputs) operands.push_back(input == kNoValue ? nullptr : &graph.value(input).facts);
  std::vector<Facts> facts = infer_node(node, operands);
  for (size_t i = 0; i < facts.size(); ++i) {
    if (node.outputs[i] != kNoValue) graph.value(node.outputs[i]).facts = std::move(facts[i]);
  }
  return id;
}

ValueId GraphWriter::add(std::string_view op, std::vector<ValueId> inputs, Attrs attrs) {
  return add_many(op, std::move(inputs), std::move(attrs), 1).front();
}

std::vector<ValueId> GraphWriter::add_many(std::string_view op, std::vector<ValueId> inputs, Attrs attrs,
                                           size_t outputs) {
  std::vector<ValueId> result;
  for (size_t i = 0; i < outputs; ++i) result.push_back(graph_.add_value());
  while (!inputs.empty() && inputs.back() == kNoValue) inputs.pop_back();
  const std::string name = place_.empty() ? std::string(op) : place_ + "/" + std::string(op);
  emit(graph_, op_def(op), std::move(inputs), result, std::move(attrs), name);
  return result;
}

ValueId GraphWriter::ints(const std::vector<int64_t>& values) {
  return constant(Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
}

ValueId GraphWriter::cast(ValueId x, DType dtype) {
  return facts(x).dtype == dtype ? x : add("Cast", {x}, {{"to", onnx_code(dtype)}});
}

ValueId GraphWriter::dim(ValueId x, int64_t axis) {
  return add("Squeeze", {add("Shape", {x}, {{"start", axis}, {"end", axis + 1}}), ints({0})});
}

ValueId GraphWriter::split_heads(ValueId x, int64_t heads) {
  const int64_t width = known_or_rest(facts(x), 2);
  const ValueId apart = add("Reshape", {x, ints({0, 0, heads, width < 0 ? -1 : width / heads})});
  return add("Transpose", {apart}, {{"perm", Ints{0, 2, 1, 3}}});
}

ValueId GraphWriter::join_heads(ValueId x) {
  const int64_t heads = known_or_rest(facts(x), 1), size = known_or_rest(facts(x), 3);
  const ValueId rows = add("Transpose", {x}, {{"perm", Ints{0, 2, 1, 3}}});
  return add("Reshape", {rows, ints({0, 0, heads < 0 || size < 0 ? -1 : heads * size})});
}

ValueId GraphWriter::attention(ValueId q, ValueId k, ValueId v, const std::vector<ValueId>& masks, float scale) {
  ValueId scores = add("MatMul", {q, add("Transpose", {k}, {{"perm", Ints{0, 1, 3, 2}}})});
  scores = add("Mul", {scores, number(scale)});
  for (ValueId mask : masks) scores = add("Add", {scores, mask});
  return add("MatMul", {add("Softmax", {scores}, {{"axis", int64_t{-1}}}), v});
}

}  // namespace neural_engine
