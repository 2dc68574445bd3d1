// Old forms of normalizations.
#include "load/onnx_legacy.h"

namespace neural_engine {

namespace {

// Softmax, LogSoftmax and Hardmax up to version 12 see a matrix: the dimensions before `axis` are its rows, those from
// `axis` on its columns. Where `axis` is the last dimension that is what later versions do. ONNX's own suite counts
// from the end before version 11 too.
void softmax_1(Rewrite& r) {
  const ValueId x = r.input(0);
  const int64_t axis = r.take_or<int64_t>("axis", 1);
  const std::optional<int64_t> rank = r.rank(x);
  if (axis == -1 || (rank && axis == *rank - 1)) {
    r.finish(r.node().op_type, {x}, {{"axis", int64_t{-1}}});
    return;
  }
  const ValueId matrix = r.add("Flatten", {x}, {{"axis", axis}});
  const ValueId result = r.add(r.node().op_type, {matrix}, {{"axis", int64_t{-1}}});
  r.finish("Reshape", {result, r.add("Shape", {x})}, {{"allowzero", int64_t{1}}});
}

// Up to version 13 it is training that the further outputs mean; there is no attribute for it.
void batch_normalization_7(Rewrite& r) {
  if (r.take_or<int64_t>("spatial", 1) != 1) r.unsupported("spatial 0 found, 1 is supported");
  for (size_t i = 1; i < r.num_outputs(); ++i) {
    if (r.wants_output(i)) r.unsupported("output ", i, " is used, which is for training; output 0 is supported");
  }
  r.node().outputs.resize(1);
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < 5; ++i) inputs.push_back(r.input(i));
  r.finish_with_rest("BatchNormalization", inputs);
}

}  // namespace

std::span<const LegacyRule> legacy_norm_rules() {
  static constexpr LegacyRule kRules[] = {
      {"Softmax", 1, 12, softmax_1},
      {"LogSoftmax", 1, 12, softmax_1},
      {"Hardmax", 1, 12, softmax_1},
      {"BatchNormalization", 7, 13, batch_normalization_7},
  };
  return kRules;
}

}  // namespace neural_engine
