#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/half.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

using testing::run_op;
using testing::values;

TEST(CumSum, ExclusiveAndReverse) {
  const Tensor x = Tensor::of<float>({4}, {1, 2, 3, 4}), axis = Tensor::scalar<int32_t>(0);
  const Attrs exclusive = {{"exclusive", int64_t{1}}}, reverse = {{"reverse", int64_t{1}}};
  EXPECT_EQ(values<float>(run_op("CumSum", {x, axis})[0]), (std::vector<float>{1, 3, 6, 10}));
  EXPECT_EQ(values<float>(run_op("CumSum", {x, axis}, exclusive)[0]), (std::vector<float>{0, 1, 3, 6}));
  EXPECT_EQ(values<float>(run_op("CumSum", {x, axis}, reverse)[0]), (std::vector<float>{10, 9, 7, 4}));
  EXPECT_EQ(values<float>(run_op("CumSum", {x, axis}, {{"exclusive", int64_t{1}}, {"reverse", int64_t{1}}})[0]),
            (std::vector<float>{9, 7, 4, 0}));
}

TEST(CumSum, AnyAxisAndIntegers) {
  const Tensor x = Tensor::of<int64_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(values<int64_t>(run_op("CumSum", {x, Tensor::scalar<int64_t>(0)})[0]),
            (std::vector<int64_t>{1, 2, 3, 5, 7, 9}));
  EXPECT_EQ(values<int64_t>(run_op("CumSum", {x, Tensor::of<int64_t>({1}, {-1})})[0]),
            (std::vector<int64_t>{1, 3, 6, 4, 9, 15}));
  EXPECT_THROW(run_op("CumSum", {x, Tensor::scalar<int64_t>(2)}), Error);
  EXPECT_THROW(run_op("CumSum", {x, Tensor::of<int64_t>({2}, {0, 1})}), Error);
}

TEST(TopK, LargestAndSmallestAlongAnyAxis) {
  const Tensor x = Tensor::of<float>({2, 3}, {3, 1, 2, 5, 5, 4}), k = Tensor::of<int64_t>({1}, {2});
  std::vector<Tensor> y = run_op("TopK", {x, k}, {}, 2);
  EXPECT_EQ(values<float>(y[0]), (std::vector<float>{3, 2, 5, 5}));
  EXPECT_EQ(values<int64_t>(y[1]), (std::vector<int64_t>{0, 2, 0, 1}));
  y = run_op("TopK", {x, Tensor::of<int64_t>({1}, {1})}, {{"axis", int64_t{0}}, {"largest", int64_t{0}}}, 2);
  EXPECT_EQ(y[0].shape(), (Shape{1, 3}));
  EXPECT_EQ(values<float>(y[0]), (std::vector<float>{3, 1, 2}));
  EXPECT_EQ(values<int64_t>(y[1]), (std::vector<int64_t>{0, 0, 0}));
}

TEST(TopK, OrdersNaNAndRefusesTooMany) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = Tensor::of<float>({4}, {1, nan, 3, nan});
  EXPECT_EQ(values<int64_t>(run_op("TopK", {x, Tensor::of<int64_t>({1}, {4})}, {}, 2)[1]),
            (std::vector<int64_t>{1, 3, 2, 0}));
  EXPECT_EQ(values<int64_t>(run_op("TopK", {x, Tensor::of<int64_t>({1}, {4})}, {{"largest", int64_t{0}}}, 2)[1]),
            (std::vector<int64_t>{0, 2, 1, 3}));
  EXPECT_THROW(run_op("TopK", {x, Tensor::of<int64_t>({1}, {5})}, {}, 2), Error);
  EXPECT_THROW(run_op("TopK", {x, Tensor::of<int64_t>({1}, {-1})}, {}, 2), Error);
  EXPECT_EQ(run_op("TopK", {x, Tensor::of<int64_t>({1}, {0})}, {}, 2)[0].shape(), (Shape{0}));
}

TEST(Hardmax, MarksTheFirstMaximum) {
  const Tensor x = Tensor::of<float>({2, 3}, {1, 4, 4, 9, 0, 1});
  EXPECT_EQ(values<float>(run_op("Hardmax", {x})[0]), (std::vector<float>{0, 1, 0, 1, 0, 0}));
  EXPECT_EQ(values<float>(run_op("Hardmax", {x}, {{"axis", int64_t{0}}})[0]), (std::vector<float>{0, 1, 1, 1, 0, 0}));
  const Tensor half = Tensor::of<Half>({2}, {Half(1.0f), Half(2.0f)});
  EXPECT_EQ(static_cast<float>(run_op("Hardmax", {half})[0].data<Half>()[1]), 1.0f);
}

TEST(Trilu, KeepsATriangleForAnyK) {
  const Tensor x = Tensor::of<int16_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto tri = [&](int64_t upper, int64_t k) {
    return values<int16_t>(run_op("Trilu", {x, Tensor::scalar(k)}, {{"upper", upper}})[0]);
  };
  using V = std::vector<int16_t>;
  EXPECT_EQ(values<int16_t>(run_op("Trilu", {x})[0]), (V{1, 2, 3, 0, 5, 6}));
  EXPECT_EQ(tri(1, 1), (V{0, 2, 3, 0, 0, 6}));
  EXPECT_EQ(tri(1, -1), (V{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(tri(0, 0), (V{1, 0, 0, 4, 5, 0}));
  EXPECT_EQ(tri(0, -1), (V{0, 0, 0, 4, 0, 0}));
  EXPECT_EQ(tri(0, 1), (V{1, 2, 0, 4, 5, 6}));
  EXPECT_EQ(tri(1, INT64_MAX), V(6, 0));
  EXPECT_EQ(tri(0, INT64_MAX), (V{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(tri(1, INT64_MIN), (V{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(tri(0, INT64_MIN), V(6, 0));
  EXPECT_THROW(run_op("Trilu", {Tensor::of<float>({2}, {1, 2})}), Error);
}

TEST(Det, OfBatchesWithPivoting) {
  EXPECT_FLOAT_EQ(run_op("Det", {Tensor::of<float>({2, 2}, {0, 1, 2, 3})})[0].data<float>()[0], -2);
  const Tensor batch = Tensor::of<float>({3, 2, 2}, {1, 2, 3, 4, 1, 2, 2, 1, 1, 2, 2, 4});
  const Tensor y = run_op("Det", {batch})[0];
  EXPECT_EQ(y.shape(), (Shape{3}));
  EXPECT_FLOAT_EQ(y.data<float>()[0], -2);
  EXPECT_FLOAT_EQ(y.data<float>()[1], -3);
  EXPECT_FLOAT_EQ(y.data<float>()[2], 0);
  EXPECT_THROW(run_op("Det", {Tensor::of<float>({1, 2}, {1, 2})}), Error);
}

}  // namespace
}  // namespace neural_engine
