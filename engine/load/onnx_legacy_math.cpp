// Old forms of arithmetic, reductions and transforms.
#include "load/onnx_legacy.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

// Reductions: the attribute "axes" became an input.
void reduce_1(Rewrite& r) {
  std::vector<ValueId> inputs = {r.input(0)};
  if (const auto axes = r.take<Ints>("axes"); axes && !axes->empty()) inputs.push_back(r.ints(*axes));
  const int64_t keepdims = r.take_or<int64_t>("keepdims", 1);
  r.finish(r.node().op_type, inputs, {{"keepdims", keepdims}});
}

void clip_6(Rewrite& r) {
  const ValueId x = r.input(0);
  const auto low = r.take<float>("min");
  const auto high = r.take<float>("max");
  const ValueId min = low ? r.scalar_like(*low, x) : kNoValue;
  const ValueId max = high ? r.scalar_like(*high, x) : kNoValue;
  r.finish("Clip", {x, min, max});
}

// Inference only: the ratio matters in training alone. Before version 10 the mask has the dtype of the data.
void dropout_7(Rewrite& r) {
  const ValueId x = r.input(0);
  const ValueId ratio = r.constant(Tensor::scalar(r.take_or<float>("ratio", 0.5f)));
  if (r.opset() >= 10 || !r.wants_output(1)) {
    r.finish("Dropout", {x, ratio});
    return;
  }
  r.check_all_taken();
  r.finish_output(0, "Identity", {x});
  const ValueId ones = r.add("Expand", {r.scalar_like(1.f, x), r.add("Shape", {x})});
  r.finish_output(1, "Identity", {ones});
}

// Version 17 transforms along the attribute "axis", 1 by default.
void dft_17(Rewrite& r) {
  const ValueId axis = r.scalar_int(r.take_or<int64_t>("axis", 1));
  r.finish_with_rest("DFT", {r.input(0), r.input_or_absent(1), axis});
}

}  // namespace

std::span<const LegacyRule> legacy_math_rules() {
  static constexpr LegacyRule kRules[] = {
      {"ReduceL1", 1, 17, reduce_1},
      {"ReduceL2", 1, 17, reduce_1},
      {"ReduceLogSum", 1, 17, reduce_1},
      {"ReduceLogSumExp", 1, 17, reduce_1},
      {"ReduceMax", 1, 17, reduce_1},
      {"ReduceMean", 1, 17, reduce_1},
      {"ReduceMin", 1, 17, reduce_1},
      {"ReduceProd", 1, 17, reduce_1},
      {"ReduceSumSquare", 1, 17, reduce_1},
      {"ReduceSum", 1, 12, reduce_1},
      {"Clip", 6, 10, clip_6},
      {"Dropout", 7, 11, dropout_7},
      {"DFT", 17, 19, dft_17},
  };
  return kRules;
}

}  // namespace neural_engine
