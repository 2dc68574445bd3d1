// ONNX sequences, which our graphs do not have, resolved while loading. Two kinds occur in exported models:
//   - a list whose length is known: its elements are values, and the sequence's operators disappear;
//   - what a Loop appends to, one element for each iteration: that is a scan output of the Loop, whose elements lie
//     stacked along dimension 0.
// Everything else (sequences as inputs and outputs of models, in branches, of unequal elements) is refused.
#include <algorithm>
#include <type_traits>

#include "base/error.h"
#include "load/onnx_builder.h"

namespace neural_engine {

namespace {

constexpr int64_t kMaxParts = 1024;  // a dimension that a file claims is split into at most so many elements

using Ints = std::vector<int64_t>;

// One node of a sequence's operator.
class SequenceNode {
 public:
  SequenceNode(Scope& scope, const onnx::NodeProto& proto, OnnxNode& node)
      : scope_(scope), proto_(proto), node_(node), rewrite_(scope.graph, node) {}

  void empty() {
    rewrite_.take<int64_t>("dtype");
    define_list({});
  }

  void construct() {
    Sequence result;
    for (int i = 0; i < proto_.input_size(); ++i) result.elements.push_back(value(i));
    define_list(std::move(result));
  }

  void insert() {
    Sequence result = list(0);
    const int64_t size = static_cast<int64_t>(result.elements.size());
    // Up to the end; from the back, the last element's place is -1.
    int64_t at = has_input(2) ? constant_int(2) : size;
    if (at != size) at = position_of(at, size);
    result.elements.insert(result.elements.begin() + at, value(1));
    define_list(std::move(result));
  }

  void erase() {
    Sequence result = list(0);
    const int64_t size = static_cast<int64_t>(result.elements.size());
    result.elements.erase(result.elements.begin() + (has_input(1) ? position(1, size) : position_of(-1, size)));
    define_list(std::move(result));
  }

  void at() {
    const Sequence& sequence = this->sequence(0);
    if (sequence.stacked != kNoValue) {
      define(rewrite_.add("Gather", {sequence.stacked, scalar(1)}, {{"axis", int64_t{0}}}));
    } else {
      const int64_t size = static_cast<int64_t>(sequence.elements.size());
      define(sequence.elements[static_cast<size_t>(position(1, size))]);
    }
  }

  void length() {
    const Sequence& sequence = this->sequence(0);
    if (sequence.stacked == kNoValue) {
      define(rewrite_.scalar_int(static_cast<int64_t>(sequence.elements.size())));
    } else {
      const ValueId size = rewrite_.add("Shape", {sequence.stacked}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
      define(rewrite_.add("Squeeze", {size, rewrite_.ints({0})}));
    }
  }

  void split() {
    const ValueId x = value(0);
    const int64_t axis = rewrite_.take_or<int64_t>("axis", 0);
    const bool keep = rewrite_.take_or<int64_t>("keepdims", 1) != 0 || has_input(1);
    const Dim dim = dim_of(x, axis);
    if (!has_input(1) && !dim.known() && axis == 0) {
      define_list({.elements = {}, .stacked = keep ? rewrite_.add("Unsqueeze", {x, rewrite_.ints({1})}) : x});
      return;
    }
    Sequence result;
    for (ValueId part : parts(x, axis, part_sizes(dim))) {
      result.elements.push_back(keep ? part : rewrite_.add("Squeeze", {part, rewrite_.ints({axis})}));
    }
    define_list(std::move(result));
  }

  void concat() {
    const Sequence& sequence = this->sequence(0);
    const int64_t axis = rewrite_.take_required<int64_t>("axis");
    const bool new_axis = rewrite_.take_or<int64_t>("new_axis", 0) != 0;
    if (sequence.stacked != kNoValue) {
      define(new_axis ? stack_at(sequence.stacked, axis) : merge_at(sequence.stacked, axis));
      return;
    }
    if (sequence.elements.empty()) rewrite_.invalid("the sequence is empty, expected one element or more");
    std::vector<ValueId> inputs = sequence.elements;
    for (ValueId& input : inputs) {
      if (new_axis) input = rewrite_.add("Unsqueeze", {input, rewrite_.ints({axis})});
    }
    define(rewrite_.add("Concat", inputs, {{"axis", axis}}));
  }

  // Once all attributes that the operator has are taken.
  void finish() const { rewrite_.check_all_taken(); }

  void identity() { define_list(sequence(0)); }

 private:
  bool has_input(int i) const { return i < proto_.input_size() && !proto_.input(i).empty(); }

  ValueId value(int i) const {
    if (!has_input(i)) rewrite_.invalid("input ", i, " is absent");
    const ValueId id = in_context([&] { return scope_.find(proto_.input(i)); });
    if (id == kNoValue) rewrite_.invalid("input ", i, " is absent");
    return id;
  }

  const Sequence& sequence(int i) const {
    const auto it = has_input(i) ? scope_.sequences.find(proto_.input(i)) : scope_.sequences.end();
    if (it == scope_.sequences.end()) rewrite_.invalid("input ", i, " is not a sequence");
    return it->second;
  }

  const Sequence& list(int i) const {
    const Sequence& found = sequence(i);
    if (found.stacked != kNoValue) rewrite_.unsupported("a sequence whose length is not known cannot be changed");
    return found;
  }

  int64_t position_of(int64_t index, int64_t size) const {
    if (index < -size || index >= size) rewrite_.invalid("position ", index, " found in a sequence of ", size);
    return index < 0 ? index + size : index;
  }

  int64_t constant_int(int i) const {
    const std::optional<std::vector<Dim>>& ints = rewrite_.facts(value(i)).ints;
    if (!ints || ints->size() != 1 || !(*ints)[0].known()) {
      rewrite_.unsupported("the position is not a constant, which is supported for sequences made by a Loop only");
    }
    return (*ints)[0].value();
  }

  // The constant operand `i`, as an index below `size`.
  int64_t position(int i, int64_t size) const { return position_of(constant_int(i), size); }

  // Operand `i`, which may have one dimension of 1, as a scalar.
  ValueId scalar(int i) { return rewrite_.add("Reshape", {value(i), rewrite_.ints({})}); }

  Dim dim_of(ValueId x, int64_t axis) const {
    const std::optional<SymShape>& shape = rewrite_.facts(x).shape;
    if (!shape) return {};
    return (*shape)[static_cast<size_t>(position_of(axis, static_cast<int64_t>(shape->size())))];
  }

  Ints part_sizes(const Dim& dim) const {
    int64_t step = 1;
    if (has_input(1)) {
      const Facts& split = rewrite_.facts(value(1));
      const std::optional<Ints> sizes = split.ints ? concrete(*split.ints) : std::nullopt;
      if (!sizes || !split.shape) rewrite_.unsupported("sizes that are not constant are not supported");
      if (split.shape->size() == 1) return *sizes;
      step = sizes->at(0);
      if (step < 1) rewrite_.invalid("parts of ", step, " elements found, expected 1 or more");
    }
    if (!dim.known() || dim.value() / step >= kMaxParts) {
      rewrite_.unsupported("a dimension of ", to_string(dim), " cannot be split into parts of ", step, ", at most ",
                           kMaxParts, " parts are supported");
    }
    Ints result(static_cast<size_t>(dim.value() / step), step);
    if (dim.value() % step != 0) result.push_back(dim.value() % step);
    return result;
  }

  std::vector<ValueId> parts(ValueId x, int64_t axis, const Ints& sizes) {
    if (sizes.empty()) return {};
    std::vector<ValueId> outputs;
    for (size_t i = 0; i < sizes.size(); ++i) outputs.push_back(scope_.graph.add_value());
    emit(scope_.graph, op_def("Split"), {x, rewrite_.ints(sizes)}, outputs, {{"axis", axis}}, node_.name);
    return outputs;
  }

  // The stacked elements with their dimension 0 at `axis` of the result.
  ValueId stack_at(ValueId stacked, int64_t axis) {
    if (axis == 0) return stacked;
    const std::optional<int64_t> rank = rewrite_.rank(stacked);
    if (!rank) rewrite_.unsupported("axis ", axis, " found for elements of unknown rank, supported: 0");
    const int64_t to = position_of(axis, *rank);
    Ints perm;
    for (int64_t i = 1; i < *rank; ++i) perm.push_back(i);
    perm.insert(perm.begin() + to, 0);
    return rewrite_.add("Transpose", {stacked}, {{"perm", perm}});
  }

  // The elements one after the other along their own dimension `axis`.
  ValueId merge_at(ValueId stacked, int64_t axis) {
    if (axis < 0) {
      const std::optional<int64_t> rank = rewrite_.rank(stacked);
      if (!rank) rewrite_.unsupported("axis ", axis, " found for elements of unknown rank, supported: 0 or more");
      axis = position_of(axis, *rank - 1);
    }
    const ValueId x = stack_at(stacked, axis);
    const auto dims = [&](int64_t begin, std::optional<int64_t> end) {
      Attrs attrs = {{"start", begin}};
      if (end) attrs.set("end", *end);
      return rewrite_.add("Shape", {x}, std::move(attrs));
    };
    const ValueId merged = rewrite_.add("ReduceProd", {dims(axis, axis + 2)}, {{"keepdims", int64_t{1}}});
    const ValueId shape =
        rewrite_.add("Concat", {dims(0, axis), merged, dims(axis + 2, std::nullopt)}, {{"axis", int64_t{0}}});
    return rewrite_.add("Reshape", {x, shape}, {{"allowzero", int64_t{1}}});
  }

  const std::string& output() const {
    if (proto_.output_size() != 1) fail(Code::kInvalidModel, proto_.output_size(), " outputs found, expected 1");
    return proto_.output(0);
  }
  void define_list(Sequence result) {
    in_context([&] { scope_.define_sequence(output(), std::move(result)); });
  }
  void define(ValueId result) {
    in_context([&] { scope_.define(output(), result); });
  }

  // For errors that do not name the node, as the rewriter's do.
  template <class Body>
  std::invoke_result_t<Body&> in_context(Body&& body) const {
    return with_context([&] { return describe(node_); }, body);
  }

  Scope& scope_;
  const onnx::NodeProto& proto_;
  OnnxNode& node_;
  Rewrite rewrite_;
};

struct SequenceOp {
  const char* op_type;
  void (SequenceNode::*add)();
};

constexpr SequenceOp kSequenceOps[] = {
    {"SequenceEmpty", &SequenceNode::empty},   {"SequenceConstruct", &SequenceNode::construct},
    {"SequenceInsert", &SequenceNode::insert}, {"SequenceErase", &SequenceNode::erase},
    {"SequenceAt", &SequenceNode::at},         {"SequenceLength", &SequenceNode::length},
    {"SplitToSequence", &SequenceNode::split}, {"ConcatFromSequence", &SequenceNode::concat},
};
constexpr int64_t kSequenceOpset = 11;  // the first that has them

// How often the name is read in a graph and in the bodies within.
int uses_of(const onnx::GraphProto& graph, const std::string& name) {
  int count = 0;
  for (const onnx::NodeProto& node : graph.node()) {
    count += static_cast<int>(std::count(node.input().begin(), node.input().end(), name));
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (attribute.has_g()) count += uses_of(attribute.g(), name);
    }
  }
  for (const onnx::ValueInfoProto& output : graph.output()) count += output.name() == name ? 1 : 0;
  return count;
}

// The index of the body's node that appends to the carried sequence, the only thing that may happen to it.
int appending_node(const onnx::GraphProto& body, const std::string& before, const std::string& after) {
  for (int i = 0; i < body.node_size(); ++i) {
    const onnx::NodeProto& node = body.node(i);
    const bool appends = node.op_type() == "SequenceInsert" && normalized_domain(node.domain()).empty() &&
                         (node.input_size() == 2 || (node.input_size() == 3 && node.input(2).empty())) &&
                         node.input(0) == before && node.output_size() == 1 && node.output(0) == after;
    if (appends && uses_of(body, before) == 1 && uses_of(body, after) == 1) return i;
  }
  fail(Code::kUnsupported, "the sequence \"", before,
       "\" is carried by the Loop; supported is one that each iteration appends one element to");
}

// Turns the carried sequence number `k` into a scan output.
void make_scan_output(onnx::NodeProto& loop, onnx::GraphProto& body, int k, const std::string& stacked) {
  if (body.input_size() <= 2 + k || body.output_size() <= 1 + k || loop.output_size() <= k) {
    fail(Code::kInvalidModel, "the body has ", body.input_size(), " inputs and ", body.output_size(),
         " outputs, fewer than the Loop carries");
  }
  const int append = appending_node(body, body.input(2 + k).name(), body.output(1 + k).name());
  const std::string element = body.node(append).input(1);
  body.mutable_node()->DeleteSubrange(append, 1);
  body.mutable_input()->DeleteSubrange(2 + k, 1);
  body.mutable_output()->DeleteSubrange(1 + k, 1);
  body.add_output()->set_name(element);
  loop.mutable_input()->DeleteSubrange(2 + k, 1);
  loop.mutable_output()->DeleteSubrange(k, 1);
  // Scan outputs that the node leaves out at the end.
  const int before = body.output_size() - 2;  // of the condition and the one just added
  while (loop.output_size() < before) loop.add_output("");
  if (loop.output_size() > before) {
    fail(Code::kInvalidModel, loop.output_size() + 1, " outputs found, expected at most ", before + 1);
  }
  loop.add_output(stacked);
}

}  // namespace

bool OnnxBuilder::add_sequence_node(Scope& scope, const onnx::NodeProto& proto) {
  const auto opset = scope.opsets.find("");
  if (!normalized_domain(proto.domain()).empty() || opset == scope.opsets.end()) return false;
  if (opset->second < kSequenceOpset) return false;
  OnnxNode node;
  node.name = scope.prefix + node_name(proto);
  node.op_type = proto.op_type();
  node.opset = opset->second;
  if (proto.op_type() == "Identity" && proto.input_size() == 1 && scope.sequences.count(proto.input(0)) > 0) {
    SequenceNode(scope, proto, node).identity();
    return true;
  }
  for (const SequenceOp& op : kSequenceOps) {
    if (proto.op_type() != op.op_type) continue;
    with_context([&] { return describe(node); }, [&] { read_attributes(node, scope, proto); });
    SequenceNode sequence(scope, proto, node);
    (sequence.*op.add)();
    sequence.finish();
    return true;
  }
  return false;
}

bool OnnxBuilder::carries_sequence(const Scope& scope, const onnx::NodeProto& proto) const {
  return proto.op_type() == "Loop" && normalized_domain(proto.domain()).empty() &&
         std::any_of(proto.input().begin(), proto.input().end(),
                     [&](const std::string& input) { return scope.sequences.count(input) > 0; });
}

const onnx::NodeProto& OnnxBuilder::without_sequences(const Scope& scope, const onnx::NodeProto& proto,
                                                      StackedOutputs& stacked) {
  // Kept, because tensors are remembered by their addresses.
  onnx::NodeProto& loop = rewritten_.emplace_back(proto);
  loop.set_name(node_name(proto));
  onnx::GraphProto* body = nullptr;
  for (onnx::AttributeProto& attribute : *loop.mutable_attribute()) {
    if (attribute.name() == "body" && attribute.has_g()) body = attribute.mutable_g();
  }
  if (body == nullptr) fail(Code::kInvalidModel, "attribute \"body\" is missing");
  for (int k = loop.input_size() - 3; k >= 0; --k) {
    const auto it = scope.sequences.find(loop.input(2 + k));
    if (it == scope.sequences.end()) continue;
    if (it->second.stacked != kNoValue || !it->second.elements.empty()) {
      fail(Code::kUnsupported, "the sequence \"", it->first, "\" is carried by the Loop and not empty before it");
    }
    const std::string output = k < loop.output_size() ? loop.output(k) : std::string();
    const std::string name = output + "/elements";
    make_scan_output(loop, *body, k, name);
    if (!output.empty()) stacked.emplace_back(output, name);
  }
  return loop;
}

}  // namespace neural_engine
