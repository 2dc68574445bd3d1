// Reproducible operands and double-precision comparison for op tests.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/dtype.h"
#include "neural_engine/tensor.h"

namespace neural_engine::testing {

// Normally distributed, the same for one seed on every machine.
inline std::vector<double> random_doubles(int64_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<double> result(static_cast<size_t>(count));
  for (double& value : result) {
    // A sum of uniform numbers: std::normal_distribution differs between standard libraries.
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(engine()) / 4294967296.0;
    value = sum;
  }
  return result;
}

// The values rounded to the dtype.
inline Tensor tensor_of(DType dtype, Shape shape, const std::vector<double>& values) {
  Tensor result(dtype, std::move(shape));
  dispatch_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < values.size(); ++i) {
      if constexpr (std::is_same_v<T, double> || std::is_integral_v<T>) {
        result.data<T>()[i] = static_cast<T>(values[i]);
      } else {
        result.data<T>()[i] = T(static_cast<float>(values[i]));
      }
    }
  });
  return result;
}

inline Tensor random_tensor(Shape shape, uint32_t seed, DType dtype = DType::kF32) {
  int64_t count = 1;
  for (const int64_t dim : shape) count *= dim;
  return tensor_of(dtype, std::move(shape), random_doubles(count, seed));
}

inline std::vector<double> doubles(const Tensor& tensor) {
  std::vector<double> result(static_cast<size_t>(tensor.elems()));
  dispatch_dtype(tensor.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < result.size(); ++i) result[i] = static_cast<double>(tensor.data<T>()[i]);
  });
  return result;
}

// Within atol + rtol * |expected|; infinities and NaN must agree.
inline void expect_near(const Tensor& found, const std::vector<double>& expected, double rtol = 1e-5,
                        double atol = 1e-5) {
  const std::vector<double> values = doubles(found);
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == expected[i] || (std::isnan(values[i]) && std::isnan(expected[i]))) continue;
    ASSERT_LE(std::fabs(values[i] - expected[i]), atol + rtol * std::fabs(expected[i]))
        << "at " << i << ": found " << values[i] << ", expected " << expected[i];
  }
}

// The text of the error that `body` throws; empty when it throws none.
template <class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace neural_engine::testing
