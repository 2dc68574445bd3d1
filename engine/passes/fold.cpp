#include <algorithm>
#include <set>

#include "base/tensor_memory.h"
#include "ir/infer.h"
#include "passes/passes.h"
#include "passes/patch.h"
#include "passes/queries.h"

namespace neural_engine {

namespace {

// A folded constant may be this large, or as large as what it is computed from (a transposed weight).
constexpr int64_t kMaxFoldedBytes = 1 << 20;
// Inputs of ops whose output size only running tells.
constexpr int64_t kMaxBlindBytes = 64 << 10;

int64_t bytes_of(DType dtype, const Shape& shape) {
  double elems = 1;  // a double: the product of a model's numbers may exceed any integer
  for (int64_t dim : shape) elems *= static_cast<double>(dim);
  return static_cast<int64_t>(std::min(elems * bits_of(dtype) / 8, 9e18));
}

class Folder {
 public:
  Folder(Graph& graph, const Evaluator& evaluator, PassReport& report)
      : graph_(graph), evaluator_(evaluator), report_(report) {
    for (ValueId id = 0; id < graph.num_values(); ++id) {
      if (graph.value(id).is_constant())
        constant_bytes_ += static_cast<int64_t>(graph.value(id).facts.constant.bytes());
    }
  }

  bool run() {
    bool changed = false;
    for (NodeId id : graph_.order()) {
      if (!graph_.alive(id)) continue;  // fell with a user
      if (!report_.may_apply()) break;
      changed = fold_known_ints(id) || fold_node(id) || changed;
    }
    return changed;
  }

 private:
  // A result of the graph stays a node's value.
  bool replaceable(const Node& node) const {
    return std::none_of(node.outputs.begin(), node.outputs.end(),
                        [&](ValueId output) { return output != kNoValue && graph_.is_output(output); });
  }

  void put_constant(ValueId value, Tensor tensor) {
    const Value& old = graph_.value(value);
    const ValueId constant = graph_.add_constant(std::move(tensor), old.name);
    graph_.value(value).name.clear();
    graph_.replace_uses(value, constant);
  }

  // Shape(x) of a known shape, and all the arithmetic on it.
  bool fold_known_ints(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.outputs.size() != 1 || !replaceable(node)) return false;
    const Facts& facts = graph_.value(node.outputs[0]).facts;
    if (!facts.ints || !facts.shape || (facts.dtype != DType::kS64 && facts.dtype != DType::kS32)) return false;
    const std::optional<Shape> shape = concrete(*facts.shape);
    const std::optional<std::vector<int64_t>> ints = concrete(*facts.ints);
    if (!shape || !ints) return false;
    Tensor tensor(facts.dtype, *shape);
    if (tensor.elems() != static_cast<int64_t>(ints->size())) return false;
    for (size_t i = 0; i < ints->size(); ++i) {
      if (facts.dtype == DType::kS64) {
        tensor.data<int64_t>()[i] = (*ints)[i];
      } else {
        tensor.data<int32_t>()[i] = static_cast<int32_t>((*ints)[i]);
      }
    }
    const std::string where = node.name;
    put_constant(node.outputs[0], std::move(tensor));
    erase_unused(graph_, id);
    report_.applied("fold_shape", where);
    return true;
  }

  bool fold_node(NodeId id) {
    const Node& node = graph_.node(id);
    if (!may_fold(node)) return false;
    std::vector<Tensor> inputs, outputs;
    int64_t input_bytes = 0;
    for (ValueId input : node.inputs) {
      inputs.push_back(input == kNoValue ? Tensor() : graph_.value(input).facts.constant);
      input_bytes += static_cast<int64_t>(inputs.back().bytes());
    }
    const int64_t limit = std::max(kMaxFoldedBytes, input_bytes);
    if (!size_is_bounded(node, input_bytes, limit)) return false;
    try {
      outputs = evaluator_(node, inputs);
    } catch (const Error& error) {
      // Not ours to judge: the node may never run, or its failure belongs to the request.
      report_.refused("fold", node.name, error.what());
      return false;
    }
    for (const Tensor& input : inputs) release_pages(input);
    int64_t output_bytes = 0;
    for (const Tensor& output : outputs) output_bytes += static_cast<int64_t>(output.bytes());
    if (output_bytes > limit) return false;
    if (!report_.may_grow(output_bytes - bytes_that_fall(id), constant_bytes_)) {
      report_.refused("fold", node.name, "constants would become much larger than the model's");
      return false;
    }
    const std::string where = node.name;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (node.outputs[i] != kNoValue) put_constant(node.outputs[i], std::move(outputs[i]));
    }
    erase_unused(graph_, id);
    report_.applied("fold", where);
    return true;
  }

  // Of the operands that nobody else reads.
  int64_t bytes_that_fall(NodeId id) const {
    const std::set<ValueId> operands(graph_.node(id).inputs.begin(), graph_.node(id).inputs.end());
    int64_t bytes = 0;
    for (ValueId operand : operands) {
      if (operand == kNoValue || !only_used_by(graph_, operand, id)) continue;
      bytes += static_cast<int64_t>(graph_.value(operand).facts.constant.bytes());
    }
    return bytes;
  }

  bool may_fold(const Node& node) const {
    if ((node.def->flags & kNondeterministic) != 0 || !replaceable(node)) return false;
    // A weight that is kept in few bits is kept so on purpose; bodies may hold random ops.
    if (node.is("DequantizeLinear") || node.is("If") || node.is("Loop") || node.is("Scan")) return false;
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](ValueId input) { return input == kNoValue || graph_.value(input).is_constant(); });
  }

  bool size_is_bounded(const Node& node, int64_t input_bytes, int64_t limit) const {
    int64_t total = 0;
    for (ValueId output : node.outputs) {
      if (output == kNoValue) continue;
      const Facts& facts = graph_.value(output).facts;
      const std::optional<Shape> shape = facts.shape ? concrete(*facts.shape) : std::nullopt;
      if (!shape) return input_bytes <= kMaxBlindBytes;
      const int64_t bytes = bytes_of(facts.dtype, *shape);
      if (bytes > limit) return false;
      total += bytes;
    }
    return total <= limit;
  }

  Graph& graph_;
  const Evaluator& evaluator_;
  PassReport& report_;
  int64_t constant_bytes_ = 0;  // before this pass
};

}  // namespace

bool fold_constants(Graph& graph, const Evaluator& evaluator, PassReport& report) {
  return Folder(graph, evaluator, report).run();
}

bool erase_dead_code(Graph& graph, PassReport& report) {
  const int erased = graph.erase_dead();
  if (erased > 0) report.applied("dead_code", text(erased, erased == 1 ? " node" : " nodes"));
  return erased > 0;
}

}  // namespace neural_engine
