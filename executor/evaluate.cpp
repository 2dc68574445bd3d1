#include "executor/evaluate.h"

#include "base/tensor_memory.h"
#include "executor/op_binding.h"
#include "executor/weight_store.h"
#include "ir/infer.h"

namespace neural_engine {

namespace {

const OpBinding& binding_of(const Node& node) {
  const OpBinding* binding = find_binding(node.op());
  if (binding == nullptr) fail(Code::kUnsupported, "operator ", node.op(), " cannot be run");
  return *binding;
}

std::vector<Tensor> evaluate(const Node& node, std::span<const Tensor> inputs, Parallel& parallel,
                             WeightStore& weights) {
  // Inference sees the elements; binding does not, so that nothing that passes through here is packed as a weight.
  std::vector<Facts> known(inputs.size()), typed(inputs.size());
  std::vector<const Facts*> operands(inputs.size(), nullptr), bind_operands(inputs.size(), nullptr);
  std::vector<const Tensor*> sources(inputs.size(), nullptr);
  std::vector<Tensor> readable(inputs.begin(), inputs.end());
  const OpBinding& binding = binding_of(node);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) continue;
    if ((binding.any_address >> i & 1) == 0) readable[i] = aligned(inputs[i]);
    known[i] = facts_of(readable[i]);
    operands[i] = &known[i];
    typed[i] = facts_of(inputs[i].dtype(), symbolic(inputs[i].shape()));
    bind_operands[i] = &typed[i];
    sources[i] = &readable[i];
  }
  std::vector<Facts> facts(node.outputs.size());
  InferContext infer(node, operands, facts);
  node.def->infer(infer);

  std::vector<Tensor> outputs(node.outputs.size());
  std::vector<Tensor*> targets(node.outputs.size(), nullptr);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    targets[i] = &outputs[i];
    const std::optional<Shape> shape = facts[i].shape ? concrete(*facts[i].shape) : std::nullopt;
    if (shape) outputs[i] = Tensor(facts[i].dtype, *shape);
  }
  const BindContext bind(node, bind_operands, facts, parallel.threads(), weights);
  const BoundOp bound = binding.bind(bind);
  Tensor scratch(DType::kU8, {static_cast<int64_t>(bound.scratch_bytes)});
  OpContext context(sources, targets, parallel, static_cast<std::byte*>(scratch.raw()));
  bound.run(context);
  for (size_t i = 0; i < outputs.size(); ++i) {
    require(targets[i] == nullptr || outputs[i].defined(), Code::kInternal, "output ", i, " was not produced");
  }
  return outputs;
}

}  // namespace

std::vector<Tensor> evaluate_node(const Node& node, std::span<const Tensor> inputs, Parallel& parallel,
                                  WeightStore& weights) {
  return with_context([&] { return describe(node); }, [&] { return evaluate(node, inputs, parallel, weights); });
}

std::vector<Tensor> evaluate_node(const Node& node, std::span<const Tensor> inputs) {
  SerialParallel serial;
  WeightStore weights;
  return evaluate_node(node, inputs, serial, weights);
}

std::vector<Tensor> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs) {
  require(inputs.size() == graph.inputs().size(), Code::kInvalidArgument, inputs.size(), " inputs given, ",
          graph.inputs().size(), " expected");
  std::vector<Tensor> values(static_cast<size_t>(graph.num_values()));
  for (ValueId id = 0; id < graph.num_values(); ++id) values[static_cast<size_t>(id)] = graph.value(id).facts.constant;
  for (size_t i = 0; i < inputs.size(); ++i) values[static_cast<size_t>(graph.inputs()[i])] = inputs[i];
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    std::vector<Tensor> operands;
    for (ValueId input : node.inputs)
      operands.push_back(input == kNoValue ? Tensor() : values[static_cast<size_t>(input)]);
    std::vector<Tensor> results = evaluate_node(node, operands);
    for (size_t i = 0; i < results.size(); ++i) {
      if (node.outputs[i] != kNoValue) values[static_cast<size_t>(node.outputs[i])] = std::move(results[i]);
    }
  }
  std::vector<Tensor> outputs;
  for (const Graph::Output& output : graph.outputs()) outputs.push_back(values[static_cast<size_t>(output.value)]);
  return outputs;
}

}  // namespace neural_engine
