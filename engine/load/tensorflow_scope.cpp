#include "load/tensorflow_scope.h"

#include <charconv>

#include "base/error.h"
#include "load/tensorflow_builder.h"
#include "load/tensorflow_ops.h"

namespace neural_engine {

namespace {

int64_t parse_index(const std::string& text, const std::string& ref) {
  int64_t result = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc() || end != text.data() + text.size() || result < 0 || result > INT32_MAX) {
    fail(Code::kInvalidModel, "\"", ref, "\" found, expected a node's name and the number of an output");
  }
  return result;
}

// The position of an output argument in a list like "y,idx"; -1 when it is not there.
int64_t position_of(const char* outputs, const std::string& name) {
  int64_t position = 0;
  const std::string_view all = outputs;
  for (size_t begin = 0; begin <= all.size(); ++position) {
    const size_t end = std::min(all.find(',', begin), all.size());
    if (all.substr(begin, end - begin) == name) return position;
    begin = end + 1;
  }
  return -1;
}

}  // namespace

TfNodes::TfNodes(const List& nodes) : list_(&nodes) {
  for (const tf::NodeDef& node : nodes) {
    if (node.name().empty()) fail(Code::kInvalidModel, "a node of operator ", node.op(), " has no name");
    if (!by_name_.emplace(node.name(), &node).second) {
      fail(Code::kInvalidModel, "two nodes have the name \"", node.name(), "\"");
    }
    has_switch_ = has_switch_ || node.op() == "Switch" || node.op() == "RefSwitch";
  }
}

const tf::NodeDef* TfNodes::find(const std::string& name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

TfRef parse_tf_ref(const std::string& text) {
  if (text.empty()) fail(Code::kInvalidModel, "an input has no name");
  if (text[0] == '^') return {.node = text.substr(1), .control = true};
  const size_t first = text.find(':');
  if (first == std::string::npos) return {.node = text};
  const size_t second = text.find(':', first + 1);
  if (second == std::string::npos) {
    return {.node = text.substr(0, first), .index = parse_index(text.substr(first + 1), text)};
  }
  return {.node = text.substr(0, first),
          .output = text.substr(first + 1, second - first - 1),
          .index = parse_index(text.substr(second + 1), text)};
}

// ---- captures

ValueId TfCaptures::inside(ValueId id) {
  const auto it = known_.find(id);
  if (it != known_.end()) return it->second;
  const Value& value = outer_.value(id);
  ValueId result = kNoValue;
  if (value.is_constant()) {
    result = inner_.add_constant(value.facts.constant, names_.claim(value.name));
  } else {
    result = inner_.add_input(names_.claim(value.name), value.facts.dtype, value.facts.shape);
    inner_.value(result).facts.ints = value.facts.ints;
    captured_.push_back(id);
  }
  known_.emplace(id, result);
  return result;
}

TfValue TfCaptures::inside(const TfValue& value) {
  TfValue result = value;
  if (value.id != kNoValue) result.id = inside(value.id);
  if (value.real != kNoValue) result.real = inside(value.real);
  if (value.list) {
    TfList list = *value.list;
    if (list.stacked != kNoValue) list.stacked = inside(list.stacked);
    if (list.length != kNoValue) list.length = inside(list.length);
    result.list = std::make_shared<const TfList>(std::move(list));
  }
  return result;
}

// ---- scopes

void TfScope::bind(const std::string& name, size_t index, TfValue value) {
  std::vector<TfValue>& outputs = done_[name];
  if (index >= outputs.size()) outputs.resize(index + 1);
  outputs[index] = std::move(value);
}

TfValue TfScope::resolve(const TfRef& ref) const {
  const auto it = done_.find(ref.node);
  if (it == done_.end()) fail(Code::kInternal, "node \"", ref.node, "\" is used before it is built");
  int64_t index = ref.index;
  const tf::NodeDef* node = nodes_.find(ref.node);
  if (!ref.output.empty() && node != nullptr) {
    const TfOp* op = find_tf_op(node->op());
    if (op != nullptr && op->outputs != nullptr) {
      const int64_t position = position_of(op->outputs, ref.output);
      if (position < 0) {
        fail(Code::kInvalidModel, describe(*node), " has no output \"", ref.output, "\", but ", op->outputs);
      }
      index += position;
    } else if (const int64_t position = builder_.output_position(*node, ref.output); position > 0) {
      index += position;
    }
  }
  if (!it->second.empty() && it->second.size() == 1 && it->second[0].is(TfValue::Kind::kDead)) return it->second[0];
  if (index >= static_cast<int64_t>(it->second.size())) {
    fail(Code::kInvalidModel, "output ", index, " of ", node ? describe(*node) : "argument \"" + ref.node + "\"",
         " is used, it has ", it->second.size());
  }
  const TfValue& value = it->second[static_cast<size_t>(index)];
  if (value.is(TfValue::Kind::kNothing)) {
    fail(Code::kUnsupported, "output ", index, " of ", node ? describe(*node) : "argument \"" + ref.node + "\"",
         " is used, which is not supported");
  }
  return value;
}

// Names of the nodes that must be built before this one.
std::vector<std::string> TfScope::needs(const tf::NodeDef& node) const {
  std::vector<std::string> result;
  if (std::optional<std::vector<std::string>> special = builder_.special_needs(*this, node)) return *std::move(special);
  for (const std::string& input : node.input()) {
    TfRef ref = parse_tf_ref(input);
    if (ref.control && !nodes_.has_switch()) continue;
    if (ref.control && !builder_.is_pivot(nodes_, ref.node)) continue;
    result.push_back(std::move(ref.node));
  }
  return result;
}

void TfScope::build(const tf::NodeDef& node) {
  with_context([&] { return describe(node); },
               [&] {
                 std::vector<TfValue> inputs;
                 bool dead = false;
                 for (const std::string& input : node.input()) {
                   const TfRef ref = parse_tf_ref(input);
                   if (ref.control) {
                     const auto it = done_.find(ref.node);
                     dead =
                         dead || (it != done_.end() && !it->second.empty() && it->second[0].is(TfValue::Kind::kDead));
                     continue;
                   }
                   if (!is_bound(ref.node)) continue;  // special_needs left it out
                   inputs.push_back(resolve(ref));
                 }
                 done_[node.name()] = builder_.build_node(*this, node, std::move(inputs), dead);
               });
}

std::vector<TfValue> TfScope::evaluate(const std::vector<std::string>& refs) {
  // A depth-first walk with a stack of its own: graphs are deeper than the thread's stack.
  struct Frame {
    const tf::NodeDef* node;
    std::vector<std::string> needs;
    size_t next = 0;
  };
  std::unordered_map<std::string, bool> open;
  std::vector<Frame> stack;
  const auto enter = [&](const std::string& name) {
    if (is_bound(name)) return;
    const tf::NodeDef* node = nodes_.find(name);
    if (node == nullptr) {
      const std::string user = stack.empty() ? std::string() : describe(*stack.back().node) + ": ";
      fail(Code::kInvalidModel, user, "there is no node \"", name, "\"");
    }
    if (!open.emplace(name, true).second)
      fail(Code::kInvalidModel, describe(*node), " needs itself: the graph has a cycle");
    builder_.count_node(*this, *node);
    stack.push_back({node, with_context([&] { return describe(*node); }, [&] { return needs(*node); })});
  };
  for (const std::string& ref : refs) {
    enter(parse_tf_ref(ref).node);
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.next < top.needs.size()) {
        const std::string name = top.needs[top.next++];  // the stack may move
        enter(name);
        continue;
      }
      build(*top.node);
      open.erase(top.node->name());
      stack.pop_back();
    }
  }
  std::vector<TfValue> result;
  for (const std::string& ref : refs) result.push_back(resolve(parse_tf_ref(ref)));
  return result;
}

}  // namespace neural_engine
