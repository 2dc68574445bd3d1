#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::run_op;
using testing::values;

TEST(MatMulInteger, SubtractsZeroPoints) {
  const Tensor a = Tensor::of<uint8_t>({2, 3}, {11, 7, 3, 10, 6, 2});
  const Tensor b = Tensor::of<uint8_t>({3, 2}, {1, 4, 2, 5, 3, 6});
  const Tensor zero = Tensor::of<uint8_t>({1}, {12});
  EXPECT_EQ(values<int32_t>(run_op("MatMulInteger", {a, b, zero, Tensor::of<uint8_t>({1}, {0})})[0]),
            (std::vector<int32_t>{-38, -83, -44, -98}));
  EXPECT_EQ(values<int32_t>(run_op("MatMulInteger", {a, b})[0]), (std::vector<int32_t>{34, 97, 28, 82}));
}

// One zero point per row of A and per column of B, in all their forms, over broadcast batches.
TEST(MatMulInteger, PerRowAndPerColumnOverBatches) {
  constexpr int64_t kBatch = 2, kM = 3, kK = 5, kN = 4;
  std::mt19937 random(1);
  std::vector<int8_t> a(kBatch * kM * kK), row_zero(kM);
  std::vector<uint8_t> b(kK * kN), column_zero(kN);
  for (auto& each : a) each = static_cast<int8_t>(random());
  for (auto& each : b) each = static_cast<uint8_t>(random());
  for (auto& each : row_zero) each = static_cast<int8_t>(random());
  for (auto& each : column_zero) each = static_cast<uint8_t>(random());
  std::vector<int32_t> expected;
  for (int64_t m = 0; m < kBatch * kM; ++m) {
    for (int64_t n = 0; n < kN; ++n) {
      int32_t sum = 0;
      for (int64_t k = 0; k < kK; ++k) {
        sum += (a[static_cast<size_t>(m * kK + k)] - row_zero[static_cast<size_t>(m % kM)]) *
               (b[static_cast<size_t>(k * kN + n)] - column_zero[static_cast<size_t>(n)]);
      }
      expected.push_back(sum);
    }
  }
  const Tensor left = Tensor::of<int8_t>({kBatch, kM, kK}, a), right = Tensor::of<uint8_t>({1, kK, kN}, b);
  const Tensor vector_row = Tensor::of<int8_t>({kM}, row_zero), vector_column = Tensor::of<uint8_t>({kN}, column_zero);
  const Tensor y = run_op("MatMulInteger", {left, right, vector_row, vector_column})[0];
  EXPECT_EQ(y.shape(), (Shape{kBatch, kM, kN}));
  EXPECT_EQ(values<int32_t>(y), expected);
  std::vector<int8_t> repeated = row_zero;
  repeated.insert(repeated.end(), row_zero.begin(), row_zero.end());
  const Tensor full_row = Tensor::of<int8_t>({kBatch, kM, 1}, repeated);
  const Tensor full_column = vector_column.reshaped({1, 1, kN});
  EXPECT_EQ(values<int32_t>(run_op("MatMulInteger", {left, right, full_row, full_column})[0]), expected);
}

TEST(MatMulInteger, VectorsAndRefusals) {
  const Tensor a = Tensor::of<uint8_t>({2}, {1, 2}), b = Tensor::of<int8_t>({2, 2}, {1, -2, 3, -4});
  const Tensor y = run_op("MatMulInteger", {a, b})[0];
  EXPECT_EQ(y.shape(), (Shape{2}));
  EXPECT_EQ(values<int32_t>(y), (std::vector<int32_t>{7, -10}));
  EXPECT_THROW(run_op("MatMulInteger", {a, b, Tensor::of<int8_t>({1}, {0})}), Error);
  EXPECT_THROW(run_op("MatMulInteger", {b, b, Tensor::of<int8_t>({3}, {0, 0, 0})}), Error);
  EXPECT_THROW(run_op("MatMulInteger", {Tensor::of<int32_t>({2}, {1, 2}), b}), Error);
  EXPECT_THROW(run_op("MatMulInteger", {Tensor::of<uint8_t>({3}, {1, 2, 3}), b}), Error);
}

TEST(QLinearMatMul, RequantizesEachSum) {
  const Tensor a = Tensor::of<uint8_t>({2, 4}, {208, 236, 0, 238, 3, 214, 255, 29});
  const Tensor b = Tensor::of<uint8_t>({4, 3}, {152, 51, 244, 60, 26, 255, 0, 127, 246, 127, 254, 247});
  const Tensor y =
      run_op("QLinearMatMul", {a, Tensor::scalar(0.0066f), Tensor::scalar<uint8_t>(113), b, Tensor::scalar(0.00705f),
                               Tensor::scalar<uint8_t>(114), Tensor::scalar(0.0107f), Tensor::scalar<uint8_t>(118)})[0];
  EXPECT_EQ(values<uint8_t>(y), (std::vector<uint8_t>{168, 115, 255, 1, 66, 151}));
}

TEST(QLinearMatMul, ScalesPerRowAndColumn) {
  const Tensor a = Tensor::of<int8_t>({2, 1}, {10, 10}), b = Tensor::of<int8_t>({1, 2}, {3, 3});
  const Tensor zeros = Tensor::of<int8_t>({2}, {0, 0});
  const Tensor y =
      run_op("QLinearMatMul", {a, Tensor::of<float>({2}, {1, 2}), zeros, b, Tensor::of<float>({2}, {1, 10}), zeros,
                               Tensor::scalar(10.0f), Tensor::scalar<int8_t>(1)})[0];
  EXPECT_EQ(values<int8_t>(y), (std::vector<int8_t>{4, 31, 7, 61}));
  EXPECT_THROW(run_op("QLinearMatMul", {a, Tensor::scalar(0.0f), Tensor::scalar<int8_t>(0), b, Tensor::scalar(1.0f),
                                        Tensor::scalar<int8_t>(0), Tensor::scalar(1.0f), Tensor::scalar<int8_t>(0)}),
               Error);
}

}  // namespace
}  // namespace neural_engine
