// Normalizations that ONNX Runtime's optimizer fused with what lies before them.
#include "load/onnx_contrib.h"

namespace neural_engine {

namespace {

// ONNX Runtime's CPU kernels leave the outputs of training empty.
void require_no_moments(Rewrite& r) {
  for (size_t i = 1; i < std::min<size_t>(r.num_outputs(), 3); ++i) {
    if (r.wants_output(i)) r.unsupported("output ", i, " is used, which is for training; supported are 0 and 3");
  }
}

// The optimizer writes LayerNormalization into models of opsets that did not have it.
void layer_norm_1(Rewrite& r) { r.finish_with_rest("LayerNormalization", r.node().inputs); }

void simplified_layer_norm(Rewrite& r) {
  if (r.wants_output(1)) r.unsupported("output 1 is used, which is for training; supported is 0");
  r.node().outputs.resize(1);
  r.finish_with_rest("RMSNormalization", {r.input(0), r.input(1)});
}

// norm(input + skip + bias): the sum is output 3.
void skip_norm(Rewrite& r, const char* norm, std::vector<ValueId> parameters, ValueId bias) {
  require_no_moments(r);
  const float epsilon = r.take_or<float>("epsilon", 1e-12f);
  r.check_all_taken();
  ValueId sum = r.add("Add", {r.input(0), r.input(1)});
  if (bias != kNoValue) sum = r.add("Add", {sum, bias});
  std::vector<ValueId> inputs = {sum};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  r.finish_output(0, norm, std::move(inputs), {{"axis", int64_t{-1}}, {"epsilon", epsilon}});
  r.finish_output(3, "Identity", {sum});
}

void skip_layer_norm(Rewrite& r) {
  skip_norm(r, "LayerNormalization", {r.input(2), r.input_or_absent(3)}, r.input_or_absent(4));
}

void skip_simplified_layer_norm(Rewrite& r) { skip_norm(r, "RMSNormalization", {r.input(2)}, r.input_or_absent(3)); }

void embed_layer_norm(Rewrite& r) {
  const ValueId ids = r.input(0);
  const auto rows = [&](size_t table, ValueId indices) {
    return r.add("Gather", {r.input(table), indices}, {{"axis", int64_t{0}}});
  };
  ValueId sum = r.add("Add", {rows(2, ids), rows(3, position_rows(r, ids, r.input_or_absent(8)))});
  if (r.has_input(1) != r.has_input(4)) r.invalid("segment_ids and segment_embedding come together or not at all");
  if (r.has_input(1)) sum = r.add("Add", {sum, rows(4, r.input(1))});
  finish_embedding(r, {.sum = sum, .gamma = r.input(5), .beta = r.input(6), .mask = r.input_or_absent(7), .ids = ids});
}

// All tables are quantized, and so are gamma and beta. What is looked up is dequantized, not the tables.
void quantized_embed_layer_norm(Rewrite& r) {
  const ValueId ids = r.input(0);
  const auto operand = [&](size_t i, size_t parameter) {
    return QuantizedOperand{r.input(i), r.input(8 + parameter), r.input_or_absent(13 + parameter)};
  };
  const auto rows = [&](size_t i, size_t parameter, ValueId indices) {
    QuantizedOperand table = operand(i, parameter);
    table.value = r.add("Gather", {table.value, indices}, {{"axis", int64_t{0}}});
    return add_dequantized(r, table);
  };
  ValueId sum = r.add("Add", {rows(2, 0, ids), rows(3, 1, position_rows(r, ids, kNoValue))});
  if (r.has_input(1)) sum = r.add("Add", {sum, rows(4, 2, r.input(1))});
  finish_embedding(r, {.sum = sum,
                       .gamma = add_dequantized(r, operand(5, 3)),
                       .beta = add_dequantized(r, operand(6, 4)),
                       .mask = r.input_or_absent(7),
                       .ids = ids});
}

}  // namespace

ValueId position_rows(Rewrite& r, ValueId ids, ValueId positions) {
  if (positions != kNoValue) return positions;
  return r.add("Range", {r.scalar_int(0), scalar_dim_of(r, ids, 1), r.scalar_int(1)});
}

void finish_embedding(Rewrite& r, const Embedding& embedding) {
  const float epsilon = r.take_or<float>("epsilon", 1e-12f);
  const int64_t mask_type = r.take_or<int64_t>("mask_index_type", embedding.mask != kNoValue ? 1 : 0);
  r.check_all_taken();
  r.finish_output(0, "LayerNormalization", {embedding.sum, embedding.gamma, embedding.beta},
                  {{"axis", int64_t{-1}}, {"epsilon", epsilon}});
  if (r.wants_output(1)) {
    if (embedding.mask != kNoValue && mask_type != 1)
      r.unsupported("mask_index_type ", mask_type, " found, expected 1");
    // How many keys of each row count; 0 without a mask.
    const ValueId source = embedding.mask != kNoValue ? embedding.mask : embedding.ids;
    const ValueId one = r.constant(Tensor::scalar<int32_t>(1));
    const ValueId as_s32 = r.add("Cast", {source}, {{"to", int64_t{6}}});
    const ValueId counts = embedding.mask != kNoValue
                               ? r.add("Cast", {r.add("Equal", {as_s32, one})}, {{"to", int64_t{6}}})
                               : r.add("Sub", {as_s32, as_s32});
    r.finish_output(1, "ReduceSum", {counts, r.ints({1})}, {{"keepdims", int64_t{0}}});
  }
  r.finish_output(2, "Identity", {embedding.sum});
}

std::span<const LegacyRule> contrib_norm_rules() {
  static constexpr LegacyRule kRules[] = {
      {"LayerNormalization", 1, 16, layer_norm_1},
      {"SimplifiedLayerNormalization", 1, kMaxOnnxOpset, simplified_layer_norm},
      {"SkipLayerNormalization", 1, 1, skip_layer_norm, kMicrosoft},
      {"SkipSimplifiedLayerNormalization", 1, 1, skip_simplified_layer_norm, kMicrosoft},
      {"EmbedLayerNormalization", 1, 1, embed_layer_norm, kMicrosoft},
      {"QEmbedLayerNormalization", 1, 1, quantized_embed_layer_norm, kMicrosoft},
  };
  return kRules;
}

}  // namespace neural_engine
