#include "load/tensorflow_ops.h"

#include <string>
#include <unordered_map>

#include "load/tensorflow.h"

namespace neural_engine {

std::vector<TfFamily> tf_families() {
  return {
      {"mathematics", tf_math_ops()},  {"comparison and choice", tf_logic_ops()},
      {"products", tf_matmul_ops()},   {"shapes", tf_shape_ops()},
      {"parts", tf_slice_ops()},       {"indices", tf_gather_ops()},
      {"segments", tf_segment_ops()},  {"reductions", tf_reduce_ops()},
      {"convolutions", tf_conv_ops()}, {"norms", tf_norm_ops()},
      {"fused", tf_fused_ops()},       {"quantized", tf_quantize_ops()},
      {"lists", tf_list_ops()},        {"state", tf_state_ops()},
  };
}

std::vector<TfOperators> tensorflow_operators() {
  std::vector<TfOperators> result;
  for (const TfFamily& family : tf_families()) {
    TfOperators& entry = result.emplace_back();
    entry.family = family.name;
    for (const TfOp& op : family.ops) entry.names.emplace_back(op.op);
  }
  TfOperators& control = result.emplace_back();
  control.family = "control flow";
  for (const char* op : tf_control_ops()) control.names.emplace_back(op);
  return result;
}

const TfOp* find_tf_op(std::string_view op) {
  static const std::unordered_map<std::string_view, const TfOp*> kByName = [] {
    std::unordered_map<std::string_view, const TfOp*> result;
    for (const TfFamily& family : tf_families()) {
      for (const TfOp& each : family.ops) result.emplace(each.op, &each);
    }
    return result;
  }();
  const auto it = kByName.find(op);
  return it == kByName.end() ? nullptr : it->second;
}

std::span<const char* const> tf_control_ops() {
  static constexpr const char* kOps[] = {
      "Switch", "Merge",       "Enter", "Exit",           "NextIteration",   "LoopCond",
      "If",     "StatelessIf", "While", "StatelessWhile", "PartitionedCall", "StatefulPartitionedCall"};
  return kOps;
}

const char* why_not_supported(std::string_view op) {
  const auto has = [&](std::string_view part) { return op.find(part) != std::string_view::npos; };
  if (has("HashTable") || has("LookupTable")) {
    return "hash tables are not supported; look the keys up before the model and feed numbers";
  }
  if (has("String") || has("Regex") || op == "DecodeRaw" || has("ParseExample") || has("ParseSingleExample")) {
    return "strings are not supported; feed numbers";
  }
  if (has("Gradient") || op.substr(0, 8) == "Resource") return "training is not supported";
  if (op == "PyFunc" || op == "EagerPyFunc") return "it calls Python";
  return "";
}

}  // namespace neural_engine
