#include "executor/precision.h"

#include <iterator>

#include "base/error.h"
#include "passes/precision.h"

namespace neural_engine {

namespace {

constexpr const char* kNames[] = {"auto", "fp32", "bf16", "int8_dynamic"};

bool is_quantized(const Graph& graph) {
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (!graph.alive(id)) continue;
    for (const char* op : {"QuantizeLinear", "DequantizeLinear", "MatMulInteger", "QLinearMatMul"}) {
      if (graph.node(id).is(op)) return true;
    }
  }
  return false;
}

}  // namespace

const char* to_string(Precision precision) noexcept { return kNames[static_cast<size_t>(precision)]; }

Precision parse_precision(const std::string& word) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (word == kNames[i]) return static_cast<Precision>(i);
  }
  fail(Code::kInvalidArgument, "precision \"", word, "\" found, expected auto, fp32, bf16 or int8_dynamic");
}

GraphPtr with_precision(const GraphPtr& graph, Precision precision, std::vector<std::string>* notes) {
  const bool lower = precision != Precision::kFp32 && is_quantized(*graph);
  if (precision == Precision::kBf16)
    notes->emplace_back("bf16: there are no bf16 kernels for this CPU, products are computed in f32");
  if (!lower && precision != Precision::kInt8Dynamic) return graph;
  auto copy = std::make_shared<Graph>(*graph);
  PassReport report;
  if (lower) {
    lower_quantized(*copy, report);
    report = {};
  }
  if (precision != Precision::kInt8Dynamic) return copy;
  quantize_dynamically(*copy, report);
  notes->push_back(text("int8_dynamic: ", report.num_applied(), " products quantized"));
  for (const PassReport::Entry& entry : report.entries()) {
    if (!entry.applied()) notes->push_back(text("int8_dynamic: ", entry.where, " stays f32: ", entry.reason));
  }
  return copy;
}

}  // namespace neural_engine
