// The engine's own ops in ONNX's operators: the same results, whatever the layout.
#include "passes/expand.h"

#include "passes/graph_maker.h"

namespace neural_engine {
namespace {

using testing::expect_same_results;
using testing::GraphMaker;

const Dim kBatch = Dim::symbol("batch"), kSeq = Dim::symbol("seq");

void expect_expanded(GraphMaker& m, const std::vector<Tensor>& inputs) {
  infer_graph(m.graph);
  Graph expanded = m.graph;
  expand_graph(expanded);
  infer_graph(expanded);
  for (NodeId id : expanded.order()) EXPECT_FALSE(expanded.node(id).def->onnx.empty()) << expanded.node(id).op();
  expect_same_results(expanded, m.graph, inputs);
}

TEST(Expand, FusedMatMul) {
  using Names = std::vector<std::string>;
  for (const Names& post_ops : {Names{}, Names{"gelu_erf"}, Names{"gelu_tanh"}, Names{"relu"}, Names{"silu"},
                                Names{"tanh", "sigmoid"}, Names{"add"}, Names{"mul", "relu"}}) {
    for (int64_t transposed : {0, 1}) {
      GraphMaker m;
      const ValueId x = m.input("x", {kBatch, 3, 4});
      const ValueId weight = transposed ? m.floats({5, 4}, 1) : m.floats({4, 5}, 1);
      std::vector<ValueId> inputs = {x, weight, m.floats({5}, 2)};
      if (post_ops == Names{"add"} || (!post_ops.empty() && post_ops[0] == "mul")) {
        inputs.push_back(m.input("y", {kBatch, 3, 5}));
      }
      m.output(m.op("FusedMatMul", inputs, {{"trans_b", transposed}, {"alpha", 0.5f}, {"post_ops", post_ops}}));
      infer_graph(m.graph);
      expect_expanded(m, testing::random_inputs(m.graph, {2}));
    }
  }
}

TEST(Expand, AWeightInEightBitsIsTransposedAsItIs) {
  GraphMaker m;
  const ValueId x = m.input("x", {kBatch, 2});
  const ValueId weight = m.constant(Tensor::of<int8_t>({3, 2}, {1, -2, 3, 4, 5, 127}));
  const ValueId scales = m.constant(Tensor::of<float>({3}, {0.5f, 2, 1}));
  const ValueId dequantized = m.op("DequantizeLinear", {weight, scales}, {{"axis", int64_t{0}}});
  m.output(m.op("FusedMatMul", {x, dequantized}, {{"trans_b", int64_t{1}}}));
  expect_expanded(m, {Tensor::of<float>({1, 2}, {1, 10})});
}

Attrs attention_attrs(const std::string& layout, int64_t kv_heads) {
  return {{"num_heads", int64_t{4}}, {"num_kv_heads", kv_heads}, {"head_size", int64_t{2}}, {"v_head_size", int64_t{2}},
          {"scale", 0.7f},           {"q_layout", layout},       {"k_layout", layout},      {"v_layout", layout},
          {"out_layout", layout}};
}

TEST(Expand, AttentionOfSeparateHeads) {
  for (int64_t kv_heads : {4, 2, 1}) {
    GraphMaker m;
    const ValueId q = m.input("q", {kBatch, 4, kSeq, 2});
    const ValueId k = m.input("k", {kBatch, kv_heads, kSeq, 2}), v = m.input("v", {kBatch, kv_heads, kSeq, 2});
    const ValueId mask = m.input("mask", {kBatch, 1, 1, kSeq});
    m.output(m.op("FusedAttention", {q, k, v, mask}, attention_attrs("BHSD", kv_heads)));
    infer_graph(m.graph);
    expect_expanded(m, testing::random_inputs(m.graph, {2, 3}));
  }
}

TEST(Expand, AttentionOverOneMatrixWithABooleanMask) {
  GraphMaker m;
  const ValueId qkv = m.input("qkv", {kBatch, kSeq, 24});
  const ValueId mask = m.input("mask", {kBatch, 1, 1, kSeq}, DType::kBool);
  Attrs attrs = attention_attrs("BSHD", 4);
  attrs.set("k_offset", int64_t{8});
  attrs.set("v_offset", int64_t{16});
  m.output(m.op("FusedAttention", {qkv, qkv, qkv, mask}, attrs));
  infer_graph(m.graph);
  expect_expanded(m, testing::random_inputs(m.graph, {2, 3}));
}

TEST(Expand, CausalAttentionAndRowsThatSeeNothing) {
  GraphMaker m;
  const ValueId q = m.input("q", {kBatch, 4, kSeq, 2}), k = m.input("k", {kBatch, 4, 5, 2});
  const ValueId v = m.input("v", {kBatch, 4, 5, 2});
  Attrs attrs = attention_attrs("BHSD", 4);
  attrs.set("causal", int64_t{1});
  attrs.set("zero_unseen", int64_t{1});
  m.output(m.op("FusedAttention", {q, k, v}, attrs));
  infer_graph(m.graph);
  expect_expanded(m, testing::random_inputs(m.graph, {2, 3}));
}

TEST(Expand, Swish) {
  for (float alpha : {1.0f, 1.702f}) {
    GraphMaker m;
    m.output(m.op("Swish", {m.input("x", {kBatch, 4})}, {{"alpha", alpha}}));
    infer_graph(m.graph);
    expect_expanded(m, testing::random_inputs(m.graph, {2}));
  }
}

TEST(Expand, TheResultKeepsTheName) {
  GraphMaker m;
  const ValueId x = m.input("x", {kBatch, 4});
  m.output(m.op("FusedMatMul", {x, m.floats({4, 4}, 1), m.floats({4}, 2)},
                {{"post_ops", std::vector<std::string>{"relu"}}}));
  const std::string name = m.graph.node(0).name;
  infer_graph(m.graph);
  EXPECT_TRUE(expand_node(m.graph, 0));
  EXPECT_EQ(m.graph.node(m.graph.value(m.graph.outputs()[0].value).producer).name, name);
  EXPECT_FALSE(expand_node(m.graph, m.graph.value(m.graph.outputs()[0].value).producer));
}

}  // namespace
}  // namespace neural_engine
