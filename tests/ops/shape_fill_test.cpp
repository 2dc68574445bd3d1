#include <gtest/gtest.h>

#include <cmath>

#include "op_tester.h"

namespace neural_engine::testing {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

Tensor ints(const Ints& data) { return Tensor::of<int64_t>({static_cast<int64_t>(data.size())}, data); }
Tensor floats(Shape shape, const Floats& data) { return Tensor::of<float>(std::move(shape), data); }

void expect_error(std::string_view op, const std::vector<Tensor>& inputs, const Attrs& attrs, Code code,
                  const std::string& part) {
  try {
    run_op(op, inputs, attrs);
    ADD_FAILURE() << op << " accepted what it should refuse: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(ConstantOfShape, FillsWithTheValue) {
  const Tensor zeros = run_op("ConstantOfShape", {ints({2, 3})})[0];
  EXPECT_EQ(zeros.dtype(), DType::kF32);
  EXPECT_EQ(values<float>(zeros), Floats(6, 0.0f));
  const Tensor sevens = run_op("ConstantOfShape", {ints({10000})}, {{"value", Tensor::of<int64_t>({1}, {7})}})[0];
  EXPECT_EQ(values<int64_t>(sevens), Ints(10000, 7));
  EXPECT_EQ(run_op("ConstantOfShape", {ints({})})[0].shape(), Shape{});
  EXPECT_EQ(run_op("ConstantOfShape", {ints({2, 0})})[0].shape(), (Shape{2, 0}));
  const Tensor flags = run_op("ConstantOfShape", {ints({3})}, {{"value", Tensor::of<bool>({1}, {true})}})[0];
  EXPECT_EQ(values<bool>(flags), (std::vector<bool>{true, true, true}));
  expect_error("ConstantOfShape", {ints({-1})}, {}, Code::kInvalidModel, "negative");
  expect_error("ConstantOfShape", {ints({1})}, {{"value", floats({2}, {1, 2})}}, Code::kInvalidModel, "one element");
  expect_error("ConstantOfShape", {ints({INT64_MAX / 2, 16})}, {}, Code::kInvalidArgument, "overflows");
}

TEST(Range, IntegersAndFloats) {
  const auto range = [](auto start, auto limit, auto delta) {
    return run_op("Range", {Tensor::scalar(start), Tensor::scalar(limit), Tensor::scalar(delta)})[0];
  };
  EXPECT_EQ(values<int32_t>(range(10, 4, -2)), (std::vector<int32_t>{10, 8, 6}));
  EXPECT_EQ(values<int32_t>(range(4, 10, -2)), std::vector<int32_t>{});
  EXPECT_EQ(values<int16_t>(range(int16_t{0}, int16_t{5}, int16_t{2})), (std::vector<int16_t>{0, 2, 4}));
  EXPECT_EQ(values<float>(range(1.0f, 2.0f, 0.25f)), (Floats{1, 1.25f, 1.5f, 1.75f}));
  EXPECT_EQ(values<int64_t>(range(INT64_MIN, INT64_MAX, INT64_MAX)), (Ints{INT64_MIN, -1, INT64_MAX - 1}));
  const auto refuse = [](auto start, auto limit, auto delta, Code code, const std::string& part) {
    expect_error("Range", {Tensor::scalar(start), Tensor::scalar(limit), Tensor::scalar(delta)}, {}, code, part);
  };
  refuse(0, 1, 0, Code::kInvalidModel, "delta is 0");
  refuse(0.0f, 1.0f, 0.0f, Code::kInvalidModel, "finite");
  refuse(0.0f, std::nanf(""), 1.0f, Code::kInvalidModel, "finite");
  refuse(uint8_t{0}, uint8_t{1}, uint8_t{1}, Code::kUnsupported, "u8");
}

TEST(Pad, ConstantWithCrops) {
  const Tensor x = floats({2, 2}, {1, 2, 3, 4});
  const Tensor y = run_op("Pad", {x, ints({0, 1, 1, 0}), Tensor::scalar(9.0f)})[0];
  EXPECT_EQ(y.shape(), (Shape{3, 3}));
  EXPECT_EQ(values<float>(y), (Floats{9, 1, 2, 9, 3, 4, 9, 9, 9}));
  EXPECT_EQ(values<float>(run_op("Pad", {x, ints({-1, 1, 0, -1})})[0]), (Floats{0, 3}));
  EXPECT_EQ(values<float>(run_op("Pad", {x, ints({1, 0}), Tensor(), ints({-1})})[0]), (Floats{0, 1, 2, 0, 3, 4}));
  EXPECT_EQ(run_op("Pad", {floats({0}, {}), ints({1, 1})})[0].elems(), 2);
  EXPECT_EQ(values<float>(run_op("Pad", {floats({3}, {1, 2, 3}), ints({-5, 7})})[0]), (Floats(5, 0.0f)));
}

TEST(Pad, RepeatingModes) {
  const Tensor x = floats({4}, {1, 2, 3, 4});
  const auto pad = [&](const char* mode, const Ints& pads) {
    return values<float>(run_op("Pad", {x, ints(pads)}, {{"mode", mode}})[0]);
  };
  EXPECT_EQ(pad("reflect", {2, 3}), (Floats{3, 2, 1, 2, 3, 4, 3, 2, 1}));
  EXPECT_EQ(pad("reflect", {7, 0}), (Floats{2, 1, 2, 3, 4, 3, 2, 1, 2, 3, 4}));
  EXPECT_EQ(pad("edge", {2, 1}), (Floats{1, 1, 1, 2, 3, 4, 4}));
  EXPECT_EQ(pad("wrap", {3, 2}), (Floats{2, 3, 4, 1, 2, 3, 4, 1, 2}));
  EXPECT_EQ(pad("reflect", {-1, 2}), (Floats{2, 3, 4, 3, 2}));
  EXPECT_EQ(pad("edge", {1, -2}), (Floats{1, 1, 2}));
  const Tensor square = floats({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(values<float>(run_op("Pad", {square, ints({1, 1, 0, 1})}, {{"mode", "reflect"}})[0]),
            (Floats{4, 3, 4, 3, 2, 1, 2, 1, 4, 3, 4, 3}));
}

TEST(Pad, Refuses) {
  const Tensor x = floats({2}, {1, 2});
  expect_error("Pad", {x, ints({1})}, {}, Code::kInvalidModel, "1 pads");
  expect_error("Pad", {x, ints({-2, -1})}, {}, Code::kInvalidModel, "remove more");
  expect_error("Pad", {x, ints({1, 1})}, {{"mode", "mirror"}}, Code::kUnsupported, "mirror");
  expect_error("Pad", {floats({0}, {}), ints({1, 0})}, {{"mode", "edge"}}, Code::kInvalidModel, "cannot pad");
  expect_error("Pad", {x, ints({1, 1}), Tensor::scalar<int64_t>(1)}, {}, Code::kInvalidModel, "dtype");
}

TEST(CenterCropPad, CropsAndPads) {
  const Tensor x = floats({4, 1}, {1, 2, 3, 4});
  const Tensor y = run_op("CenterCropPad", {x, ints({1, 4})})[0];
  EXPECT_EQ(y.shape(), (Shape{1, 4}));
  EXPECT_EQ(values<float>(y), (Floats{0, 2, 0, 0}));
  EXPECT_EQ(values<float>(run_op("CenterCropPad", {x, ints({7})}, {{"axes", Ints{-2}}})[0]),
            (Floats{0, 1, 2, 3, 4, 0, 0}));
  expect_error("CenterCropPad", {x, ints({1})}, {}, Code::kInvalidModel, "2 axes");
  expect_error("CenterCropPad", {x, ints({1, -1})}, {}, Code::kInvalidModel, "negative");
}

TEST(Col2Im, SumsOverlappingBlocks) {
  // 1 x 3 image, 1 x 2 blocks: the middle pixel is in both.
  const Tensor x = floats({1, 2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(values<float>(run_op("Col2Im", {x, ints({1, 3}), ints({1, 2})})[0]), (Floats{1, 5, 4}));
  expect_error("Col2Im", {x, ints({1, 4}), ints({1, 2})}, {}, Code::kInvalidModel, "expected 3 blocks");
  expect_error("Col2Im", {x, ints({1, 3}), ints({1, 3})}, {}, Code::kInvalidModel, "multiple of 3");
  expect_error("Col2Im", {x, ints({1, 1}), ints({1, 2})}, {}, Code::kInvalidModel, "does not fit");
  expect_error("Col2Im", {x, ints({1, 3}), ints({1, 2})}, {{"strides", Ints{0, 1}}}, Code::kInvalidModel, "strides");
}

}  // namespace
}  // namespace neural_engine::testing
