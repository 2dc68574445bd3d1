// Scan of version 8: all operands have a batch dimension in front, and the body sees one element of the batch.
#include "load/onnx_legacy.h"
#include "load/onnx_scope.h"

namespace neural_engine {

namespace {

// A graph whose one node scans a sequence: what version 8 does for each element of the batch.
GraphPtr per_element(Rewrite& r, const std::vector<ValueId>& inputs, size_t outputs, Attrs attrs) {
  auto graph = std::make_shared<Graph>();
  for (ValueId input : inputs) graph->add_input({}, r.facts(input).dtype, std::nullopt);
  std::vector<ValueId> results;
  for (size_t i = 0; i < outputs; ++i) results.push_back(graph->add_value());
  emit(*graph, op_def("Scan"), graph->inputs(), results, std::move(attrs), r.node().name);
  for (size_t i = 0; i < outputs; ++i) graph->add_output(std::to_string(i), results[i]);
  return graph;
}

// As a Scan over the batch, of states and sequences alike, whose body is the Scan over the sequence. Both stack what
// they return along dimension 0: [batch, sequence, ...].
void scan_8(Rewrite& r) {
  if (r.has_input(0)) r.unsupported("sequence_lens is given, only sequences of full length are supported");
  const GraphPtr body = r.take_required<GraphPtr>("body");
  const int64_t scanned = r.take_required<int64_t>("num_scan_inputs");
  const int64_t captures = r.take_required<int64_t>("num_captures");
  std::vector<ValueId> inputs;
  for (size_t i = 1; i < r.num_inputs(); ++i) inputs.push_back(r.input(i));

  Attrs inner = {{"body", body}, {"num_scan_inputs", scanned}, {"num_captures", captures}};
  if (const auto directions = r.take<std::vector<int64_t>>("directions")) {
    inner.set("scan_input_directions", *directions);
  }
  const GraphPtr element = per_element(r, inputs, r.num_outputs(), std::move(inner));
  const int64_t operands = static_cast<int64_t>(inputs.size()) - captures;
  r.finish("Scan", inputs, {{"body", element}, {"num_scan_inputs", operands}, {"num_captures", captures}});
}

}  // namespace

std::span<const LegacyRule> legacy_control_rules() {
  static constexpr LegacyRule kRules[] = {{"Scan", 8, 8, scan_8}};
  return kRules;
}

}  // namespace neural_engine
