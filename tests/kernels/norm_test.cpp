// Normalisation and softmax rows against the reference.
#include "kernels/norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernel_testing.h"

namespace neural_engine {
namespace {

using namespace testing;

constexpr int64_t kWidths[] = {1, 2, 7, 8, 9, 31, 32, 33, 64, 100, 384, 768, 1027};

struct NormData {
  NormData(int64_t rows, int64_t n, float offset) : random(static_cast<uint32_t>(rows + n)) {
    const auto value = [&] { return offset + random.uniform(-2, 2); };
    x = Matrix(rows, n, 3).fill(value);
    residual = Matrix(rows, n, 1).fill(value);
    gamma = Matrix(1, n).fill([&] { return random.uniform(0.5f, 1.5f); });
    beta = Matrix(1, n).fill([&] { return random.uniform(-1, 1); });
  }
  Random random;
  Matrix x, residual, gamma, beta;
};

struct NormResult {
  Matrix out, sum;
};

NormResult run(const NormKernel& kernel, const NormData& data, Parallel& parallel) {
  NormResult result = {Matrix(data.x.rows, data.x.cols, 2), Matrix(data.x.rows, data.x.cols, 4)};
  kernel.run({.rows = data.x.rows,
              .x = data.x.data(),
              .ldx = data.x.ld,
              .residual = data.residual.data(),
              .ld_residual = data.residual.ld,
              .gamma = data.gamma.data(),
              .beta = data.beta.data(),
              .out = result.out.data(),
              .ld_out = result.out.ld,
              .sum = result.sum.data(),
              .ld_sum = result.sum.ld},
             parallel);
  result.out.expect_padding_untouched();
  result.sum.expect_padding_untouched();
  return result;
}

void check_norm(const NormDesc& desc, int64_t rows, float offset, double tolerance) {
  const NormData data(rows, desc.n, offset);
  SerialParallel serial;
  ThreadedParallel threads(3);
  const NormResult want = run(*reference_for(desc), data, serial);
  for (const KernelRow<NormDesc>* row : rows_for(desc)) {
    SCOPED_TRACE(::testing::Message() << row->name << ", n " << desc.n << ", rows " << rows);
    const auto kernel = make_kernel(*row, desc);
    const NormResult got = run(*kernel, data, serial);
    expect_close(got.out, want.out, tolerance, tolerance);
    if (desc.writes_sum) expect_same_bits(got.sum, want.sum);
    expect_same_bits(run(*kernel, data, threads).out, got.out);
  }
}

TEST(Norm, AllFormsOverAllWidths) {
  for (const NormDesc::Kind kind : {NormDesc::Kind::kLayer, NormDesc::Kind::kRms})
    for (int form = 0; form < 16; ++form)
      for (const int64_t n : kWidths) {
        const NormDesc desc = {.kind = kind,
                               .n = n,
                               .epsilon = 1e-5f,
                               .has_residual = (form & 1) != 0,
                               .has_gamma = (form & 2) != 0,
                               .has_beta = (form & 4) != 0,
                               .writes_sum = (form & 8) != 0};
        // Two elements that are nearly equal, over sqrt(epsilon), magnify the rounding of their mean: 2 eps / 3e-3.
        check_norm(desc, form % 3 + 1, 0, n == 2 ? 4e-4 : 2e-5);
        if (HasFatalFailure()) return;
      }
}

TEST(Norm, ALargeMeanDoesNotCancel) {
  // Rounding of x itself: 1000 eps against a deviation of about 1.
  check_norm({.n = 768}, 5, 1000.0f, 1000 * 4 * kEps);
  check_norm({.n = 384, .has_residual = true}, 70, 100.0f, 200 * 4 * kEps);
}

TEST(Norm, WorksInPlace) {
  const NormDesc desc = {.n = 100, .has_residual = true};
  NormData data(6, 100, 0);
  SerialParallel serial;
  const Matrix want = run(*reference_for(desc), data, serial).out;
  for (const KernelRow<NormDesc>& row : kernel_rows<NormDesc>()) {
    if (!refusal(row, desc, cpu()).empty()) continue;
    SCOPED_TRACE(row.name);
    Matrix x = data.x;
    make_kernel(row, desc)->run({.rows = 6,
                                 .x = x.data(),
                                 .ldx = x.ld,
                                 .residual = data.residual.data(),
                                 .ld_residual = data.residual.ld,
                                 .gamma = data.gamma.data(),
                                 .beta = data.beta.data(),
                                 .out = x.data(),
                                 .ld_out = x.ld},
                                serial);
    expect_close(x, want, 1e-5, 1e-5);
  }
}

Matrix softmax(const SoftmaxKernel& kernel, const Matrix& x, Parallel& parallel) {
  Matrix out(x.rows, x.cols, 1);
  kernel.run({.rows = x.rows, .n = x.cols, .x = x.data(), .ldx = x.ld, .out = out.data(), .ld_out = out.ld}, parallel);
  out.expect_padding_untouched();
  return out;
}

void check_softmax(const Matrix& x) {
  SerialParallel serial;
  ThreadedParallel threads(3);
  const Matrix want = softmax(*reference_for(SoftmaxDesc{}), x, serial);
  for (const KernelRow<SoftmaxDesc>* row : rows_for(SoftmaxDesc{})) {
    SCOPED_TRACE(::testing::Message() << row->name << ", " << x.rows << " x " << x.cols);
    const auto kernel = make_kernel(*row, SoftmaxDesc{});
    const Matrix got = softmax(*kernel, x, serial);
    // x - max is rounded: 40 * eps / 2 in the exponent of the smallest terms; the sum of n terms.
    expect_close(got, want, 2e-38, 4e-6);
    expect_same_bits(softmax(*kernel, x, threads), got);
  }
}

TEST(Softmax, AllWidths) {
  for (const int64_t n : kWidths) {
    Random random(static_cast<uint32_t>(n));
    check_softmax(Matrix(5, n, 2).fill([&] { return random.uniform(-20, 20); }));
    if (HasFatalFailure()) return;
  }
}

TEST(Softmax, InfinitiesAndNan) {
  const float inf = std::numeric_limits<float>::infinity(), low = std::numeric_limits<float>::lowest();
  for (const int64_t n : {3, 8, 50}) {
    Matrix x = Matrix(6, n).fill([] { return 0.25f; });
    x.at(0, n - 1) = -inf;
    x.at(1, 1) = inf;
    x.at(2, 0) = std::nanf("");
    for (int64_t i = 0; i < n; ++i) {
      x.at(3, i) = -inf;
      x.at(4, i) = low;
      x.at(5, i) = i == 1 ? 1.0f : low;
    }
    check_softmax(x);
  }
}

}  // namespace
}  // namespace neural_engine
