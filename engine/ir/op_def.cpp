#include "ir/op_def.h"

#include <cstring>
#include <string>
#include <unordered_map>

namespace neural_engine {

const AttrDef* OpDef::find_attr(std::string_view attr) const {
  for (const AttrDef& def : attrs) {
    if (attr == def.name) return &def;
  }
  return nullptr;
}

const OpDef* find_op(std::string_view name) {
  static const auto* const kIndex = [] {
    auto* index = new std::unordered_map<std::string_view, const OpDef*>;
    for (const OpDef* def : all_ops()) {
      if (!index->emplace(def->name, def).second) fail(Code::kInternal, "op ", def->name, " is listed twice");
    }
    return index;
  }();
  const auto it = kIndex->find(name);
  return it == kIndex->end() ? nullptr : it->second;
}

const OpDef& op_def(std::string_view name) {
  const OpDef* def = find_op(name);
  if (def == nullptr) fail(Code::kInternal, "there is no op ", name);
  return *def;
}

const OpDef* find_onnx_op(std::string_view domain, std::string_view op_type, int64_t opset) {
  static const auto* const kIndex = [] {
    auto* index = new std::unordered_multimap<std::string, std::pair<const OpDef*, const OnnxOp*>>;
    for (const OpDef* def : all_ops()) {
      for (const OnnxOp& onnx : def->onnx) {
        index->emplace(std::string(onnx.domain) + "::" + onnx.op_type, std::pair(def, &onnx));
      }
    }
    return index;
  }();
  const auto [begin, end] = kIndex->equal_range(std::string(domain) + "::" + std::string(op_type));
  for (auto it = begin; it != end; ++it) {
    const auto& [def, onnx] = it->second;
    if (opset >= onnx->since && opset <= onnx->until) return def;
  }
  return nullptr;
}

}  // namespace neural_engine
