// Operators of older opsets and of other domains, rewritten into the form that the ops have (ONNX's newest).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace neural_engine {

// One ONNX node whose operands are resolved and whose attributes are read, before it becomes a node of the graph.
struct OnnxNode {
  std::string name;
  std::string domain;
  std::string op_type;
  int64_t opset = 0;
  std::vector<ValueId> inputs;   // kNoValue: absent
  std::vector<ValueId> outputs;  // values without a producer; kNoValue: not wanted
  Attrs attrs;
};
// `node "/l0/Add" (Add)`
std::string describe(const OnnxNode& node);

// What a rewriter sees of a node and adds to the graph. Attributes are taken: what is left at the end is refused.
class Rewrite {
 public:
  Rewrite(Graph& graph, OnnxNode& node) : graph_(graph), node_(node) {}

  int64_t opset() const { return node_.opset; }
  size_t num_inputs() const { return node_.inputs.size(); }
  size_t num_outputs() const { return node_.outputs.size(); }
  bool has_input(size_t i) const { return input_or_absent(i) != kNoValue; }
  ValueId input_or_absent(size_t i) const { return i < node_.inputs.size() ? node_.inputs[i] : kNoValue; }
  ValueId input(size_t i) const;  // kInvalidModel when absent
  bool wants_output(size_t i) const { return i < node_.outputs.size() && node_.outputs[i] != kNoValue; }
  const Facts& facts(ValueId value) const { return graph_.value(value).facts; }
  std::optional<int64_t> rank(ValueId value) const;
  // A dimension that is known as a number; `axis` may count from the end.
  std::optional<int64_t> dim(ValueId value, int64_t axis) const;
  // The elements of a constant float tensor.
  std::optional<std::vector<float>> constant_floats(ValueId value) const;

  template <class T>
  std::optional<T> take(std::string_view name);
  template <class T>
  T take_or(std::string_view name, T otherwise) {
    return take<T>(name).value_or(std::move(otherwise));
  }
  template <class T>
  T take_required(std::string_view name) {
    std::optional<T> value = take<T>(name);
    if (!value) invalid("attribute \"", name, "\" is missing");
    return std::move(*value);
  }

  ValueId constant(Tensor tensor) { return graph_.add_constant(std::move(tensor)); }
  ValueId ints(const std::vector<int64_t>& values);
  ValueId scalar_int(int64_t value) { return constant(Tensor::scalar<int64_t>(value)); }
  // `value` in the dtype of `like`.
  ValueId scalar_like(float value, ValueId like);
  // A further node with one output.
  ValueId add(std::string_view op, std::vector<ValueId> inputs, Attrs attrs = {});
  // A further node with several outputs.
  std::vector<ValueId> add_many(std::string_view op, std::vector<ValueId> inputs, Attrs attrs, size_t outputs);
  // The node that has this node's outputs, with the attributes given and no others.
  void finish(std::string_view op, std::vector<ValueId> inputs, Attrs attrs = {});
  // The same with all attributes that have not been taken.
  void finish_with_rest(std::string_view op, std::vector<ValueId> inputs, Attrs attrs = {});
  // A single output of this node, where several nodes make them.
  void finish_output(size_t i, std::string_view op, std::vector<ValueId> inputs, Attrs attrs = {});
  void check_all_taken() const;

  template <class... Args>
  [[noreturn]] void invalid(const Args&... args) const {
    fail(Code::kInvalidModel, describe(node_), ": ", args...);
  }
  template <class... Args>
  [[noreturn]] void unsupported(const Args&... args) const {
    fail(Code::kUnsupported, describe(node_), ": ", args...);
  }

  Graph& graph() { return graph_; }
  OnnxNode& node() { return node_; }

 private:
  Graph& graph_;
  OnnxNode& node_;
};

// `op_type` of a domain at the opsets since..until.
struct LegacyRule {
  const char* op_type;
  int since;
  int until;
  void (*rewrite)(Rewrite&);
  const char* domain = "";
};
// The domain of the operators that ONNX Runtime's optimizer and quantizer write.
inline constexpr const char* kMicrosoft = "com.microsoft";

// Families of rules, one per file onnx_legacy_<family>.cpp.
std::span<const LegacyRule> legacy_shape_rules();
std::span<const LegacyRule> legacy_math_rules();
std::span<const LegacyRule> legacy_image_rules();
std::span<const LegacyRule> legacy_norm_rules();
std::span<const LegacyRule> legacy_control_rules();
std::span<const LegacyRule> legacy_broadcast_rules();
// The same for other domains, in onnx_contrib_<family>.cpp.
std::span<const LegacyRule> contrib_fused_rules();
std::span<const LegacyRule> contrib_norm_rules();
std::span<const LegacyRule> contrib_attention_rules();
std::span<const LegacyRule> contrib_cache_rules();
std::span<const LegacyRule> contrib_quantize_rules();
std::span<const LegacyRule> contrib_blocks_rules();
// The domain ai.onnx.ml, in onnx_ml_<family>.cpp.
std::span<const LegacyRule> ml_feature_rules();
std::span<const LegacyRule> ml_linear_rules();
std::span<const LegacyRule> ml_tree_rules();
std::span<const LegacyRule> ml_support_vector_rules();
// All of them.
std::vector<std::span<const LegacyRule>> legacy_families();

// nullptr when there is none.
const LegacyRule* find_legacy_rule(std::string_view domain, std::string_view op_type, int64_t opset);
// "7 to 12, 13 to 23": the opsets at which the operator is supported, directly or rewritten; "" when at none.
std::string supported_opsets(std::string_view domain, std::string_view op_type);

// Adds the node, as it is or rewritten. Error(kUnsupported) naming operator, domain and opset when neither is possible.
void add_onnx_node(Graph& graph, OnnxNode node);

}  // namespace neural_engine
