// If and While. Where the condition is known while loading the branch takes the node's place; else they become ONNX's
// If and Loop, whose bodies are closed graphs.
//
// A While carries variables from one iteration to the next. Those that the body returns as they came are no variables
// but captures, and constants stay constants. A list that was only reserved and gets one element written in each
// iteration, in order, is a scanned output. Where the condition is "counter < limit" the number of iterations is told
// to the Loop, so that the shapes of scanned outputs are known before it runs.
#include "base/error.h"
#include "load/onnx_scope.h"
#include "load/tensorflow_builder.h"
#include "load/tensorflow_loop.h"

namespace neural_engine {

namespace {

std::optional<bool> known_condition(const Facts& facts) {
  if (facts.constant.defined() && facts.constant.elems() == 1 && facts.dtype == DType::kBool) {
    return *facts.constant.data<bool>();
  }
  if (facts.ints && facts.ints->size() == 1 && (*facts.ints)[0].known()) return (*facts.ints)[0].value() != 0;
  return std::nullopt;
}

ValueId as_bool(TfNode& n, ValueId value) {
  if (is_floating(n.dtype(value)) || is_integer(n.dtype(value))) return n.cast(value, DType::kBool);
  return value;
}

const std::string& tensor_function(TfNode& n, const char* attr) {
  const tf::NameAttrList& function = n.take_function(attr);
  if (function.attr_size() > 0)
    n.unsupported("function \"", function.name(), "\" is called with attributes of its own");
  return function.name();
}

// The body of a branch; its inputs are the arguments that are no constants.
GraphPtr build_branch(TfBuilder& builder, TfNode& n, const std::string& function, const std::vector<TfValue>& arguments,
                      std::vector<ValueId>& captured) {
  auto body = std::make_shared<Graph>();
  body->name = function;
  UniqueNames names;
  TfCaptures captures(n.graph(), *body, names);
  TfScope scope(builder, *body, names, n.scope().nodes(), n.name() + "/", nullptr);
  scope.captures = &captures;
  std::vector<TfValue> inside;
  for (const TfValue& argument : arguments) inside.push_back(captures.inside(argument));
  for (const TfValue& result : builder.call(scope, function, inside, scope.prefix())) {
    if (!result.is(TfValue::Kind::kTensor) || result.id == kNoValue) {
      n.unsupported("function \"", function, "\" returns what is no tensor");
    }
    body->add_output(body->value(result.id).name, result.id);
  }
  captured = captures.captured();
  return body;
}

}  // namespace

std::vector<TfValue> TfBuilder::build_if(TfNode& n) {
  n.ignore({"Tcond", "Tin", "Tout", "output_shapes"});
  const ValueId condition = as_bool(n, n.input(0));
  std::vector<TfValue> arguments;
  for (size_t i = 1; i < n.num_inputs(); ++i) arguments.push_back(n.value(i));
  const std::string then_name = tensor_function(n, "then_branch");
  const std::string else_name = tensor_function(n, "else_branch");
  if (const std::optional<bool> known = known_condition(n.facts(condition))) {
    return call(n.scope(), *known ? then_name : else_name, std::move(arguments), n.name() + "/");
  }
  if (body_depth_ >= kMaxTfBodyDepth) n.unsupported("bodies are nested more than ", kMaxTfBodyDepth, " deep");
  const DepthGuard guard(body_depth_);
  std::vector<ValueId> captured;
  Attrs attrs;
  attrs.set("then_branch", build_branch(*this, n, then_name, arguments, captured));
  const GraphPtr otherwise = build_branch(*this, n, else_name, arguments, captured);
  attrs.set("else_branch", otherwise);
  attrs.set("num_captures", static_cast<int64_t>(captured.size()));
  std::vector<ValueId> operands = {condition};
  operands.insert(operands.end(), captured.begin(), captured.end());
  std::vector<TfValue> results;
  for (const ValueId id : n.add_many("If", operands, otherwise->outputs().size(), attrs)) {
    results.push_back(TfValue::tensor(id));
  }
  return results;
}

std::vector<TfValue> TfBuilder::build_while(TfNode& n) {
  n.ignore({"T", "output_shapes", "parallel_iterations"});
  Loop loop;
  loop.name = n.name();
  for (size_t i = 0; i < n.num_inputs(); ++i) loop.initial.push_back(n.value(i));
  const std::string condition = tensor_function(n, "cond"), body = tensor_function(n, "body");
  const tf::FunctionDef* function = find_function(body);
  if (function == nullptr) n.invalid("there is no function \"", body, "\"");
  loop.invariant = invariant_arguments(*function);
  loop.condition = [this, &condition, prefix = n.name() + "/"](TfScope& scope, const std::vector<TfValue>& variables) {
    const std::vector<TfValue> results = call(scope, condition, variables, prefix);
    if (results.size() != 1) fail(Code::kInvalidModel, "the condition has ", results.size(), " results, expected one");
    return results[0];
  };
  loop.body = [this, &body, prefix = n.name() + "/"](TfScope& scope, const std::vector<TfValue>& variables) {
    return call(scope, body, variables, prefix);
  };
  return build_loop(n.scope(), loop);
}

// ---- loops, of either form

namespace {

// The type and shape of a carried value, without what holds in the first iteration only.
Facts carried_facts(const Facts& initial) {
  Facts facts;
  facts.dtype = initial.dtype;
  facts.shape = initial.shape;
  return facts;
}

// Forgets what of the facts does not hold for `next` too; false when they hold.
bool weaken(Facts& facts, const Facts& next) {
  if (!facts.shape) return false;
  if (!next.shape || next.shape->size() != facts.shape->size()) {
    facts.shape.reset();
    return true;
  }
  bool changed = false;
  for (size_t i = 0; i < facts.shape->size(); ++i) {
    Dim& dim = (*facts.shape)[i];
    if (dim == (*next.shape)[i] || (!dim.known() && !dim.is_symbol())) continue;
    dim = Dim();
    changed = true;
  }
  return changed;
}

enum class Role { kInvariant, kTensor, kList, kScan };

struct Variable {
  Role role = Role::kInvariant;
  ValueId initial = kNoValue;  // of kTensor and kList
  Facts facts = {};
  ValueId inside = kNoValue;  // the body's input
};

// One attempt at the body, for what is assumed of the variables.
struct Body {
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  UniqueNames names;
  std::vector<ValueId> captured;
  std::vector<TfValue> results;
  ValueId condition = kNoValue;
};

class LoopBuilder {
 public:
  LoopBuilder(TfBuilder& builder, TfScope& scope, const TfBuilder::Loop& loop)
      : builder_(builder), scope_(scope), graph_(scope.graph()), loop_(loop) {}

  std::vector<TfValue> build() {
    classify();
    const TfValue first = loop_.condition(scope_, loop_.initial);
    if (!first.is(TfValue::Kind::kTensor)) fail(Code::kInvalidModel, "the condition is no tensor");
    if (known_condition(graph_.value(first.id).facts) == false) return loop_.initial;
    constexpr int kRounds = 4;
    for (int round = 0;; ++round) {
      Body body = build_body();
      if (!weaken_facts(body)) return add_loop(body, first.id);
      if (round == kRounds) fail(Code::kUnsupported, "the shapes that a loop carries do not settle");
      if (round == kRounds - 1) {
        for (Variable& variable : variables_) variable.facts.shape.reset();
      }
    }
  }

 private:
  void classify() {
    for (size_t i = 0; i < loop_.initial.size(); ++i) {
      const TfValue& initial = loop_.initial[i];
      Variable variable;
      if (i < loop_.invariant.size() && loop_.invariant[i]) {
        variable.role = Role::kInvariant;
      } else if (initial.is(TfValue::Kind::kTensor)) {
        variable.role = Role::kTensor;
        variable.initial = initial.id;
      } else if (initial.is(TfValue::Kind::kList)) {
        variable.role = initial.list->stacked == kNoValue ? Role::kScan : Role::kList;
        variable.initial = initial.list->stacked;
      } else if (!initial.is(TfValue::Kind::kVariable)) {
        fail(Code::kUnsupported, "a loop carries ", initial.is(TfValue::Kind::kOpaque) ? initial.text : "no tensor");
      }
      if (variable.initial != kNoValue) variable.facts = carried_facts(graph_.value(variable.initial).facts);
      variables_.push_back(std::move(variable));
    }
  }

  Body build_body() {
    Body body;
    Graph& graph = *body.graph;
    graph.name = loop_.name;
    graph.add_input(body.names.claim("iteration"), DType::kS64, SymShape{});
    graph.add_input(body.names.claim("condition"), DType::kBool, SymShape{});
    for (size_t i = 0; i < variables_.size(); ++i) {
      Variable& variable = variables_[i];
      if (variable.initial == kNoValue) continue;
      variable.inside =
          graph.add_input(body.names.claim("variable" + std::to_string(i)), variable.facts.dtype, variable.facts.shape);
    }
    TfCaptures captures(graph_, graph, body.names);
    TfScope scope(builder_, graph, body.names, scope_.nodes(), loop_.name + "/", nullptr);
    scope.captures = &captures;
    scope.outer = &scope_;
    std::vector<TfValue> variables;
    for (size_t i = 0; i < variables_.size(); ++i) variables.push_back(inside(i, captures));
    body.results = loop_.body(scope, variables);
    if (body.results.size() != variables.size()) {
      fail(Code::kInvalidModel, "the body returns ", body.results.size(), " values, expected ", variables.size());
    }
    for (size_t i = 0; i < variables_.size(); ++i) {
      if (variables_[i].role == Role::kInvariant) body.results[i] = variables[i];
    }
    const TfValue condition = loop_.condition(scope, body.results);
    if (!condition.is(TfValue::Kind::kTensor)) fail(Code::kInvalidModel, "the condition is no tensor");
    body.condition = condition.id;
    body.captured = captures.captured();
    return body;
  }

  TfValue inside(size_t i, TfCaptures& captures) {
    const Variable& variable = variables_[i];
    const TfValue& initial = loop_.initial[i];
    switch (variable.role) {
      case Role::kInvariant: return captures.inside(initial);
      case Role::kTensor: return TfValue::tensor(variable.inside);
      case Role::kList: {
        TfList list = *initial.list;
        list.stacked = variable.inside;
        list.length = kNoValue;
        return TfValue::of_list(std::move(list));
      }
      default: {
        TfList list = *initial.list;
        list.length = captures.inside(list.length);
        list.carried = static_cast<int>(i);
        return TfValue::of_list(std::move(list));
      }
    }
  }

  // The value that a variable has at the end of an iteration.
  ValueId result_of(const Body& body, size_t i) const {
    const TfValue& result = body.results[i];
    switch (variables_[i].role) {
      case Role::kTensor:
        if (result.is(TfValue::Kind::kTensor) && result.id != kNoValue) return result.id;
        fail(Code::kUnsupported, "variable ", i, " of a loop becomes what is no tensor");
      case Role::kList:
        if (result.is(TfValue::Kind::kList) && result.list->stacked != kNoValue) return result.list->stacked;
        fail(Code::kUnsupported, "variable ", i, " of a loop, a list, is replaced by another one");
      default: {
        const TfList* list = result.is(TfValue::Kind::kList) ? result.list.get() : nullptr;
        if (list == nullptr || list->carried != static_cast<int>(i) || list->written == kNoValue) {
          fail(Code::kUnsupported, "variable ", i, " of a loop is a list of unknown element shape; ",
               "one that each iteration writes an element of is supported");
        }
        if (!is_zero(body, list->index)) require_counter(body, list->index);
        return list->written;
      }
    }
  }

  static bool is_zero(const Body& body, ValueId index) {
    const std::optional<std::vector<Dim>>& known = body.graph->value(index).facts.ints;
    return known && known->size() == 1 && (*known)[0].is(0);
  }

  // The element's index is 0 in the first iteration and grows by one in each.
  void require_counter(const Body& body, ValueId index) const {
    for (size_t i = 0; i < variables_.size(); ++i) {
      if (variables_[i].role == Role::kTensor && variables_[i].inside == index && is_counter(body, i)) return;
    }
    fail(Code::kUnsupported, "a loop writes a list at indices that are not known to be 0, 1, 2 ...");
  }

  bool is_counter(const Body& body, size_t i) const {
    const Facts& initial = graph_.value(variables_[i].initial).facts;
    const bool from_zero = initial.ints && initial.ints->size() == 1 && (*initial.ints)[0].is(0);
    return from_zero && body.results[i].is(TfValue::Kind::kTensor) &&
           is_sum(*body.graph, body.results[i].id, variables_[i].inside);
  }

  // value = variable + 1
  static bool is_sum(const Graph& graph, ValueId value, ValueId variable) {
    const NodeId producer = graph.value(value).producer;
    if (producer == kNoNode || !graph.node(producer).is("Add")) return false;
    const std::vector<ValueId>& operands = graph.node(producer).inputs;
    for (size_t i = 0; i < 2; ++i) {
      const std::optional<std::vector<Dim>>& step = graph.value(operands[1 - i]).facts.ints;
      if (operands[i] == variable && step && step->size() == 1 && (*step)[0].is(1)) return true;
    }
    return false;
  }

  bool weaken_facts(const Body& body) {
    bool changed = false;
    for (size_t i = 0; i < variables_.size(); ++i) {
      Variable& variable = variables_[i];
      if (variable.initial == kNoValue) continue;
      changed = weaken(variable.facts, body.graph->value(result_of(body, i)).facts) || changed;
    }
    return changed;
  }

  // The limits that counters are compared with when the condition is no more than that; empty: it is something else.
  std::vector<ValueId> limits(const Body& body, ValueId condition) const {
    const Graph& graph = *body.graph;
    const NodeId producer = graph.value(condition).producer;
    if (producer == kNoNode) return {};
    const Node& node = graph.node(producer);
    if (node.is("And")) {
      std::vector<ValueId> a = limits(body, node.inputs[0]), b = limits(body, node.inputs[1]);
      if (a.empty() || b.empty()) return {};
      a.insert(a.end(), b.begin(), b.end());
      return a;
    }
    if (!node.is("Less")) return {};
    for (size_t i = 0; i < variables_.size(); ++i) {
      if (variables_[i].role != Role::kTensor || !is_counter(body, i) || body.results[i].id != node.inputs[0]) continue;
      if (const ValueId limit = outside(body, node.inputs[1]); limit != kNoValue) return {limit};
    }
    return {};
  }

  // The value outside that a value of the body is captured from, or a copy of a constant.
  ValueId outside(const Body& body, ValueId value) const {
    const Graph& graph = *body.graph;
    if (graph.value(value).is_constant()) return graph_.add_constant(graph.value(value).facts.constant);
    const std::vector<ValueId>& inputs = graph.inputs();
    const size_t first = inputs.size() - body.captured.size();
    for (size_t i = 0; i < body.captured.size(); ++i) {
      if (inputs[first + i] == value) return body.captured[i];
    }
    return kNoValue;
  }

  ValueId emit_one(std::string_view op, std::vector<ValueId> operands, Attrs attrs = {}) {
    const ValueId result = graph_.add_value();
    emit(graph_, op_def(op), std::move(operands), {result}, std::move(attrs), loop_.name);
    return result;
  }

  // A scalar in s64.
  ValueId as_count(ValueId value) {
    const Facts facts = graph_.value(value).facts;
    ValueId result = value;
    if (facts.dtype != DType::kS64) result = emit_one("Cast", {value}, {{"to", int64_t{7}}});  // ONNX's INT64
    if (!facts.shape || !facts.shape->empty()) {
      result = emit_one("Reshape", {result, graph_.add_constant(Tensor::of<int64_t>({0}, {}))});
    }
    return result;
  }

  std::vector<TfValue> add_loop(Body& body, ValueId first_condition) {
    Graph& graph = *body.graph;
    std::vector<ValueId> operands = {kNoValue, first_condition};
    const std::vector<ValueId> counts = limits(body, body.condition);
    if (!counts.empty()) {
      operands[0] = as_count(counts[0]);
      for (size_t i = 1; i < counts.size(); ++i) operands[0] = emit_one("Min", {operands[0], as_count(counts[i])});
      // A limit below the counter's start is no iteration at all: the same as none.
      operands[0] = emit_one("Max", {operands[0], graph_.add_constant(Tensor::scalar<int64_t>(0))});
      operands[1] = kNoValue;
      body.condition = graph.add_constant(Tensor::scalar<bool>(true));
    }
    graph.add_output("condition", body.condition);
    std::vector<size_t> order;  // of the outputs: carried values, then scanned ones
    for (const bool scanned : {false, true}) {
      for (size_t i = 0; i < variables_.size(); ++i) {
        if (variables_[i].role == Role::kInvariant || (variables_[i].role == Role::kScan) != scanned) continue;
        if (!scanned) operands.push_back(variables_[i].initial);
        const ValueId value = result_of(body, i);
        graph.add_output(graph.value(value).name, value);
        order.push_back(i);
      }
    }
    const size_t carried = operands.size() - 2;
    operands.insert(operands.end(), body.captured.begin(), body.captured.end());
    std::vector<ValueId> results;
    for (size_t i = 0; i < order.size(); ++i) results.push_back(graph_.add_value());
    if (results.empty()) return loop_.initial;
    emit(graph_, op_def("Loop"), operands, results,
         {{"body", GraphPtr(body.graph)},
          {"num_carried", static_cast<int64_t>(carried)},
          {"num_captures", static_cast<int64_t>(body.captured.size())}},
         loop_.name);
    std::vector<TfValue> outputs = loop_.initial;
    for (size_t i = 0; i < order.size(); ++i) outputs[order[i]] = after(body, order[i], results[i]);
    return outputs;
  }

  // What a variable is after the loop.
  TfValue after(const Body& body, size_t i, ValueId result) {
    const Variable& variable = variables_[i];
    if (variable.role == Role::kTensor) return TfValue::tensor(result);
    TfList list = *loop_.initial[i].list;
    list.stacked = result;
    if (variable.role == Role::kScan) {
      // Each iteration wrote element 0: the last one's is left.
      if (is_zero(body, body.results[i].list->index)) result = last_row(result);
      list.stacked = of_length(result, list.length);
    }
    list.length = kNoValue;
    return TfValue::of_list(std::move(list));
  }

  ValueId last_row(ValueId stacked) {
    const auto ints = [&](int64_t value) { return graph_.add_constant(Tensor::of<int64_t>({1}, {value})); };
    return emit_one("Slice", {stacked, ints(-1), ints(INT64_MAX), ints(0)});
  }

  // TensorFlow's list has the length that was reserved, with zeros where nothing was written. We do not make zeros: a
  // loop that ends early is refused when it runs, by a Reshape to that length.
  ValueId of_length(ValueId stacked, ValueId length) {
    const std::optional<SymShape> shape = graph_.value(stacked).facts.shape;
    const ValueId count = emit_one("Reshape", {as_count(length), graph_.add_constant(Tensor::of<int64_t>({1}, {1}))});
    ValueId target = kNoValue;
    const ValueId rest = emit_one("Shape", {stacked}, {{"start", int64_t{1}}});
    target = emit_one("Concat", {count, rest}, {{"axis", int64_t{0}}});
    return emit_one("Reshape", {stacked, target}, {{"allowzero", int64_t{1}}});
  }

  TfBuilder& builder_;
  TfScope& scope_;
  Graph& graph_;
  const TfBuilder::Loop& loop_;
  std::vector<Variable> variables_;
};

}  // namespace

std::vector<TfValue> TfBuilder::build_loop(TfScope& scope, const Loop& loop) {
  if (body_depth_ >= kMaxTfBodyDepth) {
    fail(Code::kUnsupported, "bodies are nested more than ", kMaxTfBodyDepth, " deep");
  }
  const DepthGuard guard(body_depth_);
  return LoopBuilder(*this, scope, loop).build();
}

}  // namespace neural_engine
