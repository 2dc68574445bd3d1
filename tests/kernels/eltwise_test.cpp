// Element-wise rows against the reference, and the stated bounds of the approximations against double precision.
#include "kernels/eltwise.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "kernel_testing.h"
#include "kernels/reference/reference.h"

namespace neural_engine {
namespace {

using namespace testing;

constexpr float kInf = std::numeric_limits<float>::infinity();

Matrix run(const EltwiseKernel& kernel, const Matrix& src, std::span<const EpilogueOperand> operands, int64_t padding,
           Parallel& parallel) {
  Matrix dst(src.rows, src.cols, padding);
  kernel.run({.m = src.rows,
              .n = src.cols,
              .src = src.data(),
              .ld_src = src.ld,
              .dst = dst.data(),
              .ld_dst = dst.ld,
              .operands = operands},
             parallel);
  dst.expect_padding_untouched();
  return dst;
}

// Values of all magnitudes and both signs, as one row.
Matrix spread_of_floats(float largest) {
  std::vector<float> values = {0.0f, -0.0f};
  for (uint32_t bits = 0x30000000u; std::bit_cast<float>(bits) <= largest; bits += 4999) {
    values.push_back(std::bit_cast<float>(bits));
    values.push_back(-std::bit_cast<float>(bits));
  }
  Matrix row(1, static_cast<int64_t>(values.size()));
  row.values = values;
  return row;
}

// The largest error of a unary op over the row, as `measure` sees it, for each generated row.
template <class Measure>
double worst(UnaryOp op, const Matrix& x, Measure measure, float alpha = 1.0f) {
  const EltwiseDesc desc = {.ops = {unary(op, alpha)}};
  SerialParallel serial;
  double worst_error = 0;
  for (const KernelRow<EltwiseDesc>* row : rows_for(desc)) {
    const Matrix y = run(*make_kernel(*row, desc), x, {}, 0, serial);
    for (int64_t i = 0; i < x.cols; ++i)
      worst_error =
          std::max(worst_error, measure(double{y.at(0, i)}, reference::apply(desc.ops[0], double{x.at(0, i)})));
  }
  return worst_error;
}

double absolute(double got, double want) { return std::fabs(got - want); }

// In units of the last place of the wanted result; results below 2^-125 may be zero.
double ulps(double got, double want) {
  if (std::fabs(want) < 0x1p-125) return got == 0 ? 0 : std::fabs(got - want) / 0x1p-149;
  int exponent;
  std::frexp(want, &exponent);
  return std::fabs(got - want) / std::ldexp(1.0, exponent - 24);
}

TEST(EltwiseBounds, Exp) { EXPECT_LE(worst(UnaryOp::kExp, spread_of_floats(88.7f), ulps), 2.0); }
TEST(EltwiseBounds, Sigmoid) { EXPECT_LE(worst(UnaryOp::kSigmoid, spread_of_floats(85.0f), ulps), 3.0); }
TEST(EltwiseBounds, Silu) { EXPECT_LE(worst(UnaryOp::kSilu, spread_of_floats(80.0f), ulps), 4.0); }
TEST(EltwiseBounds, Tanh) { EXPECT_LE(worst(UnaryOp::kTanh, spread_of_floats(1e6f), ulps), 6.0); }
TEST(EltwiseBounds, Erf) { EXPECT_LE(worst(UnaryOp::kErf, spread_of_floats(1e6f), absolute), 4e-7); }
TEST(EltwiseBounds, GeluErf) {
  EXPECT_LE(worst(UnaryOp::kGeluErf, spread_of_floats(4.0f), absolute), 3e-7);
  EXPECT_LE(worst(UnaryOp::kGeluErf, spread_of_floats(1e30f),
                  [](double got, double want) { return absolute(got, want) - 6e-8 * std::fabs(want); }),
            6e-8);
}
TEST(EltwiseBounds, GeluTanh) {
  EXPECT_LE(worst(UnaryOp::kGeluTanh, spread_of_floats(1e6f),
                  [](double got, double want) { return absolute(got, want) / std::max(std::fabs(want), 0.17); }),
            4 * kEps);
}

TEST(Eltwise, SpecialValues) {
  const float nan = std::nanf("");
  for (int op = 0; op < kUnaryOpCount; ++op) {
    const EltwiseDesc desc = {.ops = {unary(static_cast<UnaryOp>(op), 0.5f, 2.0f)}};
    Matrix x(1, 21);
    for (int64_t i = 0; i < x.cols; ++i) x.at(0, i) = std::array{0.0f, nan, kInf}[static_cast<size_t>(i % 3)];
    SerialParallel serial;
    const Matrix want = run(*reference_for(desc), x, {}, 0, serial);
    for (const KernelRow<EltwiseDesc>* row : rows_for(desc)) {
      SCOPED_TRACE(::testing::Message() << row->name << " " << to_string(desc.ops));
      expect_close(run(*make_kernel(*row, desc), x, {}, 0, serial), want, 0, 0);
    }
  }
}

TEST(Eltwise, FarTailsAreExact) {
  const struct {
    UnaryOp op;
    float x, y;
  } cases[] = {{UnaryOp::kGeluErf, -1e30f, 0},  {UnaryOp::kGeluErf, 1e30f, 1e30f}, {UnaryOp::kErf, 50.0f, 1},
               {UnaryOp::kErf, -kInf, -1},      {UnaryOp::kTanh, kInf, 1},         {UnaryOp::kTanh, -20.0f, -1},
               {UnaryOp::kExp, -kInf, 0},       {UnaryOp::kExp, 1e10f, kInf},      {UnaryOp::kExp, -200.0f, 0},
               {UnaryOp::kSigmoid, -kInf, 0},   {UnaryOp::kSigmoid, kInf, 1},      {UnaryOp::kGeluTanh, -1e4f, 0},
               {UnaryOp::kGeluTanh, 1e4f, 1e4f}};
  SerialParallel serial;
  for (const auto& c : cases) {
    const EltwiseDesc desc = {.ops = {unary(c.op)}};
    Matrix x(1, 1);
    x.at(0, 0) = c.x;
    for (const KernelRow<EltwiseDesc>* row : rows_for(desc))
      EXPECT_EQ(run(*make_kernel(*row, desc), x, {}, 0, serial).at(0, 0), c.y) << to_string(c.op) << " of " << c.x;
  }
}

TEST(Eltwise, ChainsOverAllShapes) {
  const Epilogue ops = {binary(BinaryOp::kAdd, Spread::kRow), unary(UnaryOp::kGeluErf),
                        binary(BinaryOp::kMul, Spread::kColumn), binary(BinaryOp::kSub, Spread::kFull, true),
                        binary(BinaryOp::kMax, Spread::kScalar)};
  SerialParallel serial;
  ThreadedParallel threads(3);
  for (const int64_t m : {1, 2, 7, 100})
    for (const int64_t n : {1, 7, 8, 9, 31, 32, 33, 100, 777}) {
      Random random(static_cast<uint32_t>(m * 1000 + n));
      const auto value = [&] { return random.uniform(-3, 3); };
      const Matrix x = Matrix(m, n, n % 3).fill(value), bias_row = Matrix(1, n).fill(value),
                   column = Matrix(1, m).fill(value), full = Matrix(m, n, 5).fill(value),
                   scalar = Matrix(1, 1).fill(value);
      const EpilogueOperand operands[] = {{bias_row.data()}, {column.data()}, {full.data(), full.ld}, {scalar.data()}};
      const EltwiseDesc desc = {.ops = ops};
      const Matrix want = run(*reference_for(desc), x, operands, 2, serial);
      for (const KernelRow<EltwiseDesc>* row : rows_for(desc)) {
        SCOPED_TRACE(::testing::Message() << row->name << " " << m << " x " << n);
        const auto kernel = make_kernel(*row, desc);
        const Matrix got = run(*kernel, x, operands, 2, serial);
        expect_close(got, want, 8 * kEps, 8 * kEps);
        expect_same_bits(run(*kernel, x, operands, 2, threads), got);
        if (HasFatalFailure()) return;
      }
    }
}

TEST(Eltwise, WorksInPlaceAndOnLongRows) {
  const EltwiseDesc desc = {.ops = {binary(BinaryOp::kAdd, Spread::kFull), unary(UnaryOp::kRelu)}};
  Random random(5);
  const auto value = [&] { return random.uniform(-1, 1); };
  const Matrix x = Matrix(1, 100003).fill(value), y = Matrix(1, 100003).fill(value);
  ThreadedParallel threads(4);
  for (const KernelRow<EltwiseDesc>& row : kernel_rows<EltwiseDesc>()) {
    if (!refusal(row, desc, emulator::test_cpu()).empty() || !emulator::is_native(row.needs)) continue;
    SCOPED_TRACE(row.name);
    Matrix z = x;
    const EpilogueOperand operand = {y.data(), y.ld};
    make_kernel(row, desc)->run({.m = 1,
                                 .n = x.cols,
                                 .src = z.data(),
                                 .ld_src = z.ld,
                                 .dst = z.data(),
                                 .ld_dst = z.ld,
                                 .operands = {&operand, 1}},
                                threads);
    for (int64_t i = 0; i < x.cols; ++i) ASSERT_EQ(z.at(0, i), std::max(x.at(0, i) + y.at(0, i), 0.0f)) << i;
  }
}

}  // namespace
}  // namespace neural_engine
