// Every matmul row against the reference. A and B hold small integers, so the sums are exact in f32 whatever their
// order, and only the epilogue has a tolerance.
#include "kernels/matmul.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernel_testing.h"

namespace neural_engine {
namespace {

using namespace testing;

struct Case {
  int64_t m, n, k;
  Epilogue epilogue = {};
  float alpha = 1.0f;
  bool b_constant = true, b_transposed = false;
  int64_t padding = 0;  // of all leading dimensions
  int64_t batch = 1;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.m << " x " << c.n << " x " << c.k << ", epilogue [" << to_string(c.epilogue) << "], alpha " << c.alpha
             << (c.b_constant ? ", constant B" : ", run-time B") << (c.b_transposed ? " transposed" : "")
             << ", padding " << c.padding << ", batch " << c.batch;
}

MatmulDesc desc_of(const Case& c) {
  return {.m = c.m,
          .n = c.n,
          .k = c.k,
          .b_constant = c.b_constant,
          .b_transposed = c.b_transposed,
          .alpha = c.alpha,
          .epilogue = c.epilogue};
}

// The inputs of a case; batches are stacked rows.
struct Data {
  explicit Data(const Case& c, bool integers = true) : random(static_cast<uint32_t>(c.m * 7919 + c.n * 31 + c.k)) {
    const auto value = [&] { return integers ? float(random.integer(-3, 3)) : random.uniform(-1, 1); };
    const int64_t b_rows = c.b_transposed ? c.n : c.k, b_cols = c.b_transposed ? c.k : c.n;
    a = Matrix(c.m * c.batch, c.k, c.padding).fill(value);
    b = Matrix(b_rows * (c.b_constant ? 1 : c.batch), b_cols, c.padding).fill(value);
    for (const EpilogueOp& op : c.epilogue) {
      if (op.kind != EpilogueOp::Kind::kBinary) continue;
      const bool full = op.spread == Spread::kFull;
      const int64_t cols = op.spread == Spread::kRow || full ? c.n : op.spread == Spread::kColumn ? c.m : 1;
      operands.push_back(Matrix(full ? c.m * c.batch : 1, cols, full ? c.padding : 0));
      operands.back().fill([&] { return random.uniform(0.5f, 2.0f) * (random.integer(0, 1) ? 1.0f : -1.0f); });
      pointers.push_back({operands.back().data(), operands.back().ld, full ? c.m * operands.back().ld : 0});
    }
  }

  Random random;
  Matrix a, b;
  std::vector<Matrix> operands;
  std::vector<EpilogueOperand> pointers;
};

Matrix run(const MatmulKernel& kernel, const Case& c, const Data& data, Parallel& parallel) {
  Matrix out(c.m * c.batch, c.n, c.padding);
  MatmulArgs args = {.m = c.m,
                     .n = c.n,
                     .k = c.k,
                     .a = data.a.data(),
                     .lda = data.a.ld,
                     .b = data.b.data(),
                     .ldb = data.b.ld,
                     .c = out.data(),
                     .ldc = out.ld,
                     .operands = data.pointers,
                     .batch = c.batch,
                     .a_batch_stride = c.m * data.a.ld,
                     .b_batch_stride = data.b.rows / c.batch * data.b.ld,
                     .c_batch_stride = c.m * out.ld};
  const AlignedBytes packed(c.b_constant ? kernel.packed_bytes() : 0);
  if (c.b_constant) {
    kernel.pack(data.b.data(), data.b.ld, packed.get(), parallel);
    args.b = packed.get();
  }
  const AlignedBytes scratch(kernel.scratch_bytes(args, parallel.threads()));
  args.scratch = scratch.get();
  kernel.run(args, parallel);
  packed.check();
  scratch.check();
  out.expect_padding_untouched();
  return out;
}

void check_all_rows(const Case& c, double tolerance) {
  if (left_out()) return;
  const Data data(c);
  const MatmulDesc desc = desc_of(c);
  SerialParallel serial;
  const Matrix want = run(*reference_for(desc), c, data, serial);
  for (const KernelRow<MatmulDesc>* row : rows_for(desc, c.m * c.n * c.k / 20)) {
    SCOPED_TRACE(::testing::Message() << row->name << ": " << c);
    const auto kernel = make_kernel(*row, desc);
    expect_close(run(*kernel, c, data, serial), want, tolerance, tolerance);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(Matmul, ReferenceMatchesADirectSum) {
  const Case c = {.m = 3, .n = 5, .k = 7, .epilogue = {bias()}, .alpha = 0.5f, .padding = 2};
  const Data data(c, false);
  SerialParallel serial;
  const Matrix got = run(*reference_for(desc_of(c)), c, data, serial);
  for (int64_t m = 0; m < c.m; ++m)
    for (int64_t n = 0; n < c.n; ++n) {
      double sum = 0;
      for (int64_t k = 0; k < c.k; ++k) sum += double{data.a.at(m, k)} * double{data.b.at(k, n)};
      EXPECT_EQ(got.at(m, n), static_cast<float>(0.5 * sum + double{data.operands[0].at(0, n)}));
    }
}

TEST(Matmul, SumsAreExactForAllShapes) {
  for (const int64_t m : {1, 2, 3, 4, 5, 6, 7, 8, 13, 50})
    for (const int64_t n : {1, 7, 8, 15, 16, 17, 31, 40, 64, 97, 130})
      for (const int64_t k : {1, 2, 3, 4, 5, 31, 64, 385, 800}) {
        check_all_rows({.m = m, .n = n, .k = k, .padding = (m + n + k) % 3, .batch = 1}, 0);
        if (HasFatalFailure()) return;
      }
}

TEST(Matmul, LargeShapesAreExact) {
  check_all_rows({.m = 403, .n = 272, .k = 1153}, 0);
  check_all_rows({.m = 1, .n = 1000, .k = 3072}, 0);
  check_all_rows({.m = 128, .n = 384, .k = 1024, .padding = 1}, 0);
}

TEST(Matmul, RunTimeBAndBatches) {
  for (const bool transposed : {false, true})
    for (const bool constant : {false, true})
      for (const int64_t m : {1, 5, 19})
        for (const int64_t n : {1, 16, 45})
          for (const int64_t k : {1, 32, 70}) {
            check_all_rows({.m = m,
                            .n = n,
                            .k = k,
                            .epilogue = {residual()},
                            .alpha = 2.0f,
                            .b_constant = constant,
                            .b_transposed = transposed,
                            .padding = (m + k) % 4,
                            .batch = 3},
                           4 * kEps);
            if (HasFatalFailure()) return;
          }
}

TEST(Matmul, NothingToSumYieldsTheEpilogueOfZero) {
  check_all_rows({.m = 7, .n = 33, .k = 0, .epilogue = {bias()}, .b_constant = false}, 0);
  check_all_rows({.m = 0, .n = 33, .k = 4}, 0);
  check_all_rows({.m = 4, .n = 0, .k = 4, .b_constant = false}, 0);
}

TEST(Matmul, EveryUnaryOp) {
  for (int op = 0; op < kUnaryOpCount; ++op)
    for (const int64_t m : {1, 2, 6, 11})
      for (const int64_t n : {16, 23, 70}) {
        const UnaryOp kind = static_cast<UnaryOp>(op);
        const float alpha = kind == UnaryOp::kClip ? -1.0f : 0.7f;
        Epilogue ops = {unary(kind, alpha, 1.5f)};
        // Square roots and reciprocals of positive numbers only.
        if (kind == UnaryOp::kSqrt || kind == UnaryOp::kReciprocal)
          ops = {unary(UnaryOp::kAbs), unary(UnaryOp::kLinear, 1.0f, 0.25f), unary(kind)};
        check_all_rows({.m = m, .n = n, .k = 40, .epilogue = ops, .alpha = 1.0f / 32, .padding = 1}, 8 * kEps);
        if (HasFatalFailure()) return;
      }
}

TEST(Matmul, EveryBinaryOpAndSpread) {
  for (int op = 0; op < kBinaryOpCount; ++op)
    for (const Spread spread : {Spread::kScalar, Spread::kRow, Spread::kColumn, Spread::kFull})
      for (const bool reversed : {false, true})
        for (const int64_t m : {1, 2, 3, 4, 15})
          for (const int64_t n : {16, 23, 70}) {
            // |sum| + 1/2, so that a division by it is tame.
            const Epilogue ops = {unary(UnaryOp::kAbs), unary(UnaryOp::kLinear, 1.0f, 0.5f),
                                  binary(static_cast<BinaryOp>(op), spread, reversed)};
            check_all_rows({.m = m, .n = n, .k = 20, .epilogue = ops, .alpha = 0.25f, .padding = m % 3, .batch = 2},
                           4 * kEps);
            if (HasFatalFailure()) return;
          }
}

TEST(Matmul, LongEpiloguesRunOnTheLastBlockOfKOnly) {
  const Epilogue ops = {bias(),
                        unary(UnaryOp::kGeluErf),
                        binary(BinaryOp::kMul, Spread::kColumn),
                        residual(),
                        unary(UnaryOp::kTanh),
                        scale(3.0f),
                        binary(BinaryOp::kSub, Spread::kScalar, true)};
  for (const int64_t k : {16, 500, 1601})
    for (const int64_t m : {1, 3, 17, 300})
      check_all_rows({.m = m, .n = 75, .k = k, .epilogue = ops, .alpha = 1.0f / 64, .padding = 3}, 64 * kEps);
}

TEST(Matmul, RandomNumbersStayWithinTheBoundOfTheSum) {
  const Case c = {.m = 37, .n = 90, .k = 700};
  const Data data(c, false);
  SerialParallel serial;
  const Matrix want = run(*reference_for(desc_of(c)), c, data, serial);
  for (const KernelRow<MatmulDesc>* row : rows_for(desc_of(c))) {
    SCOPED_TRACE(row->name);
    // Rounding errors of K steps add up like a random walk; the terms are at most 1. Four deviations.
    expect_close(run(*make_kernel(*row, desc_of(c)), c, data, serial), want, 4 * std::sqrt(700.0) * kEps * 4, 0);
  }
}

TEST(Matmul, ThreadsDoNotChangeTheBits) {
  for (const bool constant : {true, false}) {
    const Case c = {.m = 131,
                    .n = 150,
                    .k = 900,
                    .epilogue = {bias(), unary(UnaryOp::kGeluErf)},
                    .b_constant = constant,
                    .batch = 2};
    const Data data(c, false);
    SerialParallel serial;
    ThreadedParallel two(2), seven(7);
    for (const KernelRow<MatmulDesc>& row : kernel_rows<MatmulDesc>()) {
      if (!refusal(row, desc_of(c), cpu()).empty()) continue;
      SCOPED_TRACE(row.name);
      const auto kernel = make_kernel(row, desc_of(c));
      const Matrix once = run(*kernel, c, data, serial);
      expect_same_bits(run(*kernel, c, data, two), once);
      expect_same_bits(run(*kernel, c, data, seven), once);
    }
  }
}

TEST(Matmul, PackedWeightsServeAllRowCountsAndEpilogues) {
  const Case c = {.m = 5, .n = 50, .k = 60};
  const Data data(c);
  SerialParallel serial;
  for (const KernelRow<MatmulDesc>* row : rows_for(desc_of(c))) {
    SCOPED_TRACE(row->name);
    MatmulDesc other = desc_of(c);
    other.m = 400;
    other.epilogue = {unary(UnaryOp::kGeluTanh)};
    const auto a = make_kernel(*row, desc_of(c)), b = make_kernel(*row, other);
    ASSERT_EQ(a->packing(), b->packing());
    ASSERT_EQ(a->packed_bytes(), b->packed_bytes());
    Matrix packed_a(1, a->packed_bytes() / 4), packed_b = packed_a;
    a->pack(data.b.data(), data.b.ld, packed_a.data(), serial);
    b->pack(data.b.data(), data.b.ld, packed_b.data(), serial);
    expect_same_bits(packed_a, packed_b);
  }
}

}  // namespace
}  // namespace neural_engine
