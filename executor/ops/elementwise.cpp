#include <algorithm>

#include "executor/op_binding.h"

namespace neural_engine {

namespace {

void relu(const Node&, OpContext& context) {
  const Tensor& x = context.input(0);
  const float* src = x.data<float>();
  float* dst = context.output(0).data<float>();
  context.parallel.ranges(x.elems(), 4096, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) dst[i] = std::max(src[i], 0.0f);
  });
}

}  // namespace

std::span<const OpBinding> elementwise_bindings() {
  static constexpr OpBinding kBindings[] = {{"Relu", bind_simple<relu>}};
  return kBindings;
}

}  // namespace neural_engine
