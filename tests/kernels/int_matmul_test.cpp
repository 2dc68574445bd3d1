// Quantized products: the formula against a direct one, and every row against the reference to the bit.
#include "kernels/int_matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernel_testing.h"

namespace neural_engine {
namespace {

using namespace testing;

struct Case {
  int64_t m, n, k;
  Epilogue epilogue = {};
  bool b_transposed = false;
  int64_t padding = 0;
  DType a = DType::kF32, b = DType::kS8;
  bool has_zero_b = false;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.m << " x " << c.n << " x " << c.k << ", epilogue [" << to_string(c.epilogue) << "]"
             << (c.b_transposed ? ", B transposed" : "") << ", padding " << c.padding << ", A " << to_string(c.a)
             << ", B " << to_string(c.b) << (c.has_zero_b ? " with zero points" : "");
}

IntMatmulDesc desc_of(const Case& c) {
  return {.m = c.m,
          .n = c.n,
          .k = c.k,
          .b_transposed = c.b_transposed,
          .epilogue = c.epilogue,
          .a = c.a,
          .b = c.b,
          .has_zero_b = c.has_zero_b};
}

struct Data {
  explicit Data(const Case& c) : random(static_cast<uint32_t>(c.m * 7919 + c.n * 31 + c.k)) {
    a = Matrix(c.m, c.k, c.padding).fill([&] { return random.uniform(-1.0f, 2.0f); });
    a_bytes.resize(static_cast<size_t>(c.m * (c.k + c.padding)));
    for (int8_t& value : a_bytes) value = static_cast<int8_t>(random.integer(-128, 127));
    b.resize(static_cast<size_t>(c.n * c.k));
    for (int8_t& value : b) value = static_cast<int8_t>(random.integer(-128, 127));
    for (int64_t n = 0; n < c.n; ++n) zeros.push_back(random.integer(-128, 127));
    scales = Matrix(1, c.n).fill([&] { return random.uniform(0.001f, 0.02f); });
    for (const EpilogueOp& op : c.epilogue) {
      if (!takes_operand(op)) continue;
      const int32_t zero = op.operand_dtype == DType::kU8 ? random.integer(0, 255) : random.integer(-128, 127);
      if (op.operand_dtype != DType::kF32) {
        bytes.emplace_back(static_cast<size_t>(c.m * (c.n + c.padding)));
        for (int8_t& value : bytes.back()) value = static_cast<int8_t>(random.integer(-128, 127));
        pointers.push_back({bytes.back().data(), c.n + c.padding, 0, random.uniform(0.01f, 2.0f), zero});
        continue;
      }
      const bool full = op.spread == Spread::kFull;
      const int64_t cols = op.spread == Spread::kRow || full ? c.n : op.spread == Spread::kColumn ? c.m : 1;
      operands.push_back(Matrix(full ? c.m : 1, cols, full ? c.padding : 0));
      operands.back().fill([&] { return random.uniform(0.5f, 2.0f); });
      pointers.push_back({operands.back().data(), operands.back().ld, 0});
    }
  }

  Random random;
  Matrix a, scales;
  std::vector<int8_t> a_bytes, b;
  std::vector<int32_t> zeros;  // of B's columns
  std::vector<std::vector<int8_t>> bytes;
  std::vector<Matrix> operands;
  std::vector<EpilogueOperand> pointers;
};

// C as floats; 8-bit results as their levels.
Matrix run(const IntMatmulKernel& kernel, const Case& c, const Data& data, Parallel& parallel) {
  Matrix out(c.m, c.n, c.padding);
  const DType result = result_dtype(c.epilogue);
  constexpr int8_t kUntouched = 77;
  std::vector<int8_t> levels(static_cast<size_t>(c.m * (c.n + c.padding)), kUntouched);
  const AlignedBytes packed(kernel.packed_bytes()), scratch(kernel.scratch_bytes(c.m));
  kernel.pack(data.b.data(), c.b_transposed ? c.k : c.n, packed.get(), parallel);
  kernel.run({.m = c.m,
              .a = c.a == DType::kF32 ? static_cast<const void*>(data.a.data()) : data.a_bytes.data(),
              .lda = c.k + c.padding,
              .scale_a = 0.0625f,
              .zero_a = c.a == DType::kU8 ? 200 : -100,
              .b = packed.get(),
              .scale_b = data.scales.data(),
              .zero_b = data.zeros.data(),
              .c = result == DType::kF32 ? static_cast<void*>(out.data()) : levels.data(),
              .ldc = c.n + c.padding,
              .operands = data.pointers,
              .scratch = scratch.get()},
             parallel);
  packed.check();
  scratch.check();
  out.expect_padding_untouched();
  for (int64_t m = 0; m < c.m && result != DType::kF32; ++m) {
    for (int64_t n = 0; n < c.n + c.padding; ++n) {
      const int8_t level = levels[static_cast<size_t>(m * (c.n + c.padding) + n)];
      if (n >= c.n) {
        EXPECT_EQ(level, kUntouched) << "beside row " << m;
      } else {
        out.at(m, n) = result == DType::kU8 ? static_cast<uint8_t>(level) : level;
      }
    }
  }
  return out;
}

void check_all_rows(const Case& c) {
  if (left_out()) return;
  const Data data(c);
  SerialParallel serial;
  const Matrix want = run(*reference_for(desc_of(c)), c, data, serial);
  for (const KernelRow<IntMatmulDesc>* row : rows_for(desc_of(c), c.m * c.n * c.k)) {
    SCOPED_TRACE(::testing::Message() << row->name << ": " << c);
    expect_same_bits(run(*make_kernel(*row, desc_of(c)), c, data, serial), want);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// In double, from the definition in the header.
TEST(IntMatmul, ReferenceIsTheFormula) {
  const Case c = {.m = 3, .n = 5, .k = 37, .padding = 1};
  const Data data(c);
  SerialParallel serial;
  const Matrix got = run(*reference_for(desc_of(c)), c, data, serial);
  for (int64_t m = 0; m < c.m; ++m) {
    float low = 0, high = 0;
    for (int64_t k = 0; k < c.k; ++k) {
      low = std::min(low, data.a.at(m, k));
      high = std::max(high, data.a.at(m, k));
    }
    const float scale = (high - low) / 255.0f, inverse = 1.0f / scale;
    const float zero = std::nearbyint(-low * inverse);
    for (int64_t n = 0; n < c.n; ++n) {
      double sum = 0, exact = 0;
      for (int64_t k = 0; k < c.k; ++k) {
        const double b = data.b[static_cast<size_t>(k * c.n + n)];
        const float level = std::min(std::max(std::nearbyint(data.a.at(m, k) * inverse) + zero, 0.0f), 255.0f);
        sum += (double{level} - double{zero}) * b;
        exact += double{data.a.at(m, k)} * b;
      }
      const double factor = double{scale} * double{data.scales.at(0, n)};
      EXPECT_NEAR(got.at(m, n), sum * factor, std::fabs(sum * factor) * 1e-6);
      // Each element is at most half a level off (one at the ends), and |b| <= 128.
      EXPECT_NEAR(got.at(m, n), exact * double{data.scales.at(0, n)}, double(c.k) * 128 * factor);
    }
  }
}

TEST(IntMatmul, AllShapesHaveTheReferencesBits) {
  for (const int64_t m : {1, 2, 3, 4, 5, 6, 7, 13, 50})
    for (const int64_t n : {1, 7, 8, 9, 15, 16, 17, 33, 97})
      for (const int64_t k : {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 64, 385})
        for (const bool transposed : {false, true}) {
          check_all_rows({.m = m, .n = n, .k = k, .b_transposed = transposed, .padding = (m + n + k) % 3});
          if (HasFatalFailure()) return;
        }
  check_all_rows({.m = 133, .n = 70, .k = 3072});
  check_all_rows({.m = 0, .n = 7, .k = 3});
}

TEST(IntMatmul, EveryOpOfTheEpilogueHasTheReferencesBits) {
  for (const UnaryOp op : {UnaryOp::kLinear, UnaryOp::kRelu, UnaryOp::kGeluErf, UnaryOp::kGeluTanh, UnaryOp::kSilu,
                           UnaryOp::kSigmoid, UnaryOp::kTanh})
    for (const float beta : {0.0f, 0.25f})
      check_all_rows({.m = 11, .n = 70, .k = 200, .epilogue = {unary(op, 0.7f, beta)}});
  for (const BinaryOp op : {BinaryOp::kAdd, BinaryOp::kSub, BinaryOp::kMul, BinaryOp::kDiv})
    for (const Spread spread : {Spread::kScalar, Spread::kRow, Spread::kColumn, Spread::kFull})
      for (const bool reversed : {false, true})
        check_all_rows({.m = 15, .n = 23, .k = 40, .epilogue = {binary(op, spread, reversed)}, .padding = 2});
  check_all_rows({.m = 29,
                  .n = 50,
                  .k = 96,
                  .epilogue = {scale(0.5f), bias(), unary(UnaryOp::kGeluErf), residual(), unary(UnaryOp::kTanh)},
                  .padding = 1});
}

TEST(IntMatmul, EveryFormOfTheOperandsHasTheReferencesBits) {
  for (const DType a : {DType::kF32, DType::kU8, DType::kS8})
    for (const DType b : {DType::kS8, DType::kU8})
      for (const bool zeros : {false, true})
        for (const int64_t k : {1, 3, 8, 33, 200})
          check_all_rows({.m = 27,
                          .n = 45,
                          .k = k,
                          .b_transposed = k % 2 == 1,
                          .padding = k % 3,
                          .a = a,
                          .b = b,
                          .has_zero_b = zeros});
}

TEST(IntMatmul, GridsAndBytesHaveTheReferencesBits) {
  for (const DType dtype : {DType::kU8, DType::kS8})
    for (const int64_t n : {5, 16, 48, 45}) {
      EpilogueOp add = residual(), times = binary(BinaryOp::kMul, Spread::kFull);
      add.operand_dtype = times.operand_dtype = dtype;
      Case c = {.m = 103, .n = n, .k = 40, .epilogue = {quantize_to(dtype)}, .padding = 3, .a = dtype};
      check_all_rows(c);
      c.epilogue = {round_to_grid(dtype)};
      check_all_rows(c);
      c.epilogue = {bias(), add, unary(UnaryOp::kGeluErf), round_to_grid(dtype), times};
      check_all_rows(c);
      c.epilogue.push_back(quantize_to(dtype == DType::kU8 ? DType::kS8 : DType::kU8));
      check_all_rows(c);
    }
}

// Levels by the formula of QuantizeLinear, halves and NaN among them.
TEST(IntMatmul, GridsRoundHalvesToEvenAndNanToZero) {
  const Case c = {.m = 1, .n = 6, .k = 1, .epilogue = {bias(), quantize_to(DType::kU8)}};
  Data data(c);
  data.b.assign(6, 0);
  const float rests[] = {1.0f, 3.0f, -1.0f, 1e30f, -1e30f, std::nanf("")};
  std::copy(std::begin(rests), std::end(rests), data.operands[0].data());
  data.pointers[1].scale = 2.0f;
  data.pointers[1].zero = 10;
  SerialParallel serial;
  std::vector<const KernelRow<IntMatmulDesc>*> rows = rows_for(desc_of(c));
  rows.push_back(&kernel_rows<IntMatmulDesc>().back());
  for (const KernelRow<IntMatmulDesc>* row : rows) {
    const Matrix got = run(*make_kernel(*row, desc_of(c)), c, data, serial);
    const float levels[] = {10, 12, 10, 255, 0, 10};
    for (int64_t n = 0; n < c.n; ++n) EXPECT_EQ(got.at(0, n), levels[n]) << row->name << ", " << rests[n];
  }
}

// The largest magnitudes that there are: -255 and 255 times -128 in every product.
TEST(IntMatmul, FullRangesDoNotSaturate) {
  for (const float sign : {1.0f, -1.0f}) {
    const Case c = {.m = 7, .n = 20, .k = 4096};  // few enough to be emulated
    Data data(c);
    data.a.fill([&] { return sign; });
    data.b.assign(data.b.size(), -128);
    data.scales.fill([] { return 1.0f; });
    SerialParallel serial;
    std::vector<const KernelRow<IntMatmulDesc>*> rows = rows_for(desc_of(c));
    rows.push_back(&kernel_rows<IntMatmulDesc>().back());
    for (const KernelRow<IntMatmulDesc>* row : rows) {
      const Matrix got = run(*make_kernel(*row, desc_of(c)), c, data, serial);
      const float want = -sign * 255.0f * 128.0f * 4096.0f * (1.0f / 255.0f);
      EXPECT_EQ(got.at(6, 19), want) << row->name;
    }
  }
}

TEST(IntMatmul, RowsThatCannotBeQuantized) {
  const Case c = {.m = 7, .n = 20, .k = 33, .epilogue = {bias()}};
  Data data(c);
  const float kInf = std::numeric_limits<float>::infinity();
  data.a.at(1, 5) = kInf;
  data.a.at(2, 32) = std::nanf("");
  data.a.at(3, 0) = -kInf;
  data.a.at(4, 0) = 3e38f;
  data.a.at(4, 1) = -3e38f;
  for (int64_t k = 0; k < c.k; ++k) data.a.at(5, k) = 0.0f;
  for (int64_t k = 0; k < c.k; ++k) data.a.at(6, k) = 1e-40f;
  SerialParallel serial;
  std::vector<const KernelRow<IntMatmulDesc>*> rows = rows_for(desc_of(c));
  rows.push_back(&kernel_rows<IntMatmulDesc>().back());
  for (const KernelRow<IntMatmulDesc>* row : rows) {
    SCOPED_TRACE(row->name);
    const Matrix got = run(*make_kernel(*row, desc_of(c)), c, data, serial);
    for (int64_t n = 0; n < c.n; ++n) {
      EXPECT_TRUE(std::isfinite(got.at(0, n)));
      for (const int64_t m : {1, 2, 3, 4}) EXPECT_TRUE(std::isnan(got.at(m, n))) << m;
      for (const int64_t m : {5, 6}) EXPECT_EQ(got.at(m, n), data.operands[0].at(0, n)) << m;
    }
  }
}

TEST(IntMatmul, ThreadsAndNeighboursDoNotChangeTheBits) {
  const Case c = {.m = 131, .n = 150, .k = 900, .epilogue = {bias(), unary(UnaryOp::kGeluErf)}};
  const Data data(c);
  SerialParallel serial;
  ThreadedParallel two(2), seven(7);
  for (const KernelRow<IntMatmulDesc>* row : rows_for(desc_of(c), c.m * c.n * c.k)) {
    SCOPED_TRACE(row->name);
    const auto kernel = make_kernel(*row, desc_of(c));
    const Matrix once = run(*kernel, c, data, serial);
    expect_same_bits(run(*kernel, c, data, two), once);
    expect_same_bits(run(*kernel, c, data, seven), once);
    // A row alone is what it is among others.
    Case alone = c;
    alone.m = 1;
    Data last = data;
    for (int64_t k = 0; k < c.k; ++k) last.a.at(0, k) = data.a.at(130, k);
    const Matrix single = run(*kernel, alone, last, serial);
    for (int64_t n = 0; n < c.n; ++n) EXPECT_EQ(single.at(0, n), once.at(130, n));
  }
}

TEST(IntMatmul, RefusesWhatHasNoDefinedBits) {
  for (const KernelRow<IntMatmulDesc>& row : kernel_rows<IntMatmulDesc>()) {
    EXPECT_NE(row.supports({.n = 4, .k = 0}), "");
    EXPECT_NE(row.supports({.n = 4, .k = max_int_k(false) + 1}), "");
    EXPECT_NE(row.supports({.n = 4, .k = max_int_k(true) + 1, .has_zero_b = true}), "");
    EXPECT_NE(row.supports({.n = 4, .k = 4, .a = DType::kS16}), "");
    EXPECT_NE(row.supports({.n = 4, .k = 4, .epilogue = {quantize_to(DType::kU8), bias()}}), "");
    EXPECT_NE(row.supports({.n = 4, .k = 4, .epilogue = {quantize_to(DType::kS16)}}), "");
    EXPECT_NE(row.supports({.n = 4, .k = 4, .epilogue = {unary(UnaryOp::kExp)}}), "");
    EXPECT_NE(row.supports({.n = 4, .k = 4, .epilogue = {binary(BinaryOp::kMax, Spread::kRow)}}), "");
    EXPECT_EQ(row.supports({.n = 4, .k = 4, .epilogue = {bias(), unary(UnaryOp::kGeluErf), residual()}}), "");
  }
}

}  // namespace
}  // namespace neural_engine
