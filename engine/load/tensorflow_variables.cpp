// A SavedModel has no list of its variables' values; it has a graph that reads them. TensorFlow 1 puts it beside the
// rest: Assign(variable, RestoreV2(file, names, slices):k). TensorFlow 2 puts it into a function, to which the saver's
// node hands the variables' handles:
//
//   top        StatefulPartitionedCall(saver_filename, Variable_0, Variable_1, ...) f = restore
//   restore    AssignVariableOp(argument 1, Identity(RestoreV2(argument 0, names, slices):0)) ...
//
// Nothing is computed here: operands are followed upwards, through Identity and out of functions, to the variable and
// to the constant that has the tensor's name.
#include "load/tensorflow_variables.h"

#include <optional>

#include "base/error.h"
#include "load/tensorflow_node.h"
#include "load/tensorflow_scope.h"
#include "load/tensorflow_types.h"

namespace neural_engine {

namespace {

constexpr int kMaxDepth = 16;           // of calls; TensorFlow makes one
constexpr int64_t kMaxNodes = 1 << 20;  // looked at, over all calls
constexpr int kMaxSteps = 64;           // of Identity nodes in a row

// The nodes of the graph, or of a function as it is called from one place.
struct Place {
  const TfNodes* nodes;
  const tf::FunctionDef* function = nullptr;
  const tf::NodeDef* call = nullptr;
  const Place* outer = nullptr;
};

struct End {
  const Place* place;
  const tf::NodeDef* node;
  int64_t output;
};

bool is(const tf::NodeDef& node, const char* op) { return node.op() == op; }

// The number of a function's argument of this name.
std::optional<int> argument_of(const Place& place, const std::string& name) {
  if (place.function == nullptr) return std::nullopt;
  const tf::OpSignature& signature = place.function->signature();
  for (int i = 0; i < signature.input_arg_size(); ++i) {
    if (signature.input_arg(i).name() == name) return i;
  }
  return std::nullopt;
}

// The node that an operand comes from.
std::optional<End> origin(const Place& from, const tf::NodeDef& reader, int operand) {
  const Place* place = &from;
  const tf::NodeDef* node = &reader;
  for (int step = 0; step < kMaxSteps; ++step) {
    if (operand >= node->input_size()) return std::nullopt;
    const TfRef ref = parse_tf_ref(node->input(operand));
    if (ref.control) return std::nullopt;
    if (const std::optional<int> argument = argument_of(*place, ref.node)) {
      node = place->call;
      place = place->outer;
      operand = *argument;
      continue;
    }
    node = place->nodes->find(ref.node);
    if (node == nullptr) fail(Code::kInvalidModel, "there is no node \"", ref.node, "\"");
    if (!is(*node, "Identity")) return End{place, node, ref.index};
    operand = 0;
  }
  return std::nullopt;
}

// Element k of a constant vector of strings.
const std::string& constant_string(const Place& place, const tf::NodeDef& node, int operand, int64_t k,
                                   const char* what) {
  const std::optional<End> end = origin(place, node, operand);
  if (end && is(*end->node, "Const")) {
    const auto value = end->node->attr().find("value");
    if (value != end->node->attr().end()) {
      const auto& strings = value->second.tensor().string_val();
      if (k < strings.size()) return strings.Get(static_cast<int>(k));
      // Fewer values than elements: the last is repeated.
      if (!strings.empty()) return strings.Get(strings.size() - 1);
    }
  }
  fail(Code::kUnsupported, "the ", what, " of RestoreV2 are no constants");
}

class Walker {
 public:
  Walker(const tf::MetaGraphDef& model) : model_(model) {}

  std::map<std::string, std::string> walk() {
    const TfNodes nodes(model_.graph_def().node());
    const Place top{&nodes};
    visit(top, 0);
    const std::string& restore = model_.saver_def().restore_op_name();
    // A further saver is named by nobody; what the named one calls is where TensorFlow 2 restores.
    const tf::NodeDef* call = restore.empty() ? nullptr : nodes.find(parse_tf_ref(restore).node);
    if (call != nullptr) enter(top, *call, 0);
    return std::move(found_);
  }

 private:
  void visit(const Place& place, int depth) {
    for (const tf::NodeDef& node : place.nodes->all()) {
      if (++visited_ > kMaxNodes) fail(Code::kUnsupported, "restoring takes more than ", kMaxNodes, " nodes");
      if (is(node, "AssignVariableOp") || is(node, "Assign")) {
        with_context([&] { return describe(node); }, [&] { assignment(place, node); });
      } else if (depth > 0) {
        enter(place, node, depth);
      }
    }
  }

  void enter(const Place& place, const tf::NodeDef& call, int depth) {
    if (!is(call, "PartitionedCall") && !is(call, "StatefulPartitionedCall")) return;
    const auto attr = call.attr().find("f");
    if (attr == call.attr().end()) return;
    for (const tf::FunctionDef& function : model_.graph_def().library().function()) {
      if (function.signature().name() != attr->second.func().name()) continue;
      if (depth == kMaxDepth) fail(Code::kUnsupported, "functions are nested more than ", kMaxDepth, " deep");
      with_context([&] { return describe(call); },
                   [&] {
                     const TfNodes nodes(function.node_def());
                     visit(Place{&nodes, &function, &call, &place}, depth + 1);
                   });
      return;
    }
  }

  void assignment(const Place& place, const tf::NodeDef& node) {
    const std::optional<End> value = origin(place, node, 1);
    // Initial values are assigned, too.
    if (!value || !is(*value->node, "RestoreV2")) return;
    const std::optional<End> variable = origin(place, node, 0);
    // A variable of a function's own is none that the model reads.
    if (!variable || variable->place->function != nullptr) return;
    if (!is(*variable->node, "VarHandleOp") && !is(*variable->node, "VariableV2") && !is(*variable->node, "Variable")) {
      return;
    }
    const std::string& slice = constant_string(*value->place, *value->node, 2, value->output, "slices");
    if (!slice.empty()) fail(Code::kUnsupported, "slice \"", slice, "\" of a variable is restored, not the whole");
    const std::string& tensor = constant_string(*value->place, *value->node, 1, value->output, "names");
    const std::string name = variable_name(*variable->node, "");
    const auto [it, is_new] = found_.emplace(name, tensor);
    if (!is_new && it->second != tensor) {
      fail(Code::kUnsupported, "variable \"", name, "\" is restored from \"", it->second, "\" and from \"", tensor,
           "\"");
    }
  }

  const tf::MetaGraphDef& model_;
  std::map<std::string, std::string> found_;
  int64_t visited_ = 0;
};

}  // namespace

std::string variable_name(const tf::NodeDef& node, const std::string& prefix) {
  // What TensorFlow writes for a variable that is shared with none.
  constexpr const char* kAnonymous = "cd2c89b7-88b7-44c8-ad83-06c2a9158347";
  const auto text = [&](const char* attr) {
    const auto it = node.attr().find(attr);
    return it == node.attr().end() ? std::string() : it->second.s();
  };
  const std::string shared = text("shared_name"), container = text("container");
  if (shared.empty() || shared == kAnonymous) return prefix + node.name();
  return container.empty() ? shared : container + "/" + shared;
}

std::map<std::string, std::string> restored_variables(const tf::MetaGraphDef& model) { return Walker(model).walk(); }

}  // namespace neural_engine
