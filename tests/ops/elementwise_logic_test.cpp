#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/half.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::run_op;
using testing::values;

std::vector<int> bits(const Tensor& tensor) {
  EXPECT_EQ(tensor.dtype(), DType::kBool);
  return std::vector<int>(tensor.data<bool>(), tensor.data<bool>() + tensor.elems());
}

template <class T>
void check_comparisons() {
  const Tensor a = Tensor::of<T>({3}, {T(1), T(2), T(3)}), b = Tensor::of<T>({}, {T(2)});
  EXPECT_EQ(bits(run_op("Equal", {a, b})[0]), (std::vector<int>{0, 1, 0}));
  EXPECT_EQ(bits(run_op("Greater", {a, b})[0]), (std::vector<int>{0, 0, 1}));
  EXPECT_EQ(bits(run_op("GreaterOrEqual", {a, b})[0]), (std::vector<int>{0, 1, 1}));
  EXPECT_EQ(bits(run_op("Less", {a, b})[0]), (std::vector<int>{1, 0, 0}));
  EXPECT_EQ(bits(run_op("LessOrEqual", {b, a})[0]), (std::vector<int>{0, 1, 1}));
}

TEST(Logic, ComparesAllNumbers) {
  check_comparisons<double>();
  check_comparisons<float>();
  check_comparisons<Half>();
  check_comparisons<BFloat16>();
  check_comparisons<int64_t>();
  check_comparisons<int32_t>();
  check_comparisons<int16_t>();
  check_comparisons<int8_t>();
  check_comparisons<uint64_t>();
  check_comparisons<uint32_t>();
  check_comparisons<uint16_t>();
  check_comparisons<uint8_t>();
}

TEST(Logic, NaNEqualsNothingAndLargeIntegersAreExact) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(bits(run_op("Equal", {Tensor::scalar(nan), Tensor::scalar(nan)})[0]), (std::vector<int>{0}));
  const int64_t large = (int64_t{1} << 53) + 1;
  EXPECT_EQ(bits(run_op("Equal", {Tensor::scalar(large), Tensor::scalar(large - 1)})[0]), (std::vector<int>{0}));
}

TEST(Logic, TruthTables) {
  const Tensor a = Tensor::of<bool>({4}, {false, false, true, true});
  const Tensor b = Tensor::of<bool>({4}, {false, true, false, true});
  EXPECT_EQ(bits(run_op("And", {a, b})[0]), (std::vector<int>{0, 0, 0, 1}));
  EXPECT_EQ(bits(run_op("Or", {a, b})[0]), (std::vector<int>{0, 1, 1, 1}));
  EXPECT_EQ(bits(run_op("Xor", {a, b})[0]), (std::vector<int>{0, 1, 1, 0}));
  EXPECT_EQ(bits(run_op("Equal", {a, b})[0]), (std::vector<int>{1, 0, 0, 1}));
  EXPECT_EQ(bits(run_op("Not", {a})[0]), (std::vector<int>{1, 1, 0, 0}));
  EXPECT_THROW(run_op("And", {a, Tensor::of<uint8_t>({4}, {0, 1, 0, 1})}), Error);
}

TEST(Logic, BitsOfEveryWidth) {
  const Tensor a = Tensor::of<int32_t>({2}, {-1, 12}), b = Tensor::of<int32_t>({2}, {10, 10});
  EXPECT_EQ(values<int32_t>(run_op("BitwiseAnd", {a, b})[0]), (std::vector<int32_t>{10, 8}));
  EXPECT_EQ(values<int32_t>(run_op("BitwiseOr", {a, b})[0]), (std::vector<int32_t>{-1, 14}));
  EXPECT_EQ(values<int32_t>(run_op("BitwiseXor", {a, b})[0]), (std::vector<int32_t>{-11, 6}));
  EXPECT_EQ(values<int64_t>(run_op("BitwiseNot", {Tensor::of<int64_t>({1}, {5})})[0]), (std::vector<int64_t>{-6}));
  EXPECT_EQ(values<uint8_t>(run_op("BitwiseNot", {Tensor::of<uint8_t>({1}, {5})})[0]), (std::vector<uint8_t>{250}));
}

TEST(Logic, ShiftsLoseAllBitsAtTheWidth) {
  const Tensor x = Tensor::of<uint8_t>({4}, {16, 255, 1, 3}), y = Tensor::of<uint8_t>({4}, {1, 4, 8, 0});
  EXPECT_EQ(values<uint8_t>(run_op("BitShift", {x, y}, {{"direction", std::string("LEFT")}})[0]),
            (std::vector<uint8_t>{32, 240, 0, 3}));
  EXPECT_EQ(values<uint8_t>(run_op("BitShift", {x, y}, {{"direction", std::string("RIGHT")}})[0]),
            (std::vector<uint8_t>{8, 15, 0, 3}));
  const Tensor wide = Tensor::of<uint64_t>({1}, {1}), by = Tensor::of<uint64_t>({1}, {63});
  EXPECT_EQ(values<uint64_t>(run_op("BitShift", {wide, by}, {{"direction", std::string("LEFT")}})[0])[0],
            uint64_t{1} << 63);
  EXPECT_THROW(run_op("BitShift", {x, y}, {{"direction", std::string("UP")}}), Error);
  EXPECT_THROW(run_op("BitShift", {x, y}), Error);
}

TEST(Logic, ClassifiesSpecialValues) {
  const Tensor x = Tensor::of<float>({4}, {1, NAN, INFINITY, -INFINITY});
  EXPECT_EQ(bits(run_op("IsNaN", {x})[0]), (std::vector<int>{0, 1, 0, 0}));
  EXPECT_EQ(bits(run_op("IsInf", {x})[0]), (std::vector<int>{0, 0, 1, 1}));
  EXPECT_EQ(bits(run_op("IsInf", {x}, {{"detect_negative", int64_t{0}}})[0]), (std::vector<int>{0, 0, 1, 0}));
  EXPECT_EQ(bits(run_op("IsInf", {x}, {{"detect_positive", int64_t{0}}})[0]), (std::vector<int>{0, 0, 0, 1}));
  for (DType dtype : {DType::kF64, DType::kF16, DType::kBF16, DType::kF8E5M2}) {
    // Cast's own saturation would turn the infinities of an 8-bit float into numbers.
    static constexpr int64_t kCodes[] = {11, 10, 16, 19};
    const int64_t code = dtype == DType::kF64    ? kCodes[0]
                         : dtype == DType::kF16  ? kCodes[1]
                         : dtype == DType::kBF16 ? kCodes[2]
                                                 : kCodes[3];
    const Tensor y = run_op("Cast", {x}, {{"to", code}, {"saturate", int64_t{0}}})[0];
    EXPECT_EQ(y.dtype(), dtype);
    EXPECT_EQ(bits(run_op("IsNaN", {y})[0]), (std::vector<int>{0, 1, 0, 0}));
    EXPECT_EQ(bits(run_op("IsInf", {y})[0]), (std::vector<int>{0, 0, 1, 1}));
  }
}

}  // namespace
}  // namespace neural_engine
