#include <gtest/gtest.h>

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

}  // namespace
}  // namespace neural_engine
