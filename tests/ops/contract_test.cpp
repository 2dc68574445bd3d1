// What every op of some families must do, whatever it computes.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "executor/thread_pool.h"
#include "ir/infer.h"
#include "op_tester.h"
#include "ops/all.h"
#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::random_tensor;

// A value for each required attribute.
Attrs required_attrs(const OpDef& def) {
  static const std::map<std::string, AttrValue> kValues = {
      {"equation", std::string("...ij->...ji")},
      {"num_groups", int64_t{1}},
      {"size", int64_t{3}},
      {"kernel_shape", std::vector<int64_t>{1}},
      {"num_heads", int64_t{1}},
      {"num_kv_heads", int64_t{1}},
      {"head_size", int64_t{8}},
      {"v_head_size", int64_t{8}},
      {"max_gram_length", int64_t{1}},
      {"min_gram_length", int64_t{1}},
      {"max_skip_count", int64_t{0}},
      {"mode", std::string("TF")},
      {"ngram_counts", std::vector<int64_t>{0}},
      {"ngram_indexes", std::vector<int64_t>{0}},
  };
  Attrs attrs;
  for (const AttrDef& attr : def.attrs) {
    if (attr.default_value) attrs.set(attr.name, *attr.default_value);
    if (const auto found = kValues.find(attr.name); attr.required && found != kValues.end()) {
      attrs.set(attr.name, found->second);
    }
  }
  if (std::string_view(def.name) == "TfIdfVectorizer") attrs.set("pool_int64s", std::vector<int64_t>{1});
  return attrs;
}

TEST(Contract, NothingKnownIsNoError) {
  for (std::span<const OpDef> family :
       {matmul_ops(), conv_ops(), norm_ops(), recurrent_ops(), attention_ops(), signal_ops()}) {
    for (const OpDef& def : family) {
      Graph graph;
      std::vector<ValueId> inputs;
      const int count = def.inputs.max == kVariadic ? def.inputs.min : def.inputs.max;
      for (int i = 0; i < count; ++i) inputs.push_back(graph.add_input("", DType::kUndefined, std::nullopt));
      const int outputs = def.name == std::string_view("BatchNormalization") ? 1 : def.outputs.max;
      graph.add_node(def, inputs, required_attrs(def), outputs);
      EXPECT_NO_THROW(infer_graph(graph)) << def.name;
    }
  }
}

struct Example {
  const char* op;
  std::vector<Tensor> inputs;
  Attrs attrs = {};
};

// Large enough to be shared out.
std::vector<Example> examples() {
  const auto f32 = [](Shape shape, uint32_t seed = 1) { return random_tensor(std::move(shape), seed); };
  const Attrs heads = {
      {"num_heads", int64_t{4}}, {"num_kv_heads", int64_t{2}}, {"head_size", int64_t{8}}, {"v_head_size", int64_t{8}}};
  return {
      {"MatMul", {f32({2, 33, 40}), f32({40, 37})}},
      {"MatMul", {f32({3, 1, 33, 20}), f32({1, 2, 20, 37})}},
      {"MatMul", {random_tensor({33, 20}, 1, DType::kF64), random_tensor({20, 37}, 2, DType::kF64)}},
      {"Gemm", {f32({40, 33}), f32({40, 37}), f32({33, 1})}, {{"transA", int64_t{1}}, {"beta", 0.5f}}},
      {"Einsum", {f32({2, 9, 3, 8}), f32({2, 7, 3, 8})}, {{"equation", std::string("blhd,bshd->bhls")}}},
      {"Einsum", {f32({40, 50})}, {{"equation", std::string("ij->j")}}},
      {"Softmax", {f32({65, 31})}},
      {"Softmax", {f32({5, 9, 31})}, {{"axis", int64_t{1}}}},
      {"LayerNormalization", {f32({65, 31}), f32({31}), f32({31})}},
      {"RMSNormalization", {random_tensor({65, 31}, 1, DType::kF16), f32({31})}},
      {"GroupNormalization", {f32({3, 8, 20}), f32({8}), f32({8})}, {{"num_groups", int64_t{4}}}},
      {"FusedAttention", {f32({2, 9, 32}), f32({2, 11, 16}), f32({2, 11, 16})}, heads},
      {"Attention", {f32({2, 4, 9, 8}), f32({2, 2, 11, 8}), f32({2, 2, 11, 8})}},
      {"Attention", {f32({2, 4, 9, 8}), f32({2, 2, 11, 8}), f32({2, 2, 11, 8})}, {{"softcap", 3.0f}}},
      {"Conv", {f32({2, 6, 20, 21}), f32({8, 3, 3, 3}), f32({8})}, {{"group", int64_t{2}}}},
      {"ConvTranspose", {f32({2, 6, 9, 8}), f32({6, 4, 3, 3})}, {{"strides", std::vector<int64_t>{2, 2}}}},
      {"MaxPool", {f32({2, 6, 20, 21})}, {{"kernel_shape", std::vector<int64_t>{3, 3}}}},
      {"LSTM", {f32({7, 3, 5}), f32({2, 24, 5}), f32({2, 24, 6})}, {{"direction", std::string("bidirectional")}}},
      {"STFT", {f32({3, 90, 1}), Tensor::scalar<int64_t>(7), f32({20})}},
      {"DFT", {f32({9, 30, 1})}},
  };
}

TEST(Contract, ThreadsDoNotChangeTheBits) {
  ThreadPool pool(3);
  WeightStore weights;
  for (const Example& example : examples()) {
    Graph graph;
    std::vector<ValueId> operands;
    for (const Tensor& input : example.inputs) {
      operands.push_back(graph.add_input("", input.dtype(), symbolic(input.shape())));
    }
    const Node& node = graph.node(graph.add_node(op_def(example.op), operands, example.attrs));
    const Tensor alone = evaluate_node(node, example.inputs)[0];
    const Tensor shared = evaluate_node(node, example.inputs, pool, weights)[0];
    EXPECT_TRUE(equal_bytes(alone, shared)) << example.op;
  }
}

}  // namespace
}  // namespace neural_engine
