// What the tests of kernels share: numbers, matrices, threads, comparisons.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/parallel.h"
#include "emulator/emulation.h"
#include "kernels/kernel_table.h"
#include "sanitized.h"

namespace neural_engine::testing {

inline constexpr float kEps = 0x1p-23f;
// What padding holds: a kernel that reads it spreads NaN, one that writes it is seen.
inline const float kPadding = std::nanf("0x51");

// 64-byte aligned bytes, with a guard behind them that check() looks at.
class AlignedBytes {
 public:
  explicit AlignedBytes(int64_t bytes)
      : bytes_(bytes), data_(new (std::align_val_t(64)) unsigned char[static_cast<size_t>(bytes) + kGuard]) {
    for (size_t i = 0; i < kGuard; ++i) data_.get()[static_cast<size_t>(bytes) + i] = 0xa5;
  }
  void* get() const { return data_.get(); }
  void check() const {
    for (size_t i = 0; i < kGuard; ++i)
      ASSERT_EQ(data_.get()[static_cast<size_t>(bytes_) + i], 0xa5) << "written " << i << " bytes past " << bytes_;
  }

 private:
  static constexpr size_t kGuard = 64;
  struct Free {
    void operator()(unsigned char* p) const { ::operator delete[](p, std::align_val_t(64)); }
  };
  int64_t bytes_;
  std::unique_ptr<unsigned char[], Free> data_;
};

// A matrix of `rows` x `cols` with leading dimension ld; what lies between the rows is kPadding.
struct Matrix {
  Matrix() = default;
  Matrix(int64_t rows_in, int64_t cols_in, int64_t padding = 0)
      : rows(rows_in), cols(cols_in), ld(cols_in + padding), values(static_cast<size_t>(rows * ld), kPadding) {}

  float& at(int64_t r, int64_t c) { return values[static_cast<size_t>(r * ld + c)]; }
  float at(int64_t r, int64_t c) const { return values[static_cast<size_t>(r * ld + c)]; }
  float* data() { return values.data(); }
  const float* data() const { return values.data(); }

  template <class Next>
  Matrix& fill(Next next) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; ++c) at(r, c) = next();
    return *this;
  }
  // Everything between the rows is as it was made.
  void expect_padding_untouched() const {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = cols; c < ld; ++c) ASSERT_TRUE(std::isnan(at(r, c))) << "row " << r << ", padding column " << c;
  }

  int64_t rows = 0, cols = 0, ld = 0;
  std::vector<float> values;
};

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  float uniform(float low, float high) { return std::uniform_real_distribution<float>(low, high)(engine_); }
  int64_t integer(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(engine_); }

 private:
  std::mt19937 engine_;
};

// Threads that race for tasks, so that their sharing differs from run to run.
class ThreadedParallel final : public Parallel {
 public:
  explicit ThreadedParallel(int threads) : threads_(threads) {}
  int threads() const noexcept override { return threads_; }
  void run(int64_t count, FunctionRef<void(int64_t, int)> task) override {
    std::atomic<int64_t> next{0};
    std::vector<std::thread> workers;
    for (int worker = 0; worker < threads_; ++worker)
      workers.emplace_back([&, worker] {
        for (int64_t index = next++; index < count; index = next++) task(index, worker);
      });
    for (std::thread& worker : workers) worker.join();
  }

 private:
  int threads_;
};

// Operations beyond which a case is not worth emulating: some ten milliseconds.
inline constexpr int64_t kMostEmulatedWork = 100'000;

// The rows that serve the request and run here, natively or emulated, the reference left out. A case of more `work`
// than kMostEmulatedWork has native rows only.
template <class Desc>
std::vector<const KernelRow<Desc>*> rows_for(const Desc& desc, int64_t work = 0) {
  std::vector<const KernelRow<Desc>*> rows;
  for (const KernelRow<Desc>& row : kernel_rows<Desc>()) {
    if (&row == &kernel_rows<Desc>().back() || !refusal(row, desc, emulator::test_cpu()).empty()) continue;
    if (work <= kMostEmulatedWork || emulator::is_native(row.needs)) rows.push_back(&row);
  }
  return rows;
}

template <class Desc>
std::unique_ptr<typename Desc::Kernel> reference_for(const Desc& desc) {
  return make_kernel(kernel_rows<Desc>().back(), desc);
}

// |got - want| <= absolute + relative * |want|; NaN equals NaN, infinity itself.
inline void expect_close(const Matrix& got, const Matrix& want, double absolute, double relative) {
  for (int64_t r = 0; r < want.rows; ++r)
    for (int64_t c = 0; c < want.cols; ++c) {
      const double g = got.at(r, c), w = want.at(r, c);
      const bool same =
          (std::isnan(g) && std::isnan(w)) || g == w || std::fabs(g - w) <= absolute + relative * std::fabs(w);
      ASSERT_TRUE(same) << "at (" << r << ", " << c << "): got " << g << ", want " << w;
    }
}

inline void expect_same_bits(const Matrix& a, const Matrix& b) {
  for (int64_t r = 0; r < a.rows; ++r)
    for (int64_t c = 0; c < a.cols; ++c)
      ASSERT_EQ(std::bit_cast<uint32_t>(a.at(r, c)), std::bit_cast<uint32_t>(b.at(r, c)))
          << "at (" << r << ", " << c << "): " << a.at(r, c) << " and " << b.at(r, c);
}

}  // namespace neural_engine::testing
