// Functions of one number and activations against their formulas in double.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/half.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::run_op;
using testing::values;

struct Function {
  const char* op;
  std::function<double(double)> oracle;
  double low, high;  // where it is tried
  Attrs attrs = {};
};

double softplus(double x) { return std::log1p(std::exp(x)); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double clamp01(double x) { return std::fmax(0, std::fmin(1, x)); }

const std::vector<Function>& functions() {
  static const std::vector<Function> kFunctions = {
      {"Abs", [](double x) { return std::fabs(x); }, -4, 4},
      {"Neg", [](double x) { return -x; }, -4, 4},
      {"Sign", [](double x) { return x > 0   ? 1.0
                                     : x < 0 ? -1.0
                                             : 0.0; }, -4, 4},
      {"Floor", [](double x) { return std::floor(x); }, -4, 4},
      {"Ceil", [](double x) { return std::ceil(x); }, -4, 4},
      {"Round", [](double x) { return std::nearbyint(x); }, -4, 4},
      {"Sqrt", [](double x) { return std::sqrt(x); }, 0, 9},
      {"Reciprocal", [](double x) { return 1 / x; }, 0.25, 4},
      {"Exp", [](double x) { return std::exp(x); }, -4, 4},
      {"Log", [](double x) { return std::log(x); }, 0.25, 4},
      {"Erf", [](double x) { return std::erf(x); }, -3, 3},
      {"Sin", [](double x) { return std::sin(x); }, -3, 3},
      {"Cos", [](double x) { return std::cos(x); }, -3, 3},
      {"Tan", [](double x) { return std::tan(x); }, -1, 1},
      {"Asin", [](double x) { return std::asin(x); }, -1, 1},
      {"Acos", [](double x) { return std::acos(x); }, -1, 1},
      {"Atan", [](double x) { return std::atan(x); }, -3, 3},
      {"Sinh", [](double x) { return std::sinh(x); }, -3, 3},
      {"Cosh", [](double x) { return std::cosh(x); }, -3, 3},
      {"Tanh", [](double x) { return std::tanh(x); }, -3, 3},
      {"Asinh", [](double x) { return std::asinh(x); }, -3, 3},
      {"Acosh", [](double x) { return std::acosh(x); }, 1, 5},
      {"Atanh", [](double x) { return std::atanh(x); }, -0.75, 0.75},
      {"Relu", [](double x) { return std::fmax(x, 0); }, -4, 4},
      {"LeakyRelu", [](double x) { return x < 0 ? 0.25 * x : x; }, -4, 4, {{"alpha", 0.25f}}},
      {"ThresholdedRelu", [](double x) { return x > 1 ? x : 0; }, -4, 4},
      {"Elu", [](double x) { return x < 0 ? 2 * (std::exp(x) - 1) : x; }, -4, 4, {{"alpha", 2.0f}}},
      {"Celu",
       [](double x) { return std::fmax(0, x) + std::fmin(0, 2 * (std::exp(x / 2) - 1)); },
       -4,
       4,
       {{"alpha", 2.0f}}},
      {"Selu", [](double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (std::exp(x) - 1)); }, -4,
       4},
      {"Sigmoid", sigmoid, -6, 6},
      {"HardSigmoid", [](double x) { return clamp01(0.25 * x + 0.5); }, -4, 4, {{"alpha", 0.25f}}},
      {"HardSwish", [](double x) { return x * clamp01(x / 6 + 0.5); }, -4, 4},
      {"Swish", [](double x) { return x * sigmoid(1.702 * x); }, -4, 4, {{"alpha", 1.702f}}},
      {"Mish", [](double x) { return x * std::tanh(softplus(x)); }, -4, 4},
      {"Softplus", softplus, -4, 4},
      {"Softsign", [](double x) { return x / (1 + std::fabs(x)); }, -4, 4},
      {"Gelu", [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }, -4, 4},
      {"Gelu",
       [](double x) { return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); },
       -4,
       4,
       {{"approximate", std::string("tanh")}}},
      {"Shrink",
       [](double x) { return x < -1  ? x + 0.5
                             : x > 1 ? x - 0.5
                                     : 0; },
       -4,
       4,
       {{"bias", 0.5f}, {"lambd", 1.0f}}},
  };
  return kFunctions;
}

// Of all dtypes, at inputs that each dtype holds exactly; the tolerance is a few units in the last place of the result
// or, near a zero of the function, of the terms that cancel.
template <class T>
void check(const Function& function, double eps) {
  constexpr int64_t kCount = 1301;  // several blocks and a tail
  std::vector<T> x;
  for (int64_t i = 0; i < kCount; ++i) {
    const double at = function.low + (function.high - function.low) * static_cast<double>(i) / (kCount - 1);
    x.push_back(static_cast<T>(static_cast<float>(at)));
  }
  const Tensor y = run_op(function.op, {Tensor::of<T>({kCount}, x)}, function.attrs)[0];
  for (size_t i = 0; i < x.size(); ++i) {
    const double expected = function.oracle(static_cast<double>(x[i]));
    const double found = static_cast<double>(y.data<T>()[i]);
    ASSERT_NEAR(found, expected, eps * std::fmax(1, std::fabs(expected)))
        << function.op << " of " << static_cast<double>(x[i]);
  }
}

TEST(ElementwiseMath, FollowsTheFormulasInAllFloatingTypes) {
  for (const Function& function : functions()) {
    check<double>(function, 1e-6);  // attributes are float
    check<float>(function, 1e-6);
    check<Half>(function, 0x1p-11 + 1e-6);
    check<BFloat16>(function, 0x1p-8 + 1e-6);
  }
}

TEST(ElementwiseMath, EveryOpIsListed) {
  for (const Function& function : functions()) EXPECT_NE(find_op(function.op), nullptr) << function.op;
}

TEST(ElementwiseMath, KeepsNaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Function& function : functions()) {
    if (std::string_view(function.op) == "ThresholdedRelu") continue;  // NaN is not above the threshold
    const Tensor y = run_op(function.op, {Tensor::of<float>({2}, {nan, 1})}, function.attrs)[0];
    EXPECT_TRUE(std::isnan(y.data<float>()[0])) << function.op;
  }
}

TEST(ElementwiseMath, LargeMagnitudesDoNotOverflowOnTheWay) {
  const Tensor x = Tensor::of<float>({2}, {-1000, 1000});
  EXPECT_EQ(values<float>(run_op("Sigmoid", {x})[0]), (std::vector<float>{0, 1}));
  EXPECT_EQ(values<float>(run_op("Softplus", {x})[0]), (std::vector<float>{0, 1000}));
  EXPECT_EQ(values<float>(run_op("Mish", {x})[0]), (std::vector<float>{0, 1000}));
  EXPECT_EQ(values<float>(run_op("Tanh", {x})[0]), (std::vector<float>{-1, 1}));
}

TEST(ElementwiseMath, IntegersAreExactAndWrap) {
  const int64_t least = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(values<int64_t>(run_op("Abs", {Tensor::of<int64_t>({3}, {-3, (int64_t{1} << 62) + 1, least})})[0]),
            (std::vector<int64_t>{3, (int64_t{1} << 62) + 1, least}));
  EXPECT_EQ(values<int8_t>(run_op("Neg", {Tensor::of<int8_t>({3}, {5, -5, -128})})[0]),
            (std::vector<int8_t>{-5, 5, -128}));
  EXPECT_EQ(values<uint8_t>(run_op("Sign", {Tensor::of<uint8_t>({2}, {0, 200})})[0]), (std::vector<uint8_t>{0, 1}));
  EXPECT_EQ(values<int32_t>(run_op("Relu", {Tensor::of<int32_t>({2}, {-7, 7})})[0]), (std::vector<int32_t>{0, 7}));
  EXPECT_EQ(values<int32_t>(run_op("Erf", {Tensor::of<int32_t>({3}, {-9, 0, 9})})[0]),
            (std::vector<int32_t>{-1, 0, 1}));
}

TEST(ElementwiseMath, RefusesWhatItDoesNotHonour) {
  EXPECT_THROW(run_op("Exp", {Tensor::of<int32_t>({1}, {1})}), Error);
  EXPECT_THROW(run_op("Neg", {Tensor::of<uint8_t>({1}, {1})}), Error);
  EXPECT_THROW(run_op("Gelu", {Tensor::of<float>({1}, {1})}, {{"approximate", std::string("sigmoid")}}), Error);
  EXPECT_THROW(run_op("Celu", {Tensor::of<float>({1}, {1})}, {{"alpha", 0.0f}}), Error);
  try {
    run_op("Exp", {Tensor::of<int32_t>({1}, {1})});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnsupported);
    EXPECT_NE(std::string(error.what()).find("input 0 has dtype s32, supported: f64, f32, f16, bf16"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace neural_engine
