// If, Loop and Scan: inference of their bodies, which are closed graphs (see ir/graph.h): captured values are further
// inputs, at the end.
#include <algorithm>

#include "ir/infer.h"
#include "ops/all.h"
#include "ops/shape_rules.h"

namespace neural_engine {

namespace {

// What is known of a value that is the one or the other.
Facts either(const InferContext& context, const Facts& a, const Facts& b, const char* what) {
  if (a.dtype != DType::kUndefined && b.dtype != DType::kUndefined && a.dtype != b.dtype) {
    context.invalid(what, " has the dtypes ", to_string(a.dtype), " and ", to_string(b.dtype));
  }
  Facts result;
  result.dtype = a.dtype == DType::kUndefined ? b.dtype : a.dtype;
  if (a.shape && b.shape && a.shape->size() == b.shape->size()) {
    result.shape = a.shape;
    for (size_t i = 0; i < result.shape->size(); ++i) {
      if (!((*a.shape)[i] == (*b.shape)[i])) (*result.shape)[i] = Dim();
    }
  }
  if (result.shape && a.ints && b.ints && a.ints->size() == b.ints->size()) {
    result.ints = a.ints;
    for (size_t i = 0; i < result.ints->size(); ++i) {
      if (!((*a.ints)[i] == (*b.ints)[i])) (*result.ints)[i] = Dim();
    }
  }
  return result;
}

bool certainly_equal(const std::optional<std::vector<Dim>>& a, const std::optional<std::vector<Dim>>& b) {
  if (a.has_value() != b.has_value()) return false;
  // Unknown dimensions stay unknown from one round to the next, so they count as equal here.
  const auto same = [](const Dim& x, const Dim& y) { return to_string(x) == to_string(y); };
  return !a || std::equal(a->begin(), a->end(), b->begin(), b->end(), same);
}

Facts without_constant(Facts facts) {
  facts.constant = Tensor();
  return facts;
}

std::vector<Facts> inputs_from(const InferContext& context, int begin, int end) {
  std::vector<Facts> result;
  for (int i = begin; i < end; ++i) result.push_back(context.has_input(i) ? context.input(i) : Facts());
  return result;
}

std::vector<Facts> infer_body(const InferContext& context, const char* attr, std::span<const Facts> inputs) {
  return with_context([&] { return text(attr, ": "); },
                      [&] { return infer_outputs(*context.attr<GraphPtr>(attr), inputs); });
}

int count_attr(const InferContext& context, const char* attr, int limit) {
  const int64_t value = context.int_attr(attr);
  if (value < 0 || value > limit) context.invalid(attr, " ", value, " found, expected 0 to ", limit);
  return static_cast<int>(value);
}

void require_condition(const InferContext& context, int input) {
  if (!context.has_input(input)) return;
  context.require_dtype(input, {DType::kBool});
  const SymShape* shape = context.shape(input);
  const Dim elems = shape ? product(*shape) : Dim();
  if (elems.known() && elems.value() != 1) {
    context.invalid("the condition has shape ", to_string(*shape), ", expected one element");
  }
}

// Each round infers the body, and the bodies within it in rounds of their own, so few are allowed.
constexpr int kMaxRounds = 4;

// What always holds. A dtype that is not known stays so.
void forget_shapes(std::vector<Facts>& values) {
  for (Facts& value : values) value = Facts{.dtype = value.dtype, .shape = {}, .ints = {}, .constant = {}};
}

// Facts of carried values that hold before every iteration: what the body returns is merged in until nothing changes.
// Dimensions only ever become unknown; when that takes long, all shapes do.
template <class Body>
std::vector<Facts> settle(const InferContext& context, std::vector<Facts>& carried, Body&& run_body) {
  for (int round = 1;; ++round) {
    std::vector<Facts> outputs = run_body(carried);
    bool settled = true;
    for (size_t i = 0; i < carried.size(); ++i) {
      Facts merged = either(context, carried[i], outputs[i], "a carried value");
      if (round > kMaxRounds) merged.dtype = carried[i].dtype;
      settled &= merged.dtype == carried[i].dtype && certainly_equal(merged.shape, carried[i].shape) &&
                 certainly_equal(merged.ints, carried[i].ints);
      carried[i] = std::move(merged);
    }
    if (settled) return std::vector<Facts>(outputs.begin() + static_cast<int64_t>(carried.size()), outputs.end());
    if (round >= kMaxRounds) forget_shapes(carried);
  }
}

void require_body(const InferContext& context, const char* attr, int inputs, int outputs) {
  const Graph& body = *context.attr<GraphPtr>(attr);
  const int found_inputs = static_cast<int>(body.inputs().size()), found = static_cast<int>(body.outputs().size());
  if (found_inputs != inputs || found != outputs) {
    context.invalid(attr, " has ", found_inputs, " inputs and ", found, " outputs, expected ", inputs, " and ",
                    outputs);
  }
}

// A branch that cannot be computed from inputs of these shapes will not be taken (exporters guard a Squeeze by an If on
// the size): it tells nothing. A branch that the engine does not honour is refused all the same.
std::optional<std::vector<Facts>> infer_branch(const InferContext& context, const char* attr,
                                               std::span<const Facts> inputs, std::optional<Error>& error) {
  try {
    return infer_body(context, attr, inputs);
  } catch (const Error& caught) {
    if (caught.code() != Code::kInvalidModel) throw;
    error = caught;
    return std::nullopt;
  }
}

void infer_if(InferContext& context) {
  require_condition(context, 0);
  const int captures = count_attr(context, "num_captures", context.num_inputs() - 1);
  if (captures != context.num_inputs() - 1) {
    context.invalid(context.num_inputs(), " inputs found, expected the condition and ", captures, " captures");
  }
  for (const char* branch : {"then_branch", "else_branch"}) {
    require_body(context, branch, captures, context.num_outputs());
  }
  const std::vector<Facts> inputs = inputs_from(context, 1, context.num_inputs());
  std::vector<std::vector<Facts>> results;
  std::optional<Error> error;
  const Tensor* condition = context.constant(0);
  for (const char* branch : {"then_branch", "else_branch"}) {
    const bool on_true = branch[0] == 't';
    if (condition && condition->data<bool>()[0] != on_true) continue;
    if (auto facts = infer_branch(context, branch, inputs, error)) results.push_back(*std::move(facts));
  }
  if (results.empty()) throw *error;
  for (int i = 0; i < context.num_outputs(); ++i) {
    const size_t k = static_cast<size_t>(i);
    Facts facts = results[0][k];
    if (results.size() > 1) facts = either(context, facts, results[1][k], "an output");
    context.set_facts(i, without_constant(std::move(facts)));
  }
}

void infer_loop(InferContext& context) {
  if (context.has_input(0)) context.require_dtype(0, {DType::kS64});
  require_condition(context, 1);
  const int captures = count_attr(context, "num_captures", std::max(0, context.num_inputs() - 2));
  const int carried = count_attr(context, "num_carried", context.num_outputs());
  const int scans = context.num_outputs() - carried, first_capture = 2 + carried;
  if (context.num_inputs() != first_capture + captures) {
    context.invalid(context.num_inputs(), " inputs found, expected 2 and ", carried, " carried and ", captures,
                    " captured values");
  }
  require_body(context, "body", first_capture + captures, 1 + context.num_outputs());
  std::vector<Facts> values = inputs_from(context, 2, first_capture);
  std::transform(values.begin(), values.end(), values.begin(), without_constant);
  const std::vector<Facts> captured = inputs_from(context, first_capture, context.num_inputs());
  const std::vector<Facts> scanned = settle(context, values, [&](const std::vector<Facts>& current) {
    std::vector<Facts> inputs = {facts_of(DType::kS64, {}), facts_of(DType::kBool, {})};
    inputs.insert(inputs.end(), current.begin(), current.end());
    inputs.insert(inputs.end(), captured.begin(), captured.end());
    std::vector<Facts> outputs = infer_body(context, "body", inputs);
    outputs.erase(outputs.begin());  // the condition
    return outputs;
  });
  for (int i = 0; i < carried; ++i) context.set_facts(i, std::move(values[static_cast<size_t>(i)]));
  for (int i = 0; i < scans; ++i) {
    const Facts& element = scanned[static_cast<size_t>(i)];
    std::optional<SymShape> shape = element.shape;
    if (shape) shape->insert(shape->begin(), Dim());  // the condition may end the loop early
    context.set(carried + i, element.dtype, std::move(shape));
  }
}

// `scan_*_axes` and `scan_*_directions`: one value for each, 0 when absent.
std::vector<int64_t> scan_attr(const InferContext& context, const char* attr, int count) {
  if (!context.node().attrs.has(attr)) return std::vector<int64_t>(static_cast<size_t>(count), 0);
  const std::vector<int64_t>& values = context.attr<std::vector<int64_t>>(attr);
  if (static_cast<int>(values.size()) != count) {
    context.invalid(attr, " has ", values.size(), " values, expected ", count);
  }
  return values;
}

void require_directions(const InferContext& context, const char* attr, int count) {
  for (int64_t direction : scan_attr(context, attr, count)) {
    if (direction != 0 && direction != 1) context.invalid(attr, " holds ", direction, ", expected 0 or 1");
  }
}

// The elements of the scanned inputs, and the common length.
std::vector<Facts> scan_elements(const InferContext& context, int first, int count, Dim& length) {
  const std::vector<int64_t> axes = scan_attr(context, "scan_input_axes", count);
  std::vector<Facts> elements;
  for (int i = 0; i < count; ++i) {
    Facts element;
    element.dtype = context.dtype(first + i);
    if (const SymShape* shape = context.shape(first + i)) {
      const int64_t axis = context.normalize_axis(axes[static_cast<size_t>(i)], static_cast<int64_t>(shape->size()));
      length = same_dim(context, length, (*shape)[static_cast<size_t>(axis)], "lengths of the scanned inputs");
      element.shape = *shape;
      element.shape->erase(element.shape->begin() + axis);
    }
    elements.push_back(std::move(element));
  }
  return elements;
}

void infer_scan(InferContext& context) {
  const int captures = count_attr(context, "num_captures", context.num_inputs());
  const int scan_inputs = count_attr(context, "num_scan_inputs", context.num_inputs() - captures);
  if (scan_inputs < 1) context.invalid("num_scan_inputs is 0, expected 1 or more");
  const int states = context.num_inputs() - captures - scan_inputs, first_capture = states + scan_inputs;
  const int scan_outputs = context.num_outputs() - states;
  if (scan_outputs < 0) context.invalid(context.num_outputs(), " outputs found, expected at least ", states);
  require_body(context, "body", context.num_inputs(), context.num_outputs());
  require_directions(context, "scan_input_directions", scan_inputs);
  require_directions(context, "scan_output_directions", scan_outputs);
  const std::vector<int64_t> axes = scan_attr(context, "scan_output_axes", scan_outputs);

  Dim length;
  const std::vector<Facts> elements = scan_elements(context, states, scan_inputs, length);
  std::vector<Facts> values = inputs_from(context, 0, states);
  std::transform(values.begin(), values.end(), values.begin(), without_constant);
  const std::vector<Facts> captured = inputs_from(context, first_capture, context.num_inputs());
  const std::vector<Facts> scanned = settle(context, values, [&](const std::vector<Facts>& current) {
    std::vector<Facts> inputs = current;
    inputs.insert(inputs.end(), elements.begin(), elements.end());
    inputs.insert(inputs.end(), captured.begin(), captured.end());
    return infer_body(context, "body", inputs);
  });
  for (int i = 0; i < states; ++i) context.set_facts(i, std::move(values[static_cast<size_t>(i)]));
  for (int i = 0; i < scan_outputs; ++i) {
    const Facts& element = scanned[static_cast<size_t>(i)];
    std::optional<SymShape> shape = element.shape;
    if (shape) {
      const int64_t rank = static_cast<int64_t>(shape->size()) + 1;
      shape->insert(shape->begin() + context.normalize_axis(axes[static_cast<size_t>(i)], rank), length);
    }
    context.set(states + i, element.dtype, std::move(shape));
  }
}

}  // namespace

std::span<const OpDef> control_ops() {
  static const std::vector<OpDef> kOps = {
      {.name = "If",
       .attrs = {required_attr("then_branch", AttrType::kGraph),
                 required_attr("else_branch", AttrType::kGraph),
                 {"num_captures", 0}},
       .inputs = {1, kVariadic},
       .outputs = {1, kVariadic},
       .infer = infer_if,
       .onnx = {{"If", 1}}},
      {.name = "Loop",
       .attrs = {required_attr("body", AttrType::kGraph), {"num_carried", 0}, {"num_captures", 0}},
       .inputs = {0, kVariadic},
       .outputs = {1, kVariadic},
       .infer = infer_loop,
       .onnx = {{"Loop", 1}}},
      {.name = "Scan",
       .attrs = {required_attr("body", AttrType::kGraph),
                 required_attr("num_scan_inputs", AttrType::kInt),
                 {"num_captures", 0},
                 optional_attr("scan_input_axes", AttrType::kInts),
                 optional_attr("scan_input_directions", AttrType::kInts),
                 optional_attr("scan_output_axes", AttrType::kInts),
                 optional_attr("scan_output_directions", AttrType::kInts)},
       .inputs = {1, kVariadic},
       .outputs = {1, kVariadic},
       .infer = infer_scan,
       .onnx = {{"Scan", 9}}},
  };
  return kOps;
}

}  // namespace neural_engine
