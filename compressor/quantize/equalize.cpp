#include "compressor/quantize/equalize.h"

#include <algorithm>
#include <cmath>

#include "compressor/quantize/fold.h"
#include "compressor/quantize/weight.h"
#include "passes/queries.h"

namespace neural_engine {

namespace {

std::vector<float> factors_between(const Tensor& first, bool first_transposed, const Tensor& second,
                                   bool second_transposed) {
  const std::vector<float> before = output_absmax(first, first_transposed);
  const std::vector<float> after = input_absmax(second, second_transposed);
  std::vector<float> divisors(before.size(), 1.0f);
  for (size_t i = 0; i < before.size() && i < after.size(); ++i) {
    if (before[i] > 0 && after[i] > 0) divisors[i] = std::sqrt(before[i] / after[i]);
  }
  return divisors;
}

}  // namespace

int equalize(Graph& graph, const std::vector<Target>& targets, const std::vector<Settings>& settings) {
  int pairs = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    if (targets[i].kind != TargetKind::kLinear || settings[i].precision != OpPrecision::kInt8) continue;
    const NodeId second = targets[i].node;
    const ValueId x = graph.node(second).inputs[0];
    const NodeId first = scalable_product(graph, x, /*through_relu=*/true);
    if (first == kNoNode || !only_used_by(graph, x, second)) continue;
    const Tensor before = graph.value(graph.node(first).inputs[1]).facts.constant;
    const Tensor after = graph.value(graph.node(second).inputs[1]).facts.constant;
    const bool transposed = weight_is_transposed(graph.node(second));
    const std::vector<float> divisors =
        factors_between(before, weight_is_transposed(graph.node(first)), after, transposed);
    divide_product(graph, first, divisors);
    const std::string name = graph.value(graph.node(second).inputs[1]).name;
    graph.set_input(second, 1, graph.add_constant(scale_inputs(after, transposed, divisors), name));
    ++pairs;
  }
  return pairs;
}

}  // namespace neural_engine
