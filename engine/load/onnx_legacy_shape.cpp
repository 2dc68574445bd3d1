// Old forms of ops that move or select elements: mostly attributes that became inputs.
#include "load/onnx_legacy.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

void slice_1(Rewrite& r) {
  const Ints starts = r.take_required<Ints>("starts");
  const Ints ends = r.take_required<Ints>("ends");
  std::vector<ValueId> inputs = {r.input(0), r.ints(starts), r.ints(ends)};
  if (const auto axes = r.take<Ints>("axes")) inputs.push_back(r.ints(*axes));
  r.finish("Slice", inputs);
}

void squeeze_1(Rewrite& r) {
  std::vector<ValueId> inputs = {r.input(0)};
  if (const auto axes = r.take<Ints>("axes")) inputs.push_back(r.ints(*axes));
  r.finish("Squeeze", inputs);
}

void unsqueeze_1(Rewrite& r) {
  const Ints axes = r.take_required<Ints>("axes");
  r.finish("Unsqueeze", {r.input(0), r.ints(axes)});
}

void split_2(Rewrite& r) {
  std::vector<ValueId> inputs = {r.input(0)};
  if (const auto sizes = r.take<Ints>("split")) inputs.push_back(r.ints(*sizes));
  r.finish_with_rest("Split", inputs);
}

void pad_2(Rewrite& r) {
  const Ints pads = r.take_required<Ints>("pads");
  const ValueId value = r.scalar_like(r.take_or<float>("value", 0.f), r.input(0));
  r.finish("Pad", {r.input(0), r.ints(pads), value}, {{"mode", r.take_or<std::string>("mode", "constant")}});
}

// Version 9 knows no negative indices: they are out of range, as are those from `depth` on.
void one_hot_9(Rewrite& r) {
  const ValueId indices = r.input(0);
  const ValueId depth = r.add("CastLike", {r.add("Reshape", {r.input(1), r.ints({})}), indices});
  const ValueId negative = r.add("Less", {indices, r.scalar_like(0.f, indices)});
  const ValueId shifted = r.add("Where", {negative, depth, indices});
  r.finish_with_rest("OneHot", {shifted, r.input(1), r.input(2)});
}

void top_k_1(Rewrite& r) {
  const int64_t k = r.take_required<int64_t>("k");
  r.finish("TopK", {r.input(0), r.ints({k})}, {{"axis", r.take_or<int64_t>("axis", -1)}});
}

}  // namespace

std::span<const LegacyRule> legacy_shape_rules() {
  static constexpr LegacyRule kRules[] = {
      {"Slice", 1, 9, slice_1},  {"Squeeze", 1, 12, squeeze_1}, {"Unsqueeze", 1, 12, unsqueeze_1},
      {"Split", 2, 12, split_2}, {"Pad", 2, 10, pad_2},         {"OneHot", 9, 10, one_hot_9},
      {"TopK", 1, 9, top_k_1},
  };
  return kRules;
}

}  // namespace neural_engine
