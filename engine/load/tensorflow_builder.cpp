#include "load/tensorflow_builder.h"

#include <algorithm>
#include <cctype>
#include <unordered_set>

#include "base/error.h"
#include "load/tensorflow_dims.h"
#include "load/tensorflow_ops.h"

namespace neural_engine {

namespace {

// Function calls are copied at each use; nested calls of calls would multiply without these.
constexpr int64_t kMaxInlinedNodes = 1 << 18;
constexpr int kMaxCallDepth = 64;

bool is_any(std::string_view op, std::initializer_list<std::string_view> ops) {
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

// Nodes that are the end of something and no answer.
bool is_side_effect(std::string_view op) {
  return is_any(op, {"NoOp", "Const", "Placeholder", "PlaceholderWithDefault", "Assert", "Print", "PrintV2", "SaveV2",
                     "RestoreV2", "Assign", "AssignVariableOp", "VarHandleOp", "VariableV2", "Variable",
                     "MergeV2Checkpoints", "ShardedFilename", "NextIteration", "LoopCond", "ControlTrigger"});
}

// A name for a dimension that the file leaves open, in the form that Dim::symbol takes for one name.
Dim open_dim(const std::string& input, size_t axis) {
  std::string symbol;
  for (const char c : input.substr(0, 100)) symbol += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return Dim::symbol((symbol.empty() || std::isdigit(static_cast<unsigned char>(symbol[0])) ? "in_" : "") + symbol +
                     "_" + std::to_string(axis));
}

}  // namespace

TfBuilder::TfBuilder(const tf::GraphDef& graph, TfTensorReader& tensors)
    : proto_(graph), tensors_(tensors), nodes_(graph.node()) {
  index_functions();
}

void TfBuilder::index_functions() {
  for (const tf::FunctionDef& function : proto_.library().function()) {
    const std::string& name = function.signature().name();
    if (!functions_.emplace(name, Function{&function, nullptr}).second) {
      fail(Code::kInvalidModel, "two functions have the name \"", name, "\"");
    }
  }
}

const tf::FunctionDef* TfBuilder::find_function(const std::string& name) const {
  const auto it = functions_.find(name);
  return it == functions_.end() ? nullptr : it->second.proto;
}

TfNodes& TfBuilder::nodes_of(Function& function) {
  if (!function.nodes) function.nodes = std::make_unique<TfNodes>(function.proto->node_def());
  return *function.nodes;
}

void TfBuilder::count_node(const TfScope& scope, const tf::NodeDef&) {
  if (scope.function() == nullptr && scope.captures == nullptr) return;
  if (++inlined_nodes_ > kMaxInlinedNodes) {
    fail(Code::kUnsupported, "function calls and loops expand to more than ", kMaxInlinedNodes, " nodes");
  }
}

// ---- inputs and outputs

ValueId TfBuilder::declare_input(Graph& graph, UniqueNames& names, TfScope& scope, const TfPort& port) {
  return with_context([&] { return "input \"" + port.name + "\""; },
                      [&] {
                        const TfRef ref = parse_tf_ref(port.ref);
                        const tf::NodeDef* node = nodes_.find(ref.node);
                        if (node == nullptr) fail(Code::kInvalidModel, "there is no node \"", ref.node, "\"");
                        DType dtype = port.dtype;
                        std::optional<SymShape> shape = port.shape;
                        if (dtype == DType::kUndefined) {
                          const auto type = node->attr().find("dtype"), dims = node->attr().find("shape");
                          if (type == node->attr().end())
                            fail(Code::kInvalidModel, describe(*node), " has no attribute \"dtype\"");
                          dtype = checked_tf_dtype(type->second.type());
                          if (dims != node->attr().end()) shape = read_tf_shape(dims->second.shape());
                        }
                        for (size_t i = 0; shape && i < shape->size(); ++i) {
                          if (!(*shape)[i].known()) (*shape)[i] = open_dim(port.name, i);
                        }
                        const ValueId value = graph.add_input(names.claim(port.name), dtype, std::move(shape));
                        scope.bind(ref.node, static_cast<size_t>(ref.index), TfValue::tensor(value));
                        return value;
                      });
}

namespace {

void add_output(Graph& graph, UniqueNames& names, const std::string& name, const TfValue& value) {
  with_context([&] { return "output \"" + name + "\""; },
               [&] {
                 if (!value.is(TfValue::Kind::kTensor) || value.id == kNoValue) {
                   fail(Code::kUnsupported, "it is ",
                        value.is(TfValue::Kind::kDead) ? "on a branch that is not taken" : "no tensor");
                 }
                 ValueId id = value.id;
                 // An output is some node's value, and of one name.
                 if (graph.value(id).producer == kNoNode || graph.is_output(id)) {
                   id = graph.add_value(names.claim(name));
                   emit(graph, op_def("Identity"), {value.id}, {id}, {}, name);
                 }
                 graph.add_output(name, id);
               });
}

}  // namespace

Graph TfBuilder::build(const std::vector<TfPort>& inputs, const std::vector<TfPort>& outputs) {
  Graph graph;
  UniqueNames names;
  TfScope scope(*this, graph, names, nodes_, "", nullptr);
  for (const TfPort& input : inputs) declare_input(graph, names, scope, input);
  if (outputs.empty()) fail(Code::kInvalidModel, "there is no output");
  for (const TfPort& output : outputs) {
    const TfValue first = scope.evaluate({output.ref})[0];
    add_output(graph, names, output.name, first);
    if (!output.all) continue;
    const std::vector<TfValue> values = scope.outputs_of(output.ref);
    for (size_t i = 1; i < values.size(); ++i) {
      if (values[i].is(TfValue::Kind::kTensor))
        add_output(graph, names, output.name + ":" + std::to_string(i), values[i]);
    }
  }
  unify_open_dims(graph);
  return graph;
}

Graph TfBuilder::build_frozen() {
  std::unordered_set<std::string> read;
  for (const tf::NodeDef& node : nodes_.all()) {
    for (const std::string& input : node.input()) {
      // A NoOp gathers what is to be run; any other node that waits for one without reading it is in its branch.
      const TfRef ref = parse_tf_ref(input);
      if (!ref.control || node.op() != "NoOp") read.insert(ref.node);
    }
  }
  std::vector<const tf::NodeDef*> ends;
  for (const tf::NodeDef& node : nodes_.all()) {
    if (read.count(node.name()) == 0 && !is_side_effect(node.op())) ends.push_back(&node);
  }
  if (ends.empty()) fail(Code::kInvalidModel, "no node is an output: each is read by another one");

  // Inputs that no output needs are not asked for.
  std::unordered_set<std::string> needed;
  std::vector<const tf::NodeDef*> open = ends;
  while (!open.empty()) {
    const tf::NodeDef* node = open.back();
    open.pop_back();
    if (!needed.insert(node->name()).second) continue;
    for (const std::string& input : node->input()) {
      const tf::NodeDef* next = nodes_.find(parse_tf_ref(input).node);
      if (next != nullptr) open.push_back(next);
    }
  }
  std::vector<TfPort> inputs, outputs;
  for (const tf::NodeDef& node : nodes_.all()) {
    if (node.op() == "Placeholder" && needed.count(node.name()) > 0)
      inputs.push_back({.name = node.name(), .ref = node.name()});
  }
  for (const tf::NodeDef* end : ends) outputs.push_back({.name = end->name(), .ref = end->name(), .all = true});
  return build(inputs, outputs);
}

// ---- nodes

Tensor TfBuilder::constant_of(const tf::NodeDef& node, const tf::Tensor& proto) {
  const auto it = constants_.find(&node);
  if (it != constants_.end()) return it->second;
  Tensor tensor = tensors_.read(proto);
  constants_.emplace(&node, tensor);
  return tensor;
}

const Tensor& TfBuilder::variable_value(const std::string& name) {
  const auto it = variables_.find(name);
  return it != variables_.end() ? it->second : variables_.emplace(name, find_variable(name)).first->second;
}

std::vector<TfValue> TfBuilder::build_node(TfScope& scope, const tf::NodeDef& node, std::vector<TfValue> inputs,
                                           bool dead) {
  if (node.op() == "Merge" || node.op() == "RefMerge") return merge(node, inputs);
  if (node.op() == "Exit" || node.op() == "RefExit") return build_exit(scope, node);
  if (node.op() == "Enter" || node.op() == "RefEnter") {
    if (scope.outer == nullptr) fail(Code::kUnsupported, "a loop whose result is not read through Exit");
    const TfValue outside = scope.outer->evaluate({node.input_size() > 0 ? node.input(0) : std::string()})[0];
    return {&scope.graph() == &scope.outer->graph() ? outside : scope.captures->inside(outside)};
  }
  dead = dead || std::any_of(inputs.begin(), inputs.end(), [](const TfValue& i) { return i.is(TfValue::Kind::kDead); });
  if (dead) return {TfValue::dead()};

  TfNode n(scope, node, std::move(inputs));
  std::vector<TfValue> outputs;
  if (is_any(node.op(), {"Switch", "RefSwitch"})) {
    outputs = switch_node(n);
  } else if (is_any(node.op(), {"If", "StatelessIf"})) {
    outputs = build_if(n);
  } else if (is_any(node.op(), {"While", "StatelessWhile"})) {
    outputs = build_while(n);
  } else if (is_any(node.op(), {"PartitionedCall", "StatefulPartitionedCall"}) || find_function(node.op())) {
    outputs = call_node(n);
  } else if (const TfOp* op = find_tf_op(node.op())) {
    n.check_types(op->types);
    op->build(n);
    outputs = n.take_outputs();
  } else {
    const std::string why = why_not_supported(node.op());
    fail(Code::kUnsupported, "operator ", node.op(), " is not supported", why.empty() ? "" : ": ", why);
  }
  n.check_all_taken();
  return outputs;
}

std::vector<TfValue> TfBuilder::switch_node(TfNode& n) {
  n.check_types("T=0");
  const TfValue data = n.value(0);
  const Facts& condition = n.facts(n.input(1));
  if (condition.dtype != DType::kBool) n.invalid("the condition has dtype ", to_string(condition.dtype));
  const std::optional<int64_t> known =
      condition.constant.defined() && condition.constant.elems() == 1
          ? std::optional<int64_t>(*condition.constant.data<bool>())
          : (condition.ints && condition.ints->size() == 1 && (*condition.ints)[0].known()
                 ? std::optional((*condition.ints)[0].value())
                 : std::nullopt);
  if (!known) {
    n.unsupported("the condition is computed when the model runs; a constant is supported (or If and While, the ",
                  "control flow of TensorFlow 2)");
  }
  return *known != 0 ? std::vector{TfValue::dead(), data} : std::vector{data, TfValue::dead()};
}

std::vector<TfValue> TfBuilder::merge(const tf::NodeDef& node, const std::vector<TfValue>& inputs) {
  const TfValue* alive = nullptr;
  for (const TfValue& input : inputs) {
    if (input.is(TfValue::Kind::kDead)) continue;
    if (alive != nullptr) fail(Code::kUnsupported, "more than one of the merged branches is taken");
    alive = &input;
  }
  if (inputs.empty()) fail(Code::kInvalidModel, "it merges nothing");
  if (alive == nullptr) return {TfValue::dead(), TfValue::dead()};
  (void)node;
  return {*alive};
}

// ---- function calls

int64_t TfBuilder::output_position(const tf::NodeDef& node, const std::string& output) const {
  const tf::FunctionDef* function = find_function(node.op());
  if (function == nullptr) return 0;
  for (int i = 0; i < function->signature().output_arg_size(); ++i) {
    if (function->signature().output_arg(i).name() == output) return i;
  }
  fail(Code::kInvalidModel, describe(node), " has no output \"", output, "\"");
}

std::vector<TfValue> TfBuilder::call_node(TfNode& n) {
  std::vector<TfValue> arguments;
  for (size_t i = 0; i < n.num_inputs(); ++i) arguments.push_back(n.value(i));
  if (find_function(n.op())) {
    for (const auto& [name, unused] : n.proto().attr()) {
      if (name[0] != '_') n.unsupported("attribute \"", name, "\" of a function call is not supported");
    }
    return call(n.scope(), n.op(), std::move(arguments), n.name() + "/");
  }
  n.ignore({"Tin", "Tout", "config", "config_proto", "executor_type"});
  const tf::NameAttrList& function = n.take_function("f");
  if (function.attr_size() > 0) n.unsupported("the function is called with attributes of its own");
  return call(n.scope(), function.name(), std::move(arguments), n.name() + "/");
}

std::vector<TfValue> TfBuilder::call(TfScope& scope, const std::string& name, std::vector<TfValue> arguments,
                                     const std::string& prefix) {
  const auto it = functions_.find(name);
  if (it == functions_.end()) fail(Code::kInvalidModel, "there is no function \"", name, "\"");
  Function& function = it->second;
  const tf::OpSignature& signature = function.proto->signature();
  if (function.active) fail(Code::kUnsupported, "function \"", name, "\" calls itself");
  if (call_depth_ >= kMaxCallDepth) fail(Code::kUnsupported, "functions are nested more than ", kMaxCallDepth, " deep");
  if (signature.input_arg_size() != static_cast<int>(arguments.size())) {
    fail(Code::kInvalidModel, arguments.size(), " arguments found, function \"", name, "\" takes ",
         signature.input_arg_size());
  }
  return with_context([&] { return "function \"" + name + "\""; },
                      [&] {
                        // Undone also when a call fails: a branch that cannot be built may be tried again with other
                        // shapes.
                        struct Active {
                          Function& function;
                          int& depth;
                          Active(Function& f, int& d) : function(f), depth(d) { function.active = true, ++depth; }
                          ~Active() { function.active = false, --depth; }
                        } active(function, call_depth_);
                        TfScope inner(*this, scope.graph(), scope.names(), nodes_of(function), prefix, function.proto);
                        inner.captures = scope.captures;
                        for (size_t i = 0; i < arguments.size(); ++i) {
                          inner.bind(signature.input_arg(static_cast<int>(i)).name(), {std::move(arguments[i])});
                        }
                        std::vector<std::string> results;
                        for (const tf::OpSignature::Arg& output : signature.output_arg()) {
                          const auto ret = function.proto->ret().find(output.name());
                          if (ret == function.proto->ret().end()) {
                            fail(Code::kInvalidModel, "output \"", output.name(), "\" is not computed");
                          }
                          results.push_back(ret->second);
                        }
                        return inner.evaluate(results);
                      });
}

}  // namespace neural_engine
