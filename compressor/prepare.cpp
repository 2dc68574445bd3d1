#include <algorithm>
#include <set>

#include "base/error.h"
#include "compressor/prepared.h"
#include "compressor/quantize/equalize.h"
#include "passes/expand.h"
#include "passes/queries.h"

namespace neural_engine {

namespace {

std::vector<NodeId> take_apart(Graph& graph, NodeId attention) {
  const NodeId first = graph.num_nodes();
  expand_node(graph, attention);
  std::vector<NodeId> products;
  for (NodeId id = first; id < graph.num_nodes(); ++id) {
    if (graph.alive(id) && graph.node(id).is("MatMul")) products.push_back(id);
  }
  require(products.size() == 2, Code::kInternal, "an attention has ", products.size(), " products");
  return products;
}

void add_operands(const Graph& graph, Operation& operation) {
  const auto add = [&](NodeId id, size_t input, Operand::Role role) {
    operation.operands.push_back({.node = id, .input = input, .value = graph.node(id).inputs[input], .role = role});
  };
  switch (operation.target.kind) {
    case TargetKind::kLinear: return add(operation.nodes[0], 0, Operand::Role::kFirst);
    case TargetKind::kMatMul:
    case TargetKind::kAttention:
      for (NodeId id : operation.nodes) {
        add(id, 0, Operand::Role::kFirst);
        add(id, 1, Operand::Role::kSecond);
      }
      return;
    case TargetKind::kEmbedding: return;
    case TargetKind::kResidual:
      if (const size_t input = operation.target.residual_input; input != 0) {
        return add(operation.nodes[0], input, Operand::Role::kResidual);
      }
      add(operation.nodes[0], 0, Operand::Role::kResidual);
      add(operation.nodes[0], 1, Operand::Role::kResidual);
  }
}

}  // namespace

std::vector<Operation> find_operations(Graph& graph, const std::vector<Target>& targets,
                                       const std::vector<bool>& looks_into) {
  std::vector<Operation> operations;
  for (size_t i = 0; i < targets.size(); ++i) {
    Operation operation{.target = targets[i], .nodes = {targets[i].node}, .operands = {}};
    const bool attention = targets[i].kind == TargetKind::kAttention;
    if (attention && looks_into[i]) operation.nodes = take_apart(graph, targets[i].node);
    operations.push_back(std::move(operation));
  }
  // Once all is taken apart: the result of an attention that others read is another value then.
  for (size_t i = 0; i < operations.size(); ++i) {
    if (targets[i].kind != TargetKind::kAttention || looks_into[i]) add_operands(graph, operations[i]);
  }
  return operations;
}

std::vector<Observed> values_to_observe(const Graph& graph, const std::vector<Operation>& operations,
                                        const std::vector<Settings>& settings) {
  std::vector<Observed> values;
  for (size_t i = 0; i < operations.size(); ++i) {
    if (settings[i].precision != OpPrecision::kInt8) continue;
    for (const Operand& operand : operations[i].operands) {
      const bool by_channel = operations[i].target.kind == TargetKind::kLinear && channels_of(graph, operand.value) > 0;
      const auto known =
          std::find_if(values.begin(), values.end(), [&](const Observed& each) { return each.value == operand.value; });
      if (known == values.end()) {
        values.push_back({.value = operand.value, .by_channel = by_channel});
      } else {
        known->by_channel = known->by_channel || by_channel;
      }
    }
  }
  return values;
}

PreparedModel prepare(const Model& model, const Recipe& recipe, const SessionOptions& session) {
  auto impl = std::make_unique<PreparedModel::Impl>();
  impl->recipe = recipe;
  impl->graph = model.graph();
  const std::vector<Target> targets = find_targets(impl->graph);
  impl->settings = resolve(recipe, targets);
  std::vector<bool> looks_into;
  for (const Settings& settings : impl->settings) looks_into.push_back(settings.precision != OpPrecision::kF32);
  if (recipe.equalization) equalize(impl->graph, targets, impl->settings);
  impl->operations = find_operations(impl->graph, targets, looks_into);
  impl->collector = std::make_unique<Collector>(
      impl->graph, values_to_observe(impl->graph, impl->operations, impl->settings), recipe.mask_input, session);
  return PreparedModel(std::move(impl));
}

PreparedModel::PreparedModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PreparedModel::PreparedModel(PreparedModel&&) noexcept = default;
PreparedModel& PreparedModel::operator=(PreparedModel&&) noexcept = default;
PreparedModel::~PreparedModel() = default;

std::vector<Tensor> PreparedModel::run(std::span<const Tensor> inputs) { return impl_->collector->run(inputs); }
int64_t PreparedModel::runs() const { return impl_->collector->runs(); }
const Recipe& PreparedModel::recipe() const { return impl_->recipe; }

}  // namespace neural_engine
