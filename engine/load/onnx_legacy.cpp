#include "load/onnx_legacy.h"

#include <algorithm>

#include "load/onnx_scope.h"

namespace neural_engine {

std::vector<std::span<const LegacyRule>> legacy_families() {
  return {legacy_shape_rules(),      legacy_math_rules(),      legacy_image_rules(),     legacy_norm_rules(),
          legacy_control_rules(),    legacy_broadcast_rules(), contrib_fused_rules(),    contrib_norm_rules(),
          contrib_attention_rules(), contrib_cache_rules(),    contrib_quantize_rules(), contrib_blocks_rules(),
          ml_feature_rules(),        ml_linear_rules(),        ml_tree_rules(),          ml_support_vector_rules()};
}

std::string describe(const OnnxNode& node) { return "node \"" + node.name + "\" (" + node.op_type + ")"; }

const LegacyRule* find_legacy_rule(std::string_view domain, std::string_view op_type, int64_t opset) {
  for (std::span<const LegacyRule> family : legacy_families()) {
    for (const LegacyRule& rule : family) {
      if (op_type == rule.op_type && domain == rule.domain && opset >= rule.since && opset <= rule.until) return &rule;
    }
  }
  return nullptr;
}

std::string supported_opsets(std::string_view domain, std::string_view op_type) {
  std::vector<std::pair<int, int>> ranges;
  for (const OpDef* def : all_ops()) {
    for (const OnnxOp& onnx : def->onnx) {
      if (domain == onnx.domain && op_type == onnx.op_type) ranges.emplace_back(onnx.since, onnx.until);
    }
  }
  for (std::span<const LegacyRule> family : legacy_families()) {
    for (const LegacyRule& rule : family) {
      if (domain == rule.domain && op_type == rule.op_type) ranges.emplace_back(rule.since, rule.until);
    }
  }
  std::sort(ranges.begin(), ranges.end());
  std::string result;
  for (const auto& [since, until] : ranges) {
    result += (result.empty() ? "" : ", ") + std::to_string(since) + " to " + std::to_string(until);
  }
  return result;
}

void add_onnx_node(Graph& graph, OnnxNode node) {
  if (const LegacyRule* rule = find_legacy_rule(node.domain, node.op_type, node.opset)) {
    Rewrite rewrite(graph, node);
    rule->rewrite(rewrite);
    return;
  }
  const OpDef* def = find_onnx_op(node.domain, node.op_type, node.opset);
  if (def == nullptr) {
    const std::string supported = supported_opsets(node.domain, node.op_type);
    fail(Code::kUnsupported, describe(node), ": operator ", node.op_type, " of domain \"",
         node.domain.empty() ? "ai.onnx" : node.domain, "\" is not supported at opset ", node.opset,
         supported.empty() ? ", nor at any other" : ", but at " + supported);
  }
  emit(graph, *def, std::move(node.inputs), std::move(node.outputs), std::move(node.attrs), std::move(node.name));
}

ValueId Rewrite::input(size_t i) const {
  const ValueId value = input_or_absent(i);
  if (value == kNoValue) invalid("input ", i, " is absent");
  return value;
}

std::optional<int64_t> Rewrite::rank(ValueId value) const {
  const std::optional<SymShape>& shape = facts(value).shape;
  return shape ? std::optional<int64_t>(static_cast<int64_t>(shape->size())) : std::nullopt;
}

std::optional<int64_t> Rewrite::dim(ValueId value, int64_t axis) const {
  const std::optional<SymShape>& shape = facts(value).shape;
  const int64_t size = shape ? static_cast<int64_t>(shape->size()) : 0;
  if (axis < 0) axis += size;
  if (axis < 0 || axis >= size || !(*shape)[static_cast<size_t>(axis)].known()) return std::nullopt;
  return (*shape)[static_cast<size_t>(axis)].value();
}

std::optional<std::vector<float>> Rewrite::constant_floats(ValueId value) const {
  const Tensor& tensor = facts(value).constant;
  if (!tensor.defined() || tensor.dtype() != DType::kF32) return std::nullopt;
  const float* data = tensor.data<float>();
  return std::vector<float>(data, data + tensor.elems());
}

template <class T>
std::optional<T> Rewrite::take(std::string_view name) {
  const AttrValue* value = node_.attrs.find(name);
  if (value == nullptr) return std::nullopt;
  const T* typed = std::get_if<T>(value);
  if (typed == nullptr) {
    invalid("attribute \"", name, "\" has type ", to_string(type_of(*value)), ", expected ",
            to_string(type_of(AttrValue(T()))));
  }
  T result = *typed;
  node_.attrs.erase(name);
  return result;
}
template std::optional<int64_t> Rewrite::take(std::string_view);
template std::optional<float> Rewrite::take(std::string_view);
template std::optional<std::string> Rewrite::take(std::string_view);
template std::optional<std::vector<int64_t>> Rewrite::take(std::string_view);
template std::optional<std::vector<float>> Rewrite::take(std::string_view);
template std::optional<GraphPtr> Rewrite::take(std::string_view);
template std::optional<std::vector<std::string>> Rewrite::take(std::string_view);
template std::optional<Tensor> Rewrite::take(std::string_view);

ValueId Rewrite::ints(const std::vector<int64_t>& values) {
  return constant(Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
}

ValueId Rewrite::scalar_like(float value, ValueId like) {
  const Tensor scalar = Tensor::scalar<float>(value);
  return facts(like).dtype == DType::kF32 ? constant(scalar) : add("CastLike", {constant(scalar), like});
}

ValueId Rewrite::add(std::string_view op, std::vector<ValueId> inputs, Attrs attrs) {
  const ValueId output = graph_.add_value();
  emit(graph_, op_def(op), std::move(inputs), {output}, std::move(attrs), node_.name + "/" + std::string(op));
  return output;
}

std::vector<ValueId> Rewrite::add_many(std::string_view op, std::vector<ValueId> inputs, Attrs attrs, size_t outputs) {
  std::vector<ValueId> result;
  for (size_t i = 0; i < outputs; ++i) result.push_back(graph_.add_value());
  emit(graph_, op_def(op), std::move(inputs), result, std::move(attrs), node_.name + "/" + std::string(op));
  return result;
}

void Rewrite::check_all_taken() const {
  if (node_.attrs.items().empty()) return;
  unsupported("attribute \"", node_.attrs.items().front().first, "\" is not one of the operator's at opset ",
              node_.opset);
}

void Rewrite::finish(std::string_view op, std::vector<ValueId> inputs, Attrs attrs) {
  check_all_taken();
  emit(graph_, op_def(op), std::move(inputs), node_.outputs, std::move(attrs), node_.name);
}

void Rewrite::finish_with_rest(std::string_view op, std::vector<ValueId> inputs, Attrs attrs) {
  for (const auto& [name, value] : node_.attrs.items()) attrs.set(name, value);
  emit(graph_, op_def(op), std::move(inputs), node_.outputs, std::move(attrs), node_.name);
}

void Rewrite::finish_output(size_t i, std::string_view op, std::vector<ValueId> inputs, Attrs attrs) {
  if (!wants_output(i)) return;
  emit(graph_, op_def(op), std::move(inputs), {node_.outputs[i]}, std::move(attrs), node_.name);
}

}  // namespace neural_engine
