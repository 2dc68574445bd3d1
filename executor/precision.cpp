#include "executor/precision.h"

#include <iterator>

#include "base/error.h"
#include "passes/precision.h"

namespace neural_engine {

namespace {

constexpr const char* kNames[] = {"auto", "fp32", "bf16", "int8_dynamic"};

}  // namespace

const char* to_string(Precision precision) noexcept { return kNames[static_cast<size_t>(precision)]; }

Precision parse_precision(const std::string& word) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (word == kNames[i]) return static_cast<Precision>(i);
  }
  fail(Code::kInvalidArgument, "precision \"", word, "\" found, expected auto, fp32, bf16 or int8_dynamic");
}

GraphPtr with_precision(const GraphPtr& graph, Precision precision, std::vector<std::string>* notes) {
  switch (precision) {
    case Precision::kAuto:
    case Precision::kFp32: return graph;
    case Precision::kBf16:
      notes->emplace_back("bf16: there are no bf16 kernels for this CPU, products are computed in f32");
      return graph;
    case Precision::kInt8Dynamic: break;
  }
  auto copy = std::make_shared<Graph>(*graph);
  PassReport report;
  quantize_dynamically(*copy, report);
  notes->push_back(text("int8_dynamic: ", report.num_applied(), " products quantized"));
  for (const PassReport::Entry& entry : report.entries()) {
    if (!entry.applied()) notes->push_back(text("int8_dynamic: ", entry.where, " stays f32: ", entry.reason));
  }
  return copy;
}

}  // namespace neural_engine
