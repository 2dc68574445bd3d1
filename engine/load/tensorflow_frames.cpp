// The loops of TensorFlow 1. A variable of a loop is a ring of nodes
//
//     Enter -> Merge -> Switch -> (body) -> NextIteration -> back to Merge
//                          \-> Exit
//
// where all Switches are driven by one LoopCond and all Enters name one frame. The condition is what LoopCond reads, as
// a function of the Merges; the body is what the NextIterations read, as a function of the Switches' second outputs.
// Enters that are constant bring values in from around.
#include <algorithm>

#include "base/error.h"
#include "load/tensorflow_builder.h"
#include "load/tensorflow_loop.h"

namespace neural_engine {

namespace {

bool is_op(const tf::NodeDef& node, std::string_view op) {
  return node.op() == op || (node.op().rfind("Ref", 0) == 0 && std::string_view(node.op()).substr(3) == op);
}

const tf::NodeDef& operand(const TfNodes& nodes, const tf::NodeDef& node, int i) {
  if (i >= node.input_size()) fail(Code::kInvalidModel, describe(node), ": input ", i, " is missing");
  const TfRef ref = parse_tf_ref(node.input(i));
  const tf::NodeDef* found = nodes.find(ref.node);
  if (found == nullptr) fail(Code::kInvalidModel, describe(node), ": there is no node \"", ref.node, "\"");
  return *found;
}

const tf::NodeDef& operand(const TfNodes& nodes, const tf::NodeDef& node, int i, const char* op) {
  const tf::NodeDef& found = operand(nodes, node, i);
  if (!is_op(found, op)) {
    fail(Code::kUnsupported, describe(node), ": input ", i, " is ", describe(found), ", expected a ", op);
  }
  return found;
}

std::string frame_name(const tf::NodeDef& enter) {
  const auto it = enter.attr().find("frame_name");
  if (it == enter.attr().end() || it->second.s().empty()) {
    fail(Code::kInvalidModel, describe(enter), ": attribute \"frame_name\" is missing");
  }
  return it->second.s();
}

// Whether the value comes back to `to` as it left, through nothing but Identity.
bool returns(const TfNodes& nodes, const std::string& ref, const std::string& to) {
  std::string at = ref;
  for (size_t steps = 0; steps < 64; ++steps) {
    const TfRef here = parse_tf_ref(at);
    if (here.node == to) return true;
    const tf::NodeDef* node = nodes.find(here.node);
    if (node == nullptr || node->op() != "Identity" || node->input_size() == 0) return false;
    at = node->input(0);
  }
  return false;
}

}  // namespace

TfFrames::TfFrames(const TfNodes& nodes) {
  for (const tf::NodeDef& merge : nodes.all()) {
    if (!is_op(merge, "Merge")) continue;
    Ring ring{nullptr, &merge, nullptr, nullptr, nullptr};
    for (const std::string& input : merge.input()) {
      const TfRef ref = parse_tf_ref(input);
      const tf::NodeDef* from = nodes.find(ref.node);
      if (from == nullptr || ref.control) continue;
      if (is_op(*from, "Enter")) ring.enter = from;
      if (is_op(*from, "NextIteration")) ring.next = from;
    }
    if (ring.enter == nullptr || ring.next == nullptr) continue;
    const std::string frame = frame_name(*ring.enter);
    by_merge_.emplace(merge.name(), Place{frame, frames_[frame].size()});
    frames_[frame].push_back(ring);
  }
  std::unordered_map<std::string, Place> by_switch;
  for (const tf::NodeDef& node : nodes.all()) {
    if (!is_op(node, "Switch") || node.input_size() == 0) continue;
    const auto it = by_merge_.find(parse_tf_ref(node.input(0)).node);
    if (it == by_merge_.end()) continue;
    frames_[it->second.frame][it->second.ring].branch = &node;
    by_switch.emplace(node.name(), it->second);
  }
  for (const tf::NodeDef& node : nodes.all()) {
    if (!is_op(node, "Exit") || node.input_size() == 0) continue;
    const auto it = by_switch.find(parse_tf_ref(node.input(0)).node);
    if (it != by_switch.end()) frames_[it->second.frame][it->second.ring].exit = &node;
  }
}

const std::vector<TfFrames::Ring>& TfFrames::around(const TfNodes& nodes, const tf::NodeDef& exit) const {
  const tf::NodeDef& merge = operand(nodes, operand(nodes, exit, 0, "Switch"), 0, "Merge");
  const auto it = by_merge_.find(merge.name());
  if (it == by_merge_.end()) fail(Code::kUnsupported, "it leaves no loop of the form that tf.while_loop makes");
  return frames_.at(it->second.frame);
}

std::vector<bool> invariant_arguments(const tf::FunctionDef& function) {
  const TfNodes nodes(function.node_def());
  std::vector<bool> result;
  const tf::OpSignature& signature = function.signature();
  for (int i = 0; i < signature.input_arg_size(); ++i) {
    bool same = i < signature.output_arg_size();
    if (same) {
      const auto ret = function.ret().find(signature.output_arg(i).name());
      same = ret != function.ret().end() && returns(nodes, ret->second, signature.input_arg(i).name());
    }
    result.push_back(same);
  }
  return result;
}

std::optional<std::vector<std::string>> TfBuilder::special_needs(const TfScope& scope, const tf::NodeDef& node) const {
  if (is_op(node, "Enter")) return std::vector<std::string>();
  if (!is_op(node, "Exit")) return std::nullopt;
  // What enters the loop; its nodes are built in scopes of their own.
  std::vector<std::string> result;
  for (const TfFrames::Ring& ring : scope.nodes().frames().around(scope.nodes(), node)) {
    if (ring.enter->input_size() == 0) fail(Code::kInvalidModel, describe(*ring.enter), ": input 0 is missing");
    result.push_back(parse_tf_ref(ring.enter->input(0)).node);
  }
  return result;
}

bool TfBuilder::is_pivot(const TfNodes& nodes, const std::string& name) const {
  const tf::NodeDef* node = nodes.find(name);
  return node != nullptr && (node->op() == "Identity" || is_op(*node, "Switch"));
}

std::vector<TfValue> TfBuilder::build_exit(TfScope& scope, const tf::NodeDef& exit) {
  const TfNodes& nodes = scope.nodes();
  const std::vector<TfFrames::Ring>& rings = nodes.frames().around(nodes, exit);
  const tf::NodeDef& condition = operand(nodes, operand(nodes, exit, 0, "Switch"), 1, "LoopCond");
  operand(nodes, condition, 0);
  Loop loop;
  loop.name = scope.prefix() + frame_name(*rings.front().enter);
  for (const TfFrames::Ring& ring : rings) {
    if (ring.branch == nullptr) fail(Code::kUnsupported, describe(*ring.merge), " has no Switch");
    operand(nodes, *ring.next, 0);
    loop.initial.push_back(scope.evaluate({ring.enter->input(0)})[0]);
    loop.invariant.push_back(returns(nodes, ring.next->input(0), ring.branch->name()));
  }
  // The condition and the body see the same nodes with other values: each has a scope of its own.
  const auto region = [&](TfScope& at) {
    TfScope inner(*this, at.graph(), at.names(), nodes, at.prefix(), scope.function());
    inner.outer = &scope;
    inner.captures = at.captures;
    return inner;
  };
  loop.condition = [&](TfScope& at, const std::vector<TfValue>& variables) {
    TfScope inner = region(at);
    for (size_t i = 0; i < variables.size(); ++i) inner.bind(rings[i].merge->name(), {variables[i]});
    return inner.evaluate({condition.input(0)})[0];
  };
  loop.body = [&](TfScope& at, const std::vector<TfValue>& variables) {
    TfScope inner = region(at);
    std::vector<std::string> results;
    for (size_t i = 0; i < variables.size(); ++i) {
      inner.bind(rings[i].branch->name(), {TfValue::dead(), variables[i]});
      results.push_back(rings[i].next->input(0));
    }
    return inner.evaluate(results);
  };
  const std::vector<TfValue> results = build_loop(scope, loop);
  // All exits of the frame at once: the loop is built only once.
  for (size_t i = 0; i < rings.size(); ++i) {
    if (rings[i].exit != nullptr) scope.bind(rings[i].exit->name(), {results[i]});
  }
  for (size_t i = 0; i < rings.size(); ++i) {
    if (parse_tf_ref(exit.input(0)).node == rings[i].branch->name()) return {results[i]};
  }
  fail(Code::kUnsupported, "it leaves no loop of the form that tf.while_loop makes");
}

}  // namespace neural_engine
