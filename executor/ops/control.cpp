// If, Loop and Scan: their bodies are programs of their own, compiled once per session and set of shapes.

#include <algorithm>
#include <cstring>

#include "executor/op_binding.h"
#include "executor/program.h"

namespace neural_engine {

namespace {

// Plans of a body: a loop whose carried values grow needs a new one in each iteration, and none of them twice.
constexpr size_t kBodyPlans = 4;

class Body {
 public:
  Body(const BindContext& context, std::string_view attr) {
    const GraphPtr& graph = context.attr<GraphPtr>(attr);
    program_ = std::static_pointer_cast<Program>(context.weights.keep(graph, [&]() -> std::shared_ptr<void> {
      return std::make_shared<Program>(graph, context.weights, context.threads, kBodyPlans);
    }));
  }

  // Fresh outputs, that share no memory with the inputs.
  std::vector<Tensor> run(std::span<const Tensor> inputs, Parallel& parallel) const {
    std::vector<Tensor> outputs(program_->graph().outputs().size());
    program_->run(inputs, outputs, parallel);
    return outputs;
  }

 private:
  std::shared_ptr<Program> program_;
};

bool bool_of(const Tensor& tensor) {
  require(tensor.dtype() == DType::kBool && tensor.elems() == 1, Code::kInvalidData, "a condition has dtype ",
          to_string(tensor.dtype()), " and shape ", to_string(tensor.shape()), ", expected one bool");
  return *tensor.data<bool>();
}

// ---- If
// ----------------------------------------------------------------------------------------------------------------

BoundOp bind_if(const BindContext& context) {
  return {.run = [then_body = Body(context, "then_branch"), else_body = Body(context, "else_branch")](OpContext& op) {
    std::vector<Tensor> captures;
    for (int i = 1; i < op.num_inputs(); ++i) captures.push_back(op.input(i));
    std::vector<Tensor> results = (bool_of(op.input(0)) ? then_body : else_body).run(captures, op.parallel);
    for (int i = 0; i < op.num_outputs(); ++i) op.set_output(i, std::move(results[static_cast<size_t>(i)]));
  }};
}

// ---- Loop
// --------------------------------------------------------------------------------------------------------------

// The elements of an axis, gathered one by one.
class Stack {
 public:
  void push(Tensor tensor) {
    if (!parts_.empty()) {
      require(tensor.shape() == parts_.front().shape(), Code::kInvalidData, "a scanned output changes its shape from ",
              to_string(parts_.front().shape()), " to ", to_string(tensor.shape()));
    }
    parts_.push_back(std::move(tensor));
  }
  bool empty() const { return parts_.empty(); }

  // The parts along a new axis; in reverse order when asked.
  Tensor concat(int64_t axis, bool reverse) {
    Shape shape = parts_.front().shape();
    const int64_t rank = static_cast<int64_t>(shape.size()) + 1;
    require(axis >= -rank && axis < rank, Code::kInvalidModel, "scan output axis ", axis, " is outside rank ", rank);
    if (axis < 0) axis += rank;
    const int64_t count = static_cast<int64_t>(parts_.size());
    int64_t outer = 1;
    for (int64_t i = 0; i < axis; ++i) outer *= shape[static_cast<size_t>(i)];
    shape.insert(shape.begin() + axis, count);
    Tensor result(parts_.front().dtype(), shape);
    require(bits_of(result.dtype()) % 8 == 0, Code::kUnsupported, "scanned outputs of dtype ",
            to_string(result.dtype()));
    const size_t row = outer == 0 ? 0 : parts_.front().bytes() / static_cast<size_t>(outer);
    std::byte* to = static_cast<std::byte*>(result.raw());
    for (int64_t o = 0; o < outer && row != 0; ++o) {
      for (int64_t i = 0; i < count; ++i, to += row) {
        const Tensor& part = parts_[static_cast<size_t>(reverse ? count - 1 - i : i)];
        std::memcpy(to, static_cast<const std::byte*>(part.raw()) + static_cast<size_t>(o) * row, row);
      }
    }
    return result;
  }

 private:
  std::vector<Tensor> parts_;
};

// A scanned output of a loop that never ran: no elements, of the shape that the body declares (unknown dims are 0).
Tensor empty_scan(const Graph& body, size_t output, int64_t axis) {
  const Facts& facts = body.value(body.outputs()[output].value).facts;
  require(facts.dtype != DType::kUndefined, Code::kUnsupported, "the dtype of a scanned output is not known");
  Shape shape;
  if (facts.shape) {
    for (const Dim& dim : *facts.shape) shape.push_back(dim.known() ? dim.value() : 0);
  }
  const int64_t rank = static_cast<int64_t>(shape.size()) + 1;
  shape.insert(shape.begin() + (axis < 0 ? axis + rank : axis), 0);
  return Tensor(facts.dtype, shape);
}

void run_loop(const Node& node, const Body& body, OpContext& op) {
  const Graph& graph = *node.attr<GraphPtr>("body");
  const int carried = static_cast<int>(node.attr<int64_t>("num_carried"));
  const int64_t max_trips = op.has_input(0) ? *op.input(0).data<int64_t>() : INT64_MAX;
  bool condition = !op.has_input(1) || bool_of(op.input(1));
  const size_t scans = graph.outputs().size() - 1 - static_cast<size_t>(carried);

  std::vector<Tensor> inputs(2);
  for (int i = 2; i < op.num_inputs(); ++i) inputs.push_back(op.input(i));
  std::vector<Stack> stacks(scans);
  for (int64_t trip = 0; trip < max_trips && condition; ++trip) {
    inputs[0] = Tensor::scalar<int64_t>(trip);
    inputs[1] = Tensor::scalar<bool>(condition);
    for (size_t i = 0; i < 2; ++i) {  // the body may declare [1] instead of a scalar
      const Facts& declared = graph.value(graph.inputs()[i]).facts;
      if (declared.shape && declared.shape->size() == 1) inputs[i] = inputs[i].reshaped({1});
    }
    std::vector<Tensor> results = body.run(inputs, op.parallel);
    condition = bool_of(results[0]);
    for (int i = 0; i < carried; ++i)
      inputs[static_cast<size_t>(2 + i)] = std::move(results[static_cast<size_t>(1 + i)]);
    for (size_t i = 0; i < scans; ++i) stacks[i].push(std::move(results[1 + static_cast<size_t>(carried) + i]));
  }
  for (int i = 0; i < carried && i < op.num_outputs(); ++i)
    op.set_output(i, inputs[static_cast<size_t>(2 + i)].clone());
  for (size_t i = 0; i < scans; ++i) {
    const int output = carried + static_cast<int>(i);
    if (!op.wants_output(output)) continue;
    const size_t of_body = 1 + static_cast<size_t>(carried) + i;
    op.set_output(output, stacks[i].empty() ? empty_scan(graph, of_body, 0) : stacks[i].concat(0, false));
  }
}

BoundOp bind_loop(const BindContext& context) {
  return {.run = [&node = context.node(), body = Body(context, "body")](OpContext& op) { run_loop(node, body, op); }};
}

// ---- Scan
// --------------------------------------------------------------------------------------------------------------

// Element `index` of an axis, as a tensor without that axis.
Tensor element(const Tensor& tensor, int64_t axis, int64_t index) {
  Shape shape = tensor.shape();
  const int64_t length = shape[static_cast<size_t>(axis)];
  int64_t outer = 1;
  for (int64_t i = 0; i < axis; ++i) outer *= shape[static_cast<size_t>(i)];
  shape.erase(shape.begin() + axis);
  Tensor result(tensor.dtype(), shape);
  require(bits_of(tensor.dtype()) % 8 == 0, Code::kUnsupported, "scanned inputs of dtype ", to_string(tensor.dtype()));
  const size_t row = outer == 0 ? 0 : result.bytes() / static_cast<size_t>(outer);
  for (int64_t o = 0; o < outer && row != 0; ++o) {
    std::memcpy(static_cast<std::byte*>(result.raw()) + static_cast<size_t>(o) * row,
                static_cast<const std::byte*>(tensor.raw()) + static_cast<size_t>(o * length + index) * row, row);
  }
  return result;
}

int64_t list_entry(const Node& node, std::string_view attr, size_t i) {
  if (!node.attrs.has(attr)) return 0;
  const auto& list = node.attr<std::vector<int64_t>>(attr);
  require(list.empty() || i < list.size(), Code::kInvalidModel, "attribute \"", attr, "\" has ", list.size(),
          " entries");
  return list.empty() ? 0 : list[i];
}

void run_scan(const Node& node, const Body& body, OpContext& op) {
  const Graph& graph = *node.attr<GraphPtr>("body");
  const size_t scan_inputs = static_cast<size_t>(node.attr<int64_t>("num_scan_inputs"));
  const size_t captures = static_cast<size_t>(node.attr<int64_t>("num_captures"));
  const size_t states = static_cast<size_t>(op.num_inputs()) - captures - scan_inputs;
  const size_t scan_outputs = graph.outputs().size() - states;

  std::vector<int64_t> axes, lengths;
  for (size_t i = 0; i < scan_inputs; ++i) {
    const Tensor& source = op.input(static_cast<int>(states + i));
    int64_t axis = list_entry(node, "scan_input_axes", i);
    require(axis >= -source.rank() && axis < source.rank(), Code::kInvalidModel, "scan input axis ", axis,
            " is outside rank ", source.rank());
    if (axis < 0) axis += source.rank();
    axes.push_back(axis);
    lengths.push_back(source.dim(static_cast<int>(axis)));
    require(lengths.back() == lengths.front(), Code::kInvalidData, "scan inputs of lengths ", lengths.front(), " and ",
            lengths.back());
  }

  std::vector<Tensor> inputs;
  for (int i = 0; i < op.num_inputs(); ++i) inputs.push_back(op.input(i));
  std::vector<Stack> stacks(scan_outputs);
  for (int64_t step = 0; step < lengths.front(); ++step) {
    for (size_t i = 0; i < scan_inputs; ++i) {
      const int64_t index = list_entry(node, "scan_input_directions", i) == 0 ? step : lengths.front() - 1 - step;
      inputs[states + i] = element(op.input(static_cast<int>(states + i)), axes[i], index);
    }
    std::vector<Tensor> results = body.run(inputs, op.parallel);
    for (size_t i = 0; i < states; ++i) inputs[i] = std::move(results[i]);
    for (size_t i = 0; i < scan_outputs; ++i) stacks[i].push(std::move(results[states + i]));
  }
  for (size_t i = 0; i < states; ++i) op.set_output(static_cast<int>(i), inputs[i].clone());
  for (size_t i = 0; i < scan_outputs; ++i) {
    const int64_t axis = list_entry(node, "scan_output_axes", i);
    const bool reverse = list_entry(node, "scan_output_directions", i) != 0;
    op.set_output(static_cast<int>(states + i),
                  stacks[i].empty() ? empty_scan(graph, states + i, axis) : stacks[i].concat(axis, reverse));
  }
}

BoundOp bind_scan(const BindContext& context) {
  return {.run = [&node = context.node(), body = Body(context, "body")](OpContext& op) { run_scan(node, body, op); }};
}

}  // namespace

std::span<const OpBinding> control_bindings() {
  static constexpr OpBinding kBindings[] = {{"If", bind_if}, {"Loop", bind_loop}, {"Scan", bind_scan}};
  return kBindings;
}

}  // namespace neural_engine
