#include "executor/op_binding.h"

#include <cstring>
#include <unordered_map>

#include "base/tensor_memory.h"
#include "executor/ops/ml.h"
#include "executor/weight_store.h"

namespace neural_engine {

namespace {

Shape concrete_shape(const Facts& facts, const Node& node) {
  std::optional<Shape> shape = facts.shape ? concrete(*facts.shape) : std::nullopt;
  if (!shape) fail(Code::kInternal, describe(node), ": a shape is not known");
  return *std::move(shape);
}

}  // namespace

void OpContext::set_output(int i, Tensor tensor) const {
  if (!wants_output(i)) return;
  Tensor& target = output(i);
  if (!target.defined()) {
    target = std::move(tensor);
    return;
  }
  require(tensor.dtype() == target.dtype() && tensor.shape() == target.shape(), Code::kInvalidData, "output ", i,
          " is ", to_string(tensor.dtype()), to_string(tensor.shape()), ", inferred was ", to_string(target.dtype()),
          to_string(target.shape()));
  if (tensor.bytes() != 0) std::memcpy(target.raw(), tensor.raw(), tensor.bytes());
}

const Tensor* BindContext::constant(int i) const {
  if (!is_constant(i)) return nullptr;
  if (is_aligned(facts(i).constant)) return &facts(i).constant;
  return &aligned_.try_emplace(i, weights.aligned(facts(i).constant)).first->second;
}

const Tensor* BindContext::packed_constant(int i) const {
  if (!is_constant(i)) return nullptr;
  packed_ |= uint64_t{1} << i;
  return &facts(i).constant;
}

Shape BindContext::shape(int i) const { return concrete_shape(facts(i), node_); }
Shape BindContext::output_shape(int i) const { return concrete_shape(outputs_[static_cast<size_t>(i)], node_); }

const OpBinding* find_binding(std::string_view op) {
  static const auto* const kIndex = [] {
    auto* index = new std::unordered_map<std::string_view, const OpBinding*>;
    for (std::span<const OpBinding> family :
         {elementwise_bindings(), reduce_bindings(), quantize_bindings(), random_bindings(), shape_bindings(),
          gather_bindings(), image_bindings(), control_bindings(), matmul_bindings(), conv_bindings(), norm_bindings(),
          recurrent_bindings(), attention_bindings(), signal_bindings(), ml_bindings()}) {
      for (const OpBinding& binding : family) index->emplace(binding.op, &binding);
    }
    return index;
  }();
  const auto it = kIndex->find(op);
  return it == kIndex->end() ? nullptr : it->second;
}

}  // namespace neural_engine
