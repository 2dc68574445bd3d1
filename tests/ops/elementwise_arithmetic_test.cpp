#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/half.h"
#include "executor/ops/broadcast.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::run_op;
using testing::values;

Tensor iota(Shape shape) {
  Tensor tensor(DType::kF32, std::move(shape));
  for (int64_t i = 0; i < tensor.elems(); ++i) tensor.data<float>()[i] = static_cast<float>(i + 1);
  return tensor;
}

// The element of `tensor` that broadcasting to `out` puts at the flat index.
float element(const Tensor& tensor, const Shape& out, int64_t flat) {
  const std::vector<int64_t> strides = dense_strides(tensor.shape());
  int64_t offset = 0;
  for (size_t i = out.size(); i-- > 0; flat /= out[i]) {
    if (i + tensor.shape().size() < out.size()) continue;
    const size_t axis = i + tensor.shape().size() - out.size();
    if (tensor.shape()[axis] != 1) offset += flat % out[i] * strides[axis];
  }
  return tensor.data<float>()[offset];
}

struct Shapes {
  Shape a, b, out;
};

TEST(Broadcast, AgreesWithIndexArithmetic) {
  const Shapes table[] = {{{}, {}, {}},
                          {{5}, {}, {5}},
                          {{}, {2, 3}, {2, 3}},
                          {{2, 3}, {2, 3}, {2, 3}},
                          // Large enough for a kernel, in every form that it takes.
                          {{900}, {}, {900}},
                          {{}, {9, 100}, {9, 100}},
                          {{3, 301}, {3, 301}, {3, 301}},
                          {{4, 600}, {600}, {4, 600}},
                          {{4, 600}, {4, 1}, {4, 600}},
                          {{600}, {4, 600}, {4, 600}},
                          {{4, 1}, {4, 600}, {4, 600}},
                          {{3, 1}, {1, 5}, {3, 5}},
                          {{2, 3, 4, 5}, {3, 1, 5}, {2, 3, 4, 5}},
                          {{2, 1, 4, 1}, {1, 3, 1, 5}, {2, 3, 4, 5}},
                          {{1, 1, 7}, {6, 1, 1}, {6, 1, 7}},
                          {{2, 1, 2, 1, 2}, {1, 2, 1, 2, 1}, {2, 2, 2, 2, 2}},
                          {{0, 3}, {3}, {0, 3}},
                          {{1, 3}, {0, 1}, {0, 3}}};
  for (const Shapes& row : table) {
    const Tensor a = iota(row.a), b = iota(row.b);
    const Tensor y = run_op("Sub", {a, b})[0];
    ASSERT_EQ(y.shape(), row.out);
    for (int64_t i = 0; i < y.elems(); ++i) {
      ASSERT_EQ(y.data<float>()[i], element(a, row.out, i) - element(b, row.out, i)) << to_string(row.out) << " " << i;
    }
  }
}

TEST(Broadcast, WalksAnyRangeInPieces) {
  const Broadcast plan({{3, 1, 4}, {5, 1}}, {3, 5, 4});
  std::vector<int> seen(60, 0);
  for (int64_t begin = 0; begin < 60; begin += 7) {
    plan.walk(begin, std::min<int64_t>(begin + 7, 60), 3, [&](const Broadcast::Piece& piece) {
      EXPECT_LE(piece.count, 3);
      for (int64_t i = 0; i < piece.count; ++i) {
        const int64_t out = piece.out + i;
        ++seen[static_cast<size_t>(out)];
        EXPECT_EQ(piece.in[0] + i * plan.step(0), out / 20 * 4 + out % 4);
        EXPECT_EQ(piece.in[1] + i * plan.step(1), out / 4 % 5);
      }
    });
  }
  EXPECT_EQ(seen, std::vector<int>(60, 1));
}

TEST(Broadcast, MergesDimensionsThatNobodyTellsApart) {
  EXPECT_EQ(Broadcast({{2, 3, 4}, {2, 3, 4}}, {2, 3, 4}).dims(), (Shape{24}));
  EXPECT_EQ(Broadcast({{2, 3, 4}, {4}}, {2, 3, 4}).dims(), (Shape{6, 4}));
  EXPECT_EQ(Broadcast({{2, 3, 4}, {2, 3, 1}}, {2, 3, 4}).dims(), (Shape{6, 4}));
  EXPECT_EQ(Broadcast({{2, 3, 4}, {1}}, {2, 3, 4}).dims(), (Shape{24}));
}

TEST(Arithmetic, RefusesShapesThatDoNotBroadcast) {
  EXPECT_THROW(run_op("Add", {iota({3, 4}), iota({2, 4})}), Error);
  EXPECT_THROW(run_op("Add", {iota({3}), Tensor::of<int64_t>({3}, {1, 2, 3})}), Error);
}

TEST(Arithmetic, IntegersWrap) {
  const Tensor a = Tensor::of<int8_t>({3}, {127, -128, 100}), b = Tensor::of<int8_t>({3}, {1, -1, 100});
  EXPECT_EQ(values<int8_t>(run_op("Add", {a, b})[0]), (std::vector<int8_t>{-128, 127, -56}));
  EXPECT_EQ(values<int8_t>(run_op("Sub", {a, b})[0]), (std::vector<int8_t>{126, -127, 0}));
  EXPECT_EQ(values<int8_t>(run_op("Mul", {a, b})[0]), (std::vector<int8_t>{127, -128, 16}));
  EXPECT_EQ(values<int8_t>(run_op("Div", {a, b})[0]), (std::vector<int8_t>{127, -128, 1}));
  const Tensor large = Tensor::of<uint16_t>({1}, {65535});
  EXPECT_EQ(values<uint16_t>(run_op("Mul", {large, large})[0]), (std::vector<uint16_t>{1}));
}

TEST(Arithmetic, DivisionTruncatesAndRefusesZero) {
  const Tensor a = Tensor::of<int64_t>({4}, {-7, 7, -7, 7}), b = Tensor::of<int64_t>({4}, {2, -2, -2, 2});
  EXPECT_EQ(values<int64_t>(run_op("Div", {a, b})[0]), (std::vector<int64_t>{-3, -3, 3, 3}));
  EXPECT_THROW(run_op("Div", {a, Tensor::of<int64_t>({4}, {1, 0, 1, 1})}), Error);
  EXPECT_THROW(run_op("Mod", {a, Tensor::scalar<int64_t>(0)}), Error);
  EXPECT_EQ(values<float>(run_op("Div", {iota({2}), Tensor::scalar(0.0f)})[0])[1], INFINITY);
}

TEST(Arithmetic, ModTakesTheSignOfDivisorOrDividend) {
  const Tensor a = Tensor::of<int32_t>({4}, {-7, 7, -7, 7}), b = Tensor::of<int32_t>({4}, {3, -3, -3, 3});
  EXPECT_EQ(values<int32_t>(run_op("Mod", {a, b})[0]), (std::vector<int32_t>{2, -2, -1, 1}));
  EXPECT_EQ(values<int32_t>(run_op("Mod", {a, b}, {{"fmod", int64_t{1}}})[0]), (std::vector<int32_t>{-1, 1, -1, 1}));
  const Tensor x = Tensor::of<float>({2}, {-4.5f, 5.5f}), y = Tensor::of<float>({2}, {2, -3});
  EXPECT_EQ(values<float>(run_op("Mod", {x, y}, {{"fmod", int64_t{1}}})[0]), (std::vector<float>{-0.5f, 2.5f}));
  EXPECT_THROW(run_op("Mod", {x, y}), Error);
}

TEST(Arithmetic, PowMixesTypes) {
  const Tensor base = Tensor::of<float>({3}, {1, 2, 3});
  EXPECT_EQ(values<float>(run_op("Pow", {base, Tensor::of<int64_t>({3}, {4, 5, 6})})[0]),
            (std::vector<float>{1, 32, 729}));
  EXPECT_EQ(values<float>(run_op("Pow", {base, Tensor::scalar(2.0f)})[0]), (std::vector<float>{1, 4, 9}));
  const Tensor integers = Tensor::of<int64_t>({3}, {-3, 2, (int64_t{1} << 31) + 1});
  EXPECT_EQ(values<int64_t>(run_op("Pow", {integers, Tensor::scalar<int32_t>(2)})[0]),
            (std::vector<int64_t>{9, 4, (int64_t{1} << 62) + (int64_t{1} << 32) + 1}));
  EXPECT_EQ(values<int64_t>(run_op("Pow", {integers, Tensor::scalar(0.0f)})[0]), (std::vector<int64_t>{1, 1, 1}));
  EXPECT_EQ(values<int64_t>(run_op("Pow", {integers, Tensor::scalar<int64_t>(-1)})[0]),
            (std::vector<int64_t>{0, 0, 0}));
  EXPECT_THROW(run_op("Pow", {Tensor::scalar<int64_t>(0), Tensor::scalar<int64_t>(-1)}), Error);
}

TEST(Arithmetic, MinAndMaxKeepNaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor a = Tensor::of<float>({3}, {1, nan, 3}), b = Tensor::of<float>({3}, {2, 2, nan});
  for (const char* op : {"Min", "Max"}) {
    const std::vector<float> y = values<float>(run_op(op, {a, b})[0]);
    EXPECT_FALSE(std::isnan(y[0]));
    EXPECT_TRUE(std::isnan(y[1]) && std::isnan(y[2])) << op;
  }
}

TEST(Arithmetic, VariadicOpsBroadcastAllOperands) {
  const Tensor a = Tensor::of<float>({2, 1}, {1, 2}), b = Tensor::of<float>({3}, {10, 20, 30}),
               c = Tensor::scalar(100.0f);
  EXPECT_EQ(values<float>(run_op("Sum", {a, b, c})[0]), (std::vector<float>{111, 121, 131, 112, 122, 132}));
  EXPECT_EQ(values<float>(run_op("Mean", {b, a, c, a})[0]), (std::vector<float>{28, 30.5f, 33, 28.5f, 31, 33.5f}));
  EXPECT_EQ(values<float>(run_op("Max", {a, b})[0]), (std::vector<float>{10, 20, 30, 10, 20, 30}));
  EXPECT_EQ(values<float>(run_op("Sum", {b})[0]), (std::vector<float>{10, 20, 30}));
  const Tensor s = Tensor::of<uint8_t>({2}, {3, 200});
  EXPECT_EQ(values<uint8_t>(run_op("Min", {s, Tensor::scalar<uint8_t>(7), s})[0]), (std::vector<uint8_t>{3, 7}));
}

TEST(Arithmetic, HalfRoundsOnce) {
  const Tensor x = Tensor::of<Half>({1}, {Half(2048.0f)}), one = Tensor::of<Half>({1}, {Half(1.0f)});
  EXPECT_EQ(static_cast<float>(values<Half>(run_op("Add", {x, one})[0])[0]), 2048.0f);
  EXPECT_EQ(static_cast<float>(values<Half>(run_op("Sum", {x, one, one})[0])[0]), 2050.0f);
}

TEST(Arithmetic, PReluSpreadsTheSlopeOnly) {
  const Tensor x = Tensor::of<float>({2, 2}, {-1, 2, -3, 4});
  EXPECT_EQ(values<float>(run_op("PRelu", {x, Tensor::of<float>({2, 1}, {10, 20})})[0]),
            (std::vector<float>{-10, 2, -60, 4}));
  EXPECT_THROW(run_op("PRelu", {Tensor::of<float>({1}, {-1}), x}), Error);
}

}  // namespace
}  // namespace neural_engine
