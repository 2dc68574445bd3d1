// Graph -> Plan. The order of the story: what the input shapes decide; what has to run; where values lie; which kernels
// run.

#include <algorithm>
#include <cstring>

#include "executor/evaluate.h"
#include "executor/frame.h"
#include "executor/memory.h"
#include "executor/plan.h"
#include "ir/infer.h"

namespace neural_engine {

namespace {

// Values that the input shapes decide are computed once per plan when they are not larger than this: masks and rotary
// tables of long sequences fit, an Expand of a whole batch does not pay.
constexpr int64_t kMaxFoldedBytes = 8 << 20;
// All of a plan's: what comes after is computed by each run, in memory that later values reuse.
constexpr size_t kMaxPlanConstantBytes = 256 << 20;

Tensor tensor_of_ints(const Facts& facts) {
  const std::optional<Shape> shape = facts.shape ? concrete(*facts.shape) : std::nullopt;
  const std::optional<std::vector<int64_t>> ints = facts.ints ? concrete(*facts.ints) : std::nullopt;
  if (!shape || !ints || (facts.dtype != DType::kS64 && facts.dtype != DType::kS32)) return {};
  if (facts.dtype == DType::kS64) return Tensor::of<int64_t>(*shape, *ints);
  return Tensor::of<int32_t>(*shape, std::vector<int32_t>(ints->begin(), ints->end()));
}

}  // namespace

class Compiler {
 public:
  Compiler(Plan& plan, int threads) : plan_(plan), graph_(plan.graph_), threads_(threads) {}

  void run() {
    resolve_facts();
    mark_needed();
    choose_steps();
    place_values();
    bind_steps();
    plan_memory();
  }

 private:
  // A buffer holds a value and its views, and values that are computed in place.
  struct Buffer {
    size_t bytes = 0;
    int first = 0;
    int last = 0;
    int output = -1;  // lies in the caller's memory for this output
  };

  Facts& facts(ValueId value) { return facts_[static_cast<size_t>(value)]; }
  Place& place(ValueId value) { return plan_.places_[static_cast<size_t>(value)]; }
  bool is_known(ValueId value) { return facts(value).constant.defined(); }

  // Concrete facts of every value; nodes that depend on nothing but shapes and constants are evaluated.
  void resolve_facts() {
    facts_.resize(static_cast<size_t>(graph_.num_values()));
    for (ValueId id = 0; id < graph_.num_values(); ++id) {
      if (graph_.value(id).is_constant()) facts(id) = graph_.value(id).facts;
    }
    for (size_t i = 0; i < graph_.inputs().size(); ++i) {
      const ValueId input = graph_.inputs()[i];
      facts(input) = facts_of(graph_.value(input).facts.dtype, symbolic(plan_.input_shapes_[i]));
    }
    order_ = graph_.order();
    for (NodeId id : order_) resolve_node(graph_.node(id));
  }

  void resolve_node(const Node& node) {
    std::vector<const Facts*> operands;
    for (ValueId input : node.inputs) operands.push_back(input == kNoValue ? nullptr : &facts(input));
    std::vector<Facts> results = infer_node(node, operands);
    for (Facts& result : results) {
      if (Tensor ints = tensor_of_ints(result); ints.defined()) result.constant = std::move(ints);
    }
    if (foldable(node, results)) fold(node, results);
    for (size_t i = 0; i < results.size(); ++i) {
      if (node.outputs[i] != kNoValue) facts(node.outputs[i]) = std::move(results[i]);
    }
  }

  bool foldable(const Node& node, const std::vector<Facts>& results) {
    if ((node.def->flags & kNondeterministic) || plan_.constant_bytes_ > kMaxPlanConstantBytes) return false;
    const bool inputs_known =
        std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return v == kNoValue || is_known(v); });
    if (!inputs_known) return false;
    return std::all_of(results.begin(), results.end(), [&](const Facts& result) {
      const std::optional<Shape> shape = result.shape ? concrete(*result.shape) : std::nullopt;
      if (!shape) return true;  // a matter of data that is known: NonZero of a constant
      double bytes = bits_of(result.dtype) / 8.0;
      for (int64_t dim : *shape) bytes *= static_cast<double>(dim);
      return bytes <= kMaxFoldedBytes;
    });
  }

  void fold(const Node& node, std::vector<Facts>& results) {
    std::vector<Tensor> operands;
    for (ValueId input : node.inputs) operands.push_back(input == kNoValue ? Tensor() : facts(input).constant);
    std::vector<Tensor> values = evaluate_node(node, operands);
    for (size_t i = 0; i < values.size(); ++i) {
      if (!values[i].defined()) continue;
      plan_.constant_bytes_ += values[i].bytes();
      results[i] = facts_of(values[i]);
    }
  }

  // A node has to run when an output that is not known yet is needed.
  void mark_needed() {
    needed_.assign(static_cast<size_t>(graph_.num_values()), false);
    for (const Graph::Output& output : graph_.outputs()) needed_[static_cast<size_t>(output.value)] = true;
    for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
      const Node& node = graph_.node(*it);
      if (!has_to_run(node)) continue;
      for (ValueId input : node.inputs) {
        if (input != kNoValue) needed_[static_cast<size_t>(input)] = true;
      }
    }
  }

  bool has_to_run(const Node& node) {
    return std::any_of(node.outputs.begin(), node.outputs.end(),
                       [&](ValueId v) { return v != kNoValue && needed_[static_cast<size_t>(v)] && !is_known(v); });
  }

  bool is_static(ValueId value) {
    return value == kNoValue || (facts(value).shape && concrete(*facts(value).shape).has_value());
  }

  void choose_steps() {
    for (NodeId id : order_) {
      const Node& node = graph_.node(id);
      if (!has_to_run(node)) continue;
      Step step;
      step.node = &node;
      step.dynamic = !std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return is_static(v); }) ||
                     !std::all_of(node.outputs.begin(), node.outputs.end(), [&](ValueId v) { return is_static(v); });
      plan_.steps_.push_back(std::move(step));
    }
  }

  // ---- where values lie
  // ----------------------------------------------------------------------------------------------

  void place_values() {
    plan_.places_.resize(static_cast<size_t>(graph_.num_values()));
    buffer_of_.assign(static_cast<size_t>(graph_.num_values()), -1);
    find_last_uses();
    for (size_t i = 0; i < graph_.inputs().size(); ++i) place_input(graph_.inputs()[i], static_cast<int>(i));
    for (ValueId id = 0; id < graph_.num_values(); ++id) {
      if (is_known(id) && needed_[static_cast<size_t>(id)]) place_constant(id);
    }
    std::vector<Step> steps;
    steps.swap(plan_.steps_);
    for (Step& step : steps) {
      const int index = static_cast<int>(plan_.steps_.size());
      if (place_as_view(*step.node, step.dynamic)) continue;  // costs nothing at run time
      for (size_t i = 0; i < step.node->outputs.size(); ++i) place_output(step, i, index);
      consume_inputs(step);
      plan_.steps_.push_back(std::move(step));
    }
    extend_lifetimes();
    assign_outputs();
    release_dynamic_values();
  }

  void find_last_uses() {
    uses_.assign(static_cast<size_t>(graph_.num_values()), 0);
    for (const Step& step : plan_.steps_) {
      for (ValueId input : step.node->inputs) {
        if (input != kNoValue) ++uses_[static_cast<size_t>(input)];
      }
    }
    for (const Graph::Output& output : graph_.outputs()) ++uses_[static_cast<size_t>(output.value)];
  }

  void describe_value(ValueId value, Place::Kind kind) {
    Place& at = place(value);
    at.kind = kind;
    at.dtype = facts(value).dtype;
    at.shape_known = is_static(value);
    if (at.shape_known) at.shape = *concrete(*facts(value).shape);
  }

  void place_input(ValueId value, int index) {
    describe_value(value, Place::Kind::kInput);
    place(value).index = index;
  }

  void place_constant(ValueId value) {
    describe_value(value, Place::Kind::kConstant);
    place(value).constant = facts(value).constant;
  }

  // The output of a view shares the place of its input.
  bool place_as_view(const Node& node, bool dynamic) {
    if (dynamic || !(node.def->flags & kView) || node.outputs[0] == kNoValue) return false;
    const ValueId from = node.inputs[0], to = node.outputs[0];
    const Place source = place(from);
    if (source.kind == Place::Kind::kDynamic || source.kind == Place::Kind::kNone) return false;
    if (source.kind == Place::Kind::kConstant) return false;  // would have been folded, were it not too large
    describe_value(to, source.kind);
    place(to).index = source.index;
    const int buffer = buffer_of_[static_cast<size_t>(from)];
    buffer_of_[static_cast<size_t>(to)] = buffer;
    if (buffer >= 0) pending_[static_cast<size_t>(buffer)] += uses_[static_cast<size_t>(to)] - 1;
    return true;
  }

  void place_output(const Step& step, size_t i, int index) {
    const ValueId value = step.node->outputs[i];
    if (value == kNoValue) return;
    if (step.dynamic) return describe_value(value, Place::Kind::kDynamic);
    describe_value(value, Place::Kind::kArena);
    const size_t bytes = bytes_of(value);
    int buffer = i == 0 ? reusable_buffer(step, bytes) : -1;
    if (buffer < 0) {
      buffer = static_cast<int>(buffers_.size());
      buffers_.push_back({.bytes = bytes, .first = index, .last = index, .output = -1});
      pending_.push_back(0);
    }
    buffer_of_[static_cast<size_t>(value)] = buffer;
    pending_[static_cast<size_t>(buffer)] += uses_[static_cast<size_t>(value)];
  }

  size_t bytes_of(ValueId value) { return Tensor::borrow(place(value).dtype, place(value).shape, nullptr).bytes(); }

  // An elementwise op may write over an input that nobody else reads any more.
  int reusable_buffer(const Step& step, size_t bytes) {
    if (!(step.node->def->flags & kElementwise) || bytes == 0) return -1;
    for (ValueId input : step.node->inputs) {
      if (input == kNoValue || place(input).kind != Place::Kind::kArena) continue;
      const int buffer = buffer_of_[static_cast<size_t>(input)];
      const int here =
          static_cast<int>(std::count_if(step.node->inputs.begin(), step.node->inputs.end(), [&](ValueId v) {
            return v != kNoValue && buffer_of_[static_cast<size_t>(v)] == buffer;
          }));
      const DType own = place(step.node->outputs[0]).dtype;
      if (bytes_of(input) == bytes && bits_of(place(input).dtype) == bits_of(own) &&
          pending_[static_cast<size_t>(buffer)] == here) {
        return buffer;
      }
    }
    return -1;
  }

  void consume_inputs(const Step& step) {
    for (ValueId input : step.node->inputs) {
      if (input == kNoValue) continue;
      const int buffer = buffer_of_[static_cast<size_t>(input)];
      if (buffer >= 0) --pending_[static_cast<size_t>(buffer)];
    }
  }

  void extend_lifetimes() {
    const int count = static_cast<int>(plan_.steps_.size());
    for (int index = 0; index < count; ++index) {
      for (const auto* operands : {&plan_.steps_[static_cast<size_t>(index)].node->inputs,
                                   &plan_.steps_[static_cast<size_t>(index)].node->outputs}) {
        for (ValueId value : *operands) {
          const int buffer = value == kNoValue ? -1 : buffer_of_[static_cast<size_t>(value)];
          if (buffer >= 0)
            buffers_[static_cast<size_t>(buffer)].last = std::max(buffers_[static_cast<size_t>(buffer)].last, index);
        }
      }
    }
  }

  // A buffer that ends as an output lies in the caller's memory; what cannot is copied at the end.
  void assign_outputs() {
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const ValueId value = graph_.outputs()[i].value;
      const int output = static_cast<int>(i);
      const Place& at = place(value);
      if (at.kind == Place::Kind::kDynamic) continue;  // handed over
      const int buffer = buffer_of_[static_cast<size_t>(value)];
      if (at.kind == Place::Kind::kArena && buffers_[static_cast<size_t>(buffer)].output < 0) {
        buffers_[static_cast<size_t>(buffer)].output = output;
      } else {
        plan_.copies_.push_back({value, output});
      }
    }
    for (ValueId value = 0; value < graph_.num_values(); ++value) {
      const int buffer = buffer_of_[static_cast<size_t>(value)];
      if (buffer < 0 || buffers_[static_cast<size_t>(buffer)].output < 0) continue;
      place(value).kind = Place::Kind::kOutput;
      place(value).index = buffers_[static_cast<size_t>(buffer)].output;
    }
  }

  void release_dynamic_values() {
    std::vector<int> last(static_cast<size_t>(graph_.num_values()), -1);
    for (size_t index = 0; index < plan_.steps_.size(); ++index) {
      const Node& node = *plan_.steps_[index].node;
      for (ValueId value : node.inputs) {
        if (value != kNoValue) last[static_cast<size_t>(value)] = static_cast<int>(index);
      }
      for (ValueId value : node.outputs) {
        if (value != kNoValue) last[static_cast<size_t>(value)] = static_cast<int>(index);
      }
    }
    for (const Graph::Output& output : graph_.outputs()) last[static_cast<size_t>(output.value)] = -1;
    for (ValueId value = 0; value < graph_.num_values(); ++value) {
      const int step = last[static_cast<size_t>(value)];
      if (step >= 0 && place(value).kind == Place::Kind::kDynamic) {
        plan_.steps_[static_cast<size_t>(step)].release.push_back(value);
      }
    }
  }

  // ---- kernels and memory
  // --------------------------------------------------------------------------------------------

  void bind_steps() {
    for (Step& step : plan_.steps_) with_context([&] { return describe(*step.node); }, [&] { bind(step); });
  }

  // A constant that the step reads as elements has to lie at an address that suits them.
  void align_constants(const Node& node, const OpBinding& binding, uint64_t packed) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId input = node.inputs[i];
      if (input == kNoValue || place(input).kind != Place::Kind::kConstant) continue;
      if (((binding.any_address | packed) >> i & 1) == 0)
        place(input).constant = plan_.weights_.aligned(place(input).constant);
    }
  }

  void bind(Step& step) {
    const Node& node = *step.node;
    const OpBinding* binding = find_binding(node.op());
    if (binding == nullptr) fail(Code::kUnsupported, "operator ", node.op(), " cannot be run");
    if (step.dynamic) return align_constants(node, *binding, 0);
    // Only constants of the graph count as weights: those that a shape decided die with the plan.
    std::vector<Facts> stripped;
    stripped.reserve(node.inputs.size());
    std::vector<const Facts*> operands;
    for (ValueId input : node.inputs) {
      if (input == kNoValue || graph_.value(input).is_constant()) {
        operands.push_back(input == kNoValue ? nullptr : &facts(input));
      } else {
        stripped.push_back(facts_of(facts(input).dtype, *facts(input).shape));
        operands.push_back(&stripped.back());
      }
    }
    std::vector<Facts> outputs;
    for (ValueId output : node.outputs) outputs.push_back(output == kNoValue ? Facts() : facts(output));
    const BindContext context(node, operands, outputs, threads_, plan_.weights_);
    step.op = binding->bind(context);
    uint64_t packed = 0;
    for (int i = 0; i < context.num_inputs(); ++i) packed |= uint64_t{context.is_packed(i)} << i;
    align_constants(node, *binding, packed);
  }

  void plan_memory() {
    std::vector<BufferRequest> requests;
    std::vector<int> request_of(buffers_.size(), -1);
    for (size_t i = 0; i < buffers_.size(); ++i) {
      if (buffers_[i].output >= 0) continue;
      request_of[i] = static_cast<int>(requests.size());
      requests.push_back({buffers_[i].bytes, buffers_[i].first, buffers_[i].last});
    }
    const size_t first_scratch = requests.size();
    for (size_t i = 0; i < plan_.steps_.size(); ++i) {
      requests.push_back({plan_.steps_[i].op.scratch_bytes, static_cast<int>(i), static_cast<int>(i)});
    }
    const ArenaLayout layout = plan_arena(requests);
    plan_.arena_bytes_ = layout.bytes;
    for (size_t i = 0; i < plan_.steps_.size(); ++i) plan_.steps_[i].scratch_offset = layout.offsets[first_scratch + i];
    for (ValueId value = 0; value < graph_.num_values(); ++value) {
      const int buffer = buffer_of_[static_cast<size_t>(value)];
      if (buffer >= 0 && request_of[static_cast<size_t>(buffer)] >= 0) {
        place(value).offset = layout.offsets[static_cast<size_t>(request_of[static_cast<size_t>(buffer)])];
      }
    }
  }

  Plan& plan_;
  const Graph& graph_;
  const int threads_;
  std::vector<NodeId> order_;
  std::vector<Facts> facts_;    // by value
  std::vector<bool> needed_;    // by value
  std::vector<int> uses_;       // by value: reads by steps and by the graph's outputs
  std::vector<int> buffer_of_;  // by value; -1: none of its own
  std::vector<Buffer> buffers_;
  std::vector<int> pending_;  // by buffer: reads still to come
};

Plan::Plan(const Graph& graph, const std::vector<Shape>& input_shapes, int threads, WeightStore& weights)
    : graph_(graph), weights_(weights), input_shapes_(input_shapes) {
  Compiler(*this, threads).run();
}

}  // namespace neural_engine
