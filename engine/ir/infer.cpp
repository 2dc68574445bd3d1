#include "ir/infer.h"

#include <algorithm>

#include "base/tensor_memory.h"

namespace neural_engine {

namespace {

// Integer tensors of at most this many elements carry their elements as facts: shapes, axes, slices' bounds.
constexpr int64_t kMaxInts = 64;

std::optional<std::vector<Dim>> ints_of(const Tensor& tensor) {
  const bool integers = tensor.dtype() == DType::kS64 || tensor.dtype() == DType::kS32;
  if (!integers || tensor.rank() > 1 || tensor.elems() > kMaxInts) return std::nullopt;
  const bool wide = tensor.dtype() == DType::kS64;
  std::vector<Dim> result;
  for (int64_t i = 0; i < tensor.elems(); ++i) {
    result.emplace_back(wide ? tensor.data<int64_t>()[i] : int64_t{tensor.data<int32_t>()[i]});
  }
  return result;
}

}  // namespace

Facts facts_of(const Tensor& constant) {
  Facts facts;
  facts.dtype = constant.dtype();
  facts.shape = symbolic(constant.shape());
  // A reader may give a view of its file at any address; for small ones nobody has to care.
  facts.constant = constant.bytes() < kMinUnalignedBytes ? aligned(constant) : constant;
  facts.ints = ints_of(facts.constant);
  return facts;
}

Facts facts_of(DType dtype, SymShape shape) {
  Facts facts;
  facts.dtype = dtype;
  facts.shape = std::move(shape);
  return facts;
}

const Facts& InferContext::input(int i) const {
  if (!has_input(i)) fail(Code::kInternal, "operand ", i, " is absent");
  return *inputs_[static_cast<size_t>(i)];
}

std::optional<std::vector<int64_t>> InferContext::known_ints(int i) const {
  const std::vector<Dim>* dims = ints(i);
  return dims ? concrete(*dims) : std::nullopt;
}

void InferContext::set(int i, DType dtype, std::optional<SymShape> shape) {
  Facts facts;
  facts.dtype = dtype;
  facts.shape = std::move(shape);
  set_facts(i, std::move(facts));
}

void InferContext::set_ints(int i, std::vector<Dim> ints) {
  if (i < num_outputs() && static_cast<int64_t>(ints.size()) <= kMaxInts)
    outputs_[static_cast<size_t>(i)].ints = std::move(ints);
}

void InferContext::set_facts(int i, Facts facts) {
  if (i >= num_outputs()) return;
  if (facts.shape) {
    for (const Dim& dim : *facts.shape) {
      if (dim.known() && dim.value() < 0) invalid("output ", i, " would have the shape ", to_string(*facts.shape));
    }
  }
  outputs_[static_cast<size_t>(i)] = std::move(facts);
}

int64_t InferContext::normalize_axis(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank) invalid("axis ", axis, " found, expected one in [", -rank, ",", rank - 1, "]");
  return axis < 0 ? axis + rank : axis;
}

void InferContext::require_dtype(int i, std::initializer_list<DType> dtypes) const {
  const DType found = dtype(i);
  if (found == DType::kUndefined || std::find(dtypes.begin(), dtypes.end(), found) != dtypes.end()) return;
  std::string list;
  for (DType each : dtypes) list += std::string(list.empty() ? "" : ", ") + to_string(each);
  unsupported("input ", i, " has dtype ", to_string(found), ", supported: ", list);
}

void InferContext::require_rank(int i, int64_t rank) const {
  const SymShape* found = shape(i);
  if (found && static_cast<int64_t>(found->size()) != rank) {
    invalid("input ", i, " has shape ", to_string(*found), ", expected rank ", rank);
  }
}

std::vector<Facts> infer_node(const Node& node, std::span<const Facts* const> inputs) {
  std::vector<Facts> outputs(node.outputs.size());
  InferContext context(node, inputs, outputs);
  with_context([&] { return describe(node); }, [&] { node.def->infer(context); });
  return outputs;
}

void infer_graph(Graph& graph) {
  std::vector<const Facts*> inputs;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    inputs.clear();
    for (ValueId value : node.inputs) inputs.push_back(value == kNoValue ? nullptr : &graph.value(value).facts);
    std::vector<Facts> outputs = infer_node(node, inputs);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (node.outputs[i] != kNoValue) graph.value(node.outputs[i]).facts = std::move(outputs[i]);
    }
  }
}

std::vector<Facts> infer_outputs(const Graph& graph, std::span<const Facts> inputs) {
  if (inputs.size() != graph.inputs().size()) {
    fail(Code::kInvalidModel, "a body with ", graph.inputs().size(), " inputs is given ", inputs.size());
  }
  std::vector<Facts> facts(static_cast<size_t>(graph.num_values()));
  for (int id = 0; id < graph.num_values(); ++id) {
    if (graph.value(id).is_constant()) facts[static_cast<size_t>(id)] = graph.value(id).facts;
  }
  for (size_t i = 0; i < inputs.size(); ++i) facts[static_cast<size_t>(graph.inputs()[i])] = inputs[i];
  std::vector<const Facts*> operands;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    operands.clear();
    for (ValueId value : node.inputs)
      operands.push_back(value == kNoValue ? nullptr : &facts[static_cast<size_t>(value)]);
    std::vector<Facts> outputs = infer_node(node, operands);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (node.outputs[i] != kNoValue) facts[static_cast<size_t>(node.outputs[i])] = std::move(outputs[i]);
    }
  }
  std::vector<Facts> result;
  for (const Graph::Output& output : graph.outputs()) result.push_back(facts[static_cast<size_t>(output.value)]);
  return result;
}

void infer_same_as_first(InferContext& context) { context.set(0, context.dtype(0), context.input(0).shape); }

std::optional<SymShape> broadcast(const InferContext& context, const std::optional<SymShape>& a,
                                  const std::optional<SymShape>& b) {
  if (!a || !b) return std::nullopt;
  const SymShape& longer = a->size() >= b->size() ? *a : *b;
  const SymShape& shorter = a->size() >= b->size() ? *b : *a;
  SymShape result = longer;
  const size_t offset = longer.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) {
    const Dim& x = longer[i + offset];
    const Dim& y = shorter[i];
    if (x == y || y.is(1)) continue;
    if (x.is(1)) {
      result[i + offset] = y;
    } else if (x.known() && y.known()) {
      context.invalid("cannot broadcast ", to_string(*a), " with ", to_string(*b));
    } else if (y.known()) {
      result[i + offset] = y;  // the other is 1 or the same
    } else if (!x.known()) {
      result[i + offset] = Dim();  // two different symbols: either may be 1
    }
  }
  return result;
}

void infer_broadcast(InferContext& context) {
  std::optional<SymShape> shape = context.input(0).shape;
  DType dtype = context.dtype(0);
  for (int i = 1; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) continue;
    const DType other = context.dtype(i);
    if (dtype == DType::kUndefined) dtype = other;
    if (other != DType::kUndefined && other != dtype) {
      context.invalid("input ", i, " has dtype ", to_string(other), ", input 0 has ", to_string(dtype));
    }
    shape = broadcast(context, shape, context.input(i).shape);
  }
  context.set(0, dtype, std::move(shape));
}

}  // namespace neural_engine
