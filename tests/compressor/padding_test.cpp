// Padding is not observed, wherever a value has its batch and its sequence.
#include "compressor/calibrate/padding.h"

#include <gtest/gtest.h>

#include "compressor/calibrate/collector.h"
#include "passes/graph_maker.h"

namespace neural_engine {
namespace {

using testing::GraphMaker;

const Dim kBatch = Dim::symbol("batch"), kSeq = Dim::symbol("seq");

Graph masked_graph(SymShape shape = {kBatch, kSeq}) {
  GraphMaker m;
  m.input("mask", std::move(shape), DType::kS64);
  return std::move(m.graph);
}

std::vector<float> visited(const Shape& shape, const SymShape& symbols, const std::string& name = "mask") {
  const Graph graph = masked_graph();
  PaddingMask mask(graph, name);
  const Tensor row_mask = Tensor::of<int64_t>({2, 3}, {1, 1, 0, 1, 0, 0});
  mask.set(std::vector<Tensor>{row_mask});
  Tensor tensor(DType::kF32, shape);
  for (int64_t i = 0; i < tensor.elems(); ++i) tensor.data<float>()[i] = static_cast<float>(i);
  std::vector<float> result;
  mask.visit(tensor, mask.axes_of(facts_of(DType::kF32, symbols)),
             [&](const float* x, int64_t count) { result.insert(result.end(), x, x + count); });
  return result;
}

TEST(Padding, RowsOfTokens) {
  EXPECT_EQ(visited({2, 3, 2}, {kBatch, kSeq, 2}), (std::vector<float>{0, 1, 2, 3, 6, 7}));
}

TEST(Padding, TransposedKeys) {
  EXPECT_EQ(visited({2, 1, 2, 3}, {kBatch, 1, 2, kSeq}), (std::vector<float>{0, 1, 3, 4, 6, 9}));
}

TEST(Padding, ScoresHaveTheSequenceTwice) {
  EXPECT_EQ(visited({2, 3, 3}, {kBatch, kSeq, kSeq}), (std::vector<float>{0, 1, 3, 4, 9}));
}

TEST(Padding, FlattenedRows) { EXPECT_EQ(visited({6, 2}, {kBatch * kSeq, 2}), (std::vector<float>{0, 1, 2, 3, 6, 7})); }

TEST(Padding, WhatHasNoTokensIsSeenWhole) {
  EXPECT_EQ(visited({2, 2}, {kBatch, 2}).size(), 4u);
  EXPECT_EQ(visited({1, 3, 2}, {1, kSeq, 2}).size(), 6u);
  EXPECT_EQ(visited({2, 3, 2}, {Dim(), Dim(), 2}).size(), 12u);
  EXPECT_EQ(visited({2, 3, 2}, {kBatch, kSeq, 2}, "another").size(), 12u);
}

TEST(Padding, FixedSizesTakeTheFirstAxisOfTheSequence) {
  const Graph graph = masked_graph({1, 4});
  const PaddingMask mask(graph, "mask");
  EXPECT_EQ(mask.axes_of(facts_of(DType::kF32, {1, 4, 4})).sequence, std::vector<int>{1});
  EXPECT_EQ(mask.axes_of(facts_of(DType::kF32, {1, 2, 8, 4})).sequence, std::vector<int>{3});
}

TEST(Collector, PaddedRowsGiveWhatUnpaddedOnesDo) {
  GraphMaker m;
  const ValueId x = m.input("x", {kBatch, kSeq, 4});
  m.input("mask", {kBatch, kSeq}, DType::kS64);
  const ValueId doubled = m.mul(x, m.number(2));
  m.output(m.op("Relu", {doubled}));
  infer_graph(m.graph);
  const auto collect = [&](const std::vector<Tensor>& inputs) {
    Collector collector(m.graph, {{.value = doubled, .by_channel = true}}, "mask", {.threads = 1});
    collector.run(inputs);
    return *collector.find(doubled);
  };
  Tensor values = testing::random_floats({1, 3, 4}, 1);
  const Statistics plain = collect({values, Tensor::of<int64_t>({1, 3}, {1, 1, 1})});
  Tensor padded = testing::random_floats({1, 5, 4}, 2, -1e4f, 1e4f);
  std::copy_n(values.data<float>(), 12, padded.data<float>());
  const Statistics masked = collect({padded, Tensor::of<int64_t>({1, 5}, {1, 1, 1, 0, 0})});
  EXPECT_EQ(masked.min(), plain.min());
  EXPECT_EQ(masked.max(), plain.max());
  EXPECT_EQ(masked.count(), plain.count());
  for (int64_t c = 0; c < 4; ++c) EXPECT_EQ(masked.channel_mean(c), plain.channel_mean(c));
}

}  // namespace
}  // namespace neural_engine
