#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "op_tester.h"
#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::doubles;
using testing::error_of;
using testing::expect_near;
using testing::random_tensor;
using testing::run_op;
using testing::values;

// One element of an operand, whatever its layout.
struct View {
  std::vector<double> data;
  int64_t batch, head, row;
  double at(int64_t b, int64_t h, int64_t s, int64_t d) const {
    return data[static_cast<size_t>(b * batch + h * head + s * row + d)];
  }
};

struct Problem {
  int64_t batch = 2, heads = 4, kv_heads = 4, sq = 3, sk = 5, size = 8, v_size = 8;
  double scale = 0.3;
  bool causal = false;
};

// mask(b, h, i, j): added to the score.
template <class Mask>
std::vector<double> attention(const Problem& p, const View& q, const View& k, const View& v, Mask mask) {
  std::vector<double> out;  // [B,Sq,H,Dv]
  for (int64_t b = 0; b < p.batch; ++b) {
    for (int64_t i = 0; i < p.sq; ++i) {
      for (int64_t h = 0; h < p.heads; ++h) {
        const int64_t kv = h / (p.heads / p.kv_heads);
        std::vector<double> score;
        double sum = 0;
        for (int64_t j = 0; j < p.sk; ++j) {
          double dot = 0;
          for (int64_t d = 0; d < p.size; ++d) dot += q.at(b, h, i, d) * k.at(b, kv, j, d);
          const bool hidden = p.causal && j > i + p.sk - p.sq;
          score.push_back(hidden ? 0.0 : std::exp(p.scale * dot + mask(b, h, i, j)));
          sum += score.back();
        }
        for (int64_t d = 0; d < p.v_size; ++d) {
          double value = 0;
          for (int64_t j = 0; j < p.sk; ++j) value += score[static_cast<size_t>(j)] / sum * v.at(b, kv, j, d);
          out.push_back(value);
        }
      }
    }
  }
  return out;
}

double no_mask(int64_t, int64_t, int64_t, int64_t) { return 0; }

Attrs attrs_of(const Problem& p) {
  return {{"num_heads", p.heads},    {"num_kv_heads", p.kv_heads},           {"head_size", p.size},
          {"v_head_size", p.v_size}, {"scale", static_cast<float>(p.scale)}, {"causal", int64_t{p.causal}}};
}

TEST(FusedAttention, ReadsHeadsSideBySide) {
  for (const bool causal : {false, true}) {
    for (const int64_t kv_heads : {4, 2, 1}) {
      const Problem p{.kv_heads = kv_heads, .v_size = 6, .causal = causal};
      const Tensor q = random_tensor({2, 3, 32}, 1), k = random_tensor({2, 5, kv_heads * 8}, 2);
      const Tensor v = random_tensor({2, 5, kv_heads * 6}, 3);
      const Tensor found = run_op("FusedAttention", {q, k, v}, attrs_of(p))[0];
      EXPECT_EQ(found.shape(), (Shape{2, 3, 24}));
      expect_near(found, attention(p, {doubles(q), 96, 8, 32}, {doubles(k), 40 * kv_heads, 8, 8 * kv_heads},
                                   {doubles(v), 30 * kv_heads, 6, 6 * kv_heads}, no_mask));
    }
  }
}

TEST(FusedAttention, ReadsOneMergedMatrixThrice) {
  const Problem p{.sq = 5};
  const Tensor qkv = random_tensor({2, 5, 96}, 1);
  Attrs attrs = attrs_of(p);
  attrs.set("k_offset", int64_t{32});
  attrs.set("v_offset", int64_t{64});
  const auto part = [&](int64_t offset) {
    std::vector<double> data = doubles(qkv);
    data.erase(data.begin(), data.begin() + offset);
    return View{data, 480, 8, 96};
  };
  expect_near(run_op("FusedAttention", {qkv, qkv, qkv}, attrs)[0], attention(p, part(0), part(32), part(64), no_mask));
}

TEST(FusedAttention, ReadsAndWritesSeparateHeads) {
  const Problem p;
  const Tensor q = random_tensor({2, 4, 3, 8}, 1), k = random_tensor({2, 4, 5, 8}, 2);
  const Tensor v = random_tensor({2, 4, 5, 8}, 3);
  Attrs attrs = attrs_of(p);
  for (const char* name : {"q_layout", "k_layout", "v_layout", "out_layout"}) attrs.set(name, std::string("BHSD"));
  const Tensor found = run_op("FusedAttention", {q, k, v}, attrs)[0];
  EXPECT_EQ(found.shape(), (Shape{2, 4, 3, 8}));
  const std::vector<double> expected =
      attention(p, {doubles(q), 96, 24, 8}, {doubles(k), 160, 40, 8}, {doubles(v), 160, 40, 8}, no_mask);
  std::vector<double> transposed;
  for (size_t i = 0; i < expected.size(); ++i) {
    const size_t b = i / 96, h = i / 24 % 4, s = i / 8 % 3, d = i % 8;
    transposed.push_back(expected[((b * 3 + s) * 4 + h) * 8 + d]);
  }
  expect_near(found, transposed);
}

TEST(FusedAttention, AddsMasksOfEveryShape) {
  const Problem p;
  const Tensor q = random_tensor({2, 3, 32}, 1), k = random_tensor({2, 5, 32}, 2), v = random_tensor({2, 5, 32}, 3);
  const View views[] = {{doubles(q), 96, 8, 32}, {doubles(k), 160, 8, 32}, {doubles(v), 160, 8, 32}};
  for (const Shape& shape : {Shape{5}, Shape{3, 5}, Shape{2, 1, 1, 5}, Shape{1, 4, 3, 1}, Shape{2, 4, 3, 5}}) {
    const Tensor mask = random_tensor(shape, 4);
    const auto dim = [&](size_t from_end) { return from_end < shape.size() ? shape[shape.size() - 1 - from_end] : 1; };
    const auto at = [&](int64_t b, int64_t h, int64_t i, int64_t j) {
      const int64_t index = ((b % dim(3) * dim(2) + h % dim(2)) * dim(1) + i % dim(1)) * dim(0) + j % dim(0);
      return doubles(mask)[static_cast<size_t>(index)];
    };
    expect_near(run_op("FusedAttention", {q, k, v, mask}, attrs_of(p))[0],
                attention(p, views[0], views[1], views[2], at));
  }
  const Tensor keep = Tensor::of<bool>({2, 1, 1, 5}, {true, true, false, false, true, false, true, true, true, true});
  const auto hide = [&](int64_t b, int64_t, int64_t, int64_t j) {
    return keep.data<uint8_t>()[b * 5 + j] ? 0.0 : -std::numeric_limits<double>::infinity();
  };
  expect_near(run_op("FusedAttention", {q, k, v, keep}, attrs_of(p))[0],
              attention(p, views[0], views[1], views[2], hide));
}

TEST(FusedAttention, RefusesOperandsThatDoNotFit) {
  const Tensor q = random_tensor({2, 3, 32}, 1), k = random_tensor({2, 5, 32}, 2);
  const auto message = [&](const std::vector<Tensor>& inputs, const char* name, AttrValue value) {
    Attrs attrs = attrs_of({});
    attrs.set(name, std::move(value));
    return error_of([&] { run_op("FusedAttention", inputs, attrs); });
  };
  EXPECT_NE(message({q, k, k}, "num_kv_heads", int64_t{3}).find("does not divide"), std::string::npos);
  EXPECT_NE(message({q, k, k}, "k_offset", int64_t{8}).find("do not fit"), std::string::npos);
  EXPECT_NE(message({q, k, k}, "q_layout", std::string("BHSD")).find("expected rank 4"), std::string::npos);
  EXPECT_NE(message({q, k, k}, "out_layout", std::string("SBHD")).find("expected \"BSHD\""), std::string::npos);
  EXPECT_NE(message({q, k, random_tensor({2, 4, 32}, 3)}, "causal", int64_t{0}).find("sequence of v"),
            std::string::npos);
  EXPECT_NE(message({q, k, k, random_tensor({3, 4}, 3)}, "causal", int64_t{0}).find("the mask has shape [3,4]"),
            std::string::npos);
}

// Query 1 sees nothing. Its weights are NaN, or with zero_unseen zeros; a column of v that is not finite stays NaN.
TEST(FusedAttention, CountsUnseenRowsAsZerosWhenTold) {
  const Problem p{.batch = 1, .heads = 1, .kv_heads = 1, .sq = 2, .sk = 3};
  const Tensor q = random_tensor({1, 2, 8}, 1), k = random_tensor({1, 3, 8}, 2);
  Tensor v = random_tensor({1, 3, 8}, 3);
  v.data<float>()[2] = std::numeric_limits<float>::infinity();
  const Tensor mask = Tensor::of<bool>({2, 3}, {true, true, true, false, false, false});
  Attrs attrs = attrs_of(p);
  const std::vector<float> plain = values<float>(run_op("FusedAttention", {q, k, v, mask}, attrs)[0]);
  attrs.set("zero_unseen", int64_t{1});
  const std::vector<float> guarded = values<float>(run_op("FusedAttention", {q, k, v, mask}, attrs)[0]);
  for (size_t d = 0; d < 8; ++d) {
    EXPECT_EQ(guarded[d], plain[d]);
    EXPECT_TRUE(std::isnan(plain[8 + d]));
    if (d == 2) {
      EXPECT_TRUE(std::isnan(guarded[8 + d]));
    } else {
      EXPECT_EQ(guarded[8 + d], 0.0f);
    }
  }
}

// ---- ONNX's Attention

Tensor transposed_heads(const Tensor& x, int64_t heads) {
  // [B,S,H*D] to [B,H,S,D]
  const int64_t batch = x.dim(0), rows = x.dim(1), size = x.dim(2) / heads;
  std::vector<double> out;
  for (int64_t i = 0; i < x.elems(); ++i) {
    const int64_t d = i % size, s = i / size % rows, h = i / (size * rows) % heads, b = i / (size * rows * heads);
    out.push_back(doubles(x)[static_cast<size_t>(((b * rows + s) * heads + h) * size + d)]);
  }
  return testing::tensor_of(x.dtype(), {batch, heads, rows, size}, out);
}

double attention_tolerance(DType dtype) {
  return dtype == DType::kBF16 ? 0.02 : dtype == DType::kF16 ? 3e-3 : dtype == DType::kF32 ? 1e-5 : 1e-7;
}

TEST(Attention, AgreesInBothLayoutsAndEveryDtype) {
  for (const DType dtype : {DType::kF32, DType::kF64, DType::kF16, DType::kBF16}) {
    const Problem p{.kv_heads = 2, .scale = 1 / std::sqrt(8.0)};
    const Tensor q = random_tensor({2, 3, 32}, 1, dtype), k = random_tensor({2, 5, 16}, 2, dtype);
    const Tensor v = random_tensor({2, 5, 16}, 3, dtype);
    const Attrs attrs = {{"q_num_heads", int64_t{4}}, {"kv_num_heads", int64_t{2}}};
    const std::vector<double> expected =
        attention(p, {doubles(q), 96, 8, 32}, {doubles(k), 80, 8, 16}, {doubles(v), 80, 8, 16}, no_mask);
    const double tolerance = attention_tolerance(dtype);
    const Tensor merged = run_op("Attention", {q, k, v}, attrs)[0];
    expect_near(merged, expected, tolerance, tolerance);
    const Tensor separate =
        run_op("Attention", {transposed_heads(q, 4), transposed_heads(k, 2), transposed_heads(v, 2)})[0];
    expect_near(separate, doubles(transposed_heads(merged, 4)), 2 * tolerance, 2 * tolerance);
  }
}

TEST(Attention, AppendsToThePastAndShiftsTheCausalFrontier) {
  const Tensor q = random_tensor({1, 2, 3, 4}, 1), k = random_tensor({1, 2, 3, 4}, 2),
               v = random_tensor({1, 2, 3, 4}, 3);
  const Tensor past_k = random_tensor({1, 2, 2, 4}, 4), past_v = random_tensor({1, 2, 2, 4}, 5);
  const Attrs causal = {{"is_causal", int64_t{1}}};
  const std::vector<Tensor> found = run_op("Attention", {q, k, v, Tensor(), past_k, past_v}, causal, 3);
  ASSERT_EQ(found[1].shape(), (Shape{1, 2, 5, 4}));
  for (int64_t h = 0; h < 2; ++h) {
    for (int64_t i = 0; i < 20; ++i) {
      const Tensor& from = i < 8 ? past_k : k;
      EXPECT_EQ(found[1].data<float>()[h * 20 + i], from.data<float>()[i < 8 ? h * 8 + i : h * 12 + i - 8]);
    }
  }
  // The last queries of the whole sequence.
  const Problem p{.batch = 1, .heads = 2, .kv_heads = 2, .size = 4, .v_size = 4, .scale = 0.5, .causal = true};
  const std::vector<double> expected =
      attention(p, {doubles(q), 24, 12, 4}, {doubles(found[1]), 40, 20, 4}, {doubles(found[2]), 40, 20, 4}, no_mask);
  const Tensor by_row = testing::tensor_of(DType::kF32, {1, 3, 8}, expected);
  expect_near(found[0], doubles(transposed_heads(by_row, 2)));
  expect_near(run_op("Attention", {q, k, v, Tensor(), past_k, past_v}, causal)[0], doubles(found[0]));
}

TEST(Attention, GivesItsScoresInEveryMode) {
  const Tensor q = Tensor::of<float>({1, 1, 1, 1}, {2}), k = Tensor::of<float>({1, 1, 2, 1}, {1, 3});
  const Tensor v = Tensor::of<float>({1, 1, 2, 1}, {10, 20}), mask = Tensor::of<float>({2}, {0.5f, -0.25f});
  const double capped[] = {4 * std::tanh(0.5), 4 * std::tanh(1.5)};
  const double masked[] = {capped[0] + 0.5, capped[1] - 0.25};
  const double weight = 1 / (1 + std::exp(masked[0] - masked[1]));
  const std::vector<double> expected[] = {{2, 6}, {capped[0], capped[1]}, {masked[0], masked[1]}, {1 - weight, weight}};
  for (int64_t mode = 0; mode < 4; ++mode) {
    const Attrs attrs = {{"softcap", 4.0f}, {"qk_matmul_output_mode", mode}};
    const std::vector<Tensor> found = run_op("Attention", {q, k, v, mask}, attrs, 4);
    expect_near(found[3], expected[mode]);
    expect_near(found[0], {10 * (1 - weight) + 20 * weight});
  }
}

TEST(Attention, GivesZerosToAQueryThatSeesNothing) {
  const Tensor q = random_tensor({1, 1, 2, 4}, 1), k = random_tensor({1, 1, 2, 4}, 2);
  const Tensor mask = Tensor::of<bool>({2, 2}, {false, true, false, false});
  for (const float softcap : {0.0f, 1.0f}) {  // by a kernel, by loops
    // The causal rule hides the one key that the mask leaves to the first query.
    const Attrs attrs = {{"is_causal", int64_t{1}}, {"softcap", softcap}};
    expect_near(run_op("Attention", {q, k, k, mask}, attrs)[0], std::vector<double>(8, 0.0));
  }
}

TEST(Attention, RefusesWhatDoesNotFit) {
  const Tensor q = random_tensor({1, 2, 3, 4}, 1), merged = random_tensor({1, 3, 8}, 2);
  const auto message = [](const std::vector<Tensor>& inputs, Attrs attrs) {
    return error_of([&] { run_op("Attention", inputs, std::move(attrs)); });
  };
  EXPECT_NE(message({merged, merged, merged}, {}).find("q_num_heads is 0"), std::string::npos);
  EXPECT_NE(message({q, q, q, Tensor(), q}, {}).find("given together"), std::string::npos);
  EXPECT_NE(message({q, q, q}, {{"softmax_precision", int64_t{7}}}).find("softmax_precision is 7"), std::string::npos);
  EXPECT_NE(message({q, q, q, random_tensor({3, 4}, 3)}, {}).find("mask has shape [3,4]"), std::string::npos);
  EXPECT_NE(message({q, random_tensor({1, 3, 3, 4}, 2), random_tensor({1, 3, 3, 4}, 2)}, {}).find("do not divide"),
            std::string::npos);
}

TEST(RotaryEmbedding, TurnsPairsByTheirAngles) {
  // Quarter and half turns: (a, b) becomes (-b, a) and (-a, -b).
  const Tensor cos = Tensor::of<float>({2, 1}, {0, -1}), sin = Tensor::of<float>({2, 1}, {1, 0});
  const Tensor positions = Tensor::of<int64_t>({1, 2}, {1, 0});
  const Tensor x = Tensor::of<float>({1, 1, 2, 3 + 1}, {1, 2, 3, 4, 5, 6, 7, 8});
  const Attrs part = {{"rotary_embedding_dim", int64_t{2}}};
  expect_near(run_op("RotaryEmbedding", {x, cos, sin, positions}, part)[0], {-1, -2, 3, 4, -6, 5, 7, 8});
  const Tensor wide_cos = Tensor::of<float>({1, 2, 2}, {0, -1, 1, 0}),
               wide_sin = Tensor::of<float>({1, 2, 2}, {1, 0, 0, 1});
  expect_near(run_op("RotaryEmbedding", {x, wide_cos, wide_sin})[0], {-3, -2, 1, -4, 5, -8, 7, 6});
  expect_near(run_op("RotaryEmbedding", {x, wide_cos, wide_sin}, {{"interleaved", int64_t{1}}})[0],
              {-2, 1, -3, -4, 5, 6, -8, 7});
  // Two heads of two elements side by side.
  const Attrs heads = {{"num_heads", int64_t{2}}};
  expect_near(run_op("RotaryEmbedding", {x.reshaped({1, 2, 4}), cos, sin, positions}, heads)[0],
              {-1, -2, -3, -4, -6, 5, -8, 7});
}

TEST(RotaryEmbedding, RefusesPositionsOutsideTheCaches) {
  const Tensor x = random_tensor({1, 1, 1, 2}, 1), cache = Tensor::of<float>({2, 1}, {0, 1});
  EXPECT_NE(error_of([&] {
              run_op("RotaryEmbedding", {x, cache, cache, Tensor::of<int64_t>({1, 1}, {2})});
            }).find("position 2 found, the caches have 2 rows"),
            std::string::npos);
  EXPECT_NE(error_of([&] { run_op("RotaryEmbedding", {x, cache, cache}); }).find("expected rank 3"), std::string::npos);
}

}  // namespace
}  // namespace neural_engine
