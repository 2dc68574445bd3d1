#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "op_tester.h"

namespace neural_engine::testing {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

Tensor ints(const Ints& data) { return Tensor::of<int64_t>({static_cast<int64_t>(data.size())}, data); }
Tensor floats(Shape shape, const Floats& data) { return Tensor::of<float>(std::move(shape), data); }
Tensor row(const Floats& data) { return floats({static_cast<int64_t>(data.size())}, data); }

void expect_near(const Tensor& found, const Floats& expected, float tolerance = 1e-5f) {
  const Floats data = values<float>(found);
  ASSERT_EQ(data.size(), expected.size());
  for (size_t i = 0; i < data.size(); ++i) EXPECT_NEAR(data[i], expected[i], tolerance) << "at " << i;
}

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

Tensor resize(const Tensor& x, const Floats& scales, const Attrs& attrs) {
  return run_op("Resize", {x, Tensor(), row(scales)}, attrs)[0];
}

TEST(Resize, NearestModes) {
  const Tensor x = row({1, 2, 3, 4});
  const auto nearest = [&](const char* mode) {
    return values<float>(resize(x, {0.5f}, {{"nearest_mode", mode}, {"coordinate_transformation_mode", "half_pixel"}}));
  };
  // Coordinates 0.5 and 2.5.
  EXPECT_EQ(nearest("round_prefer_floor"), (Floats{1, 3}));
  EXPECT_EQ(nearest("round_prefer_ceil"), (Floats{2, 4}));
  EXPECT_EQ(nearest("floor"), (Floats{1, 3}));
  EXPECT_EQ(nearest("ceil"), (Floats{2, 4}));
  EXPECT_EQ(values<float>(resize(x, {2}, {})), (Floats{1, 1, 2, 2, 3, 3, 4, 4}));
  const Tensor bytes = Tensor::of<uint8_t>({2}, {7, 9});
  EXPECT_EQ(values<uint8_t>(resize(bytes, {2}, {})), (std::vector<uint8_t>{7, 7, 9, 9}));
}

TEST(Resize, LinearCoordinates) {
  const Tensor x = row({0, 10});
  const auto linear = [&](const char* mode) {
    return resize(x, {2}, {{"mode", "linear"}, {"coordinate_transformation_mode", mode}});
  };
  expect_near(linear("half_pixel"), {0, 2.5f, 7.5f, 10});
  expect_near(linear("align_corners"), {0, 10.0f / 3, 20.0f / 3, 10});
  expect_near(linear("asymmetric"), {0, 5, 10, 10});
  expect_near(resize(row({0, 10, 20, 30}), {0.25f},
                     {{"mode", "linear"}, {"coordinate_transformation_mode", "pytorch_half_pixel"}}),
              {0});
}

TEST(Resize, CubicAndExcludeOutside) {
  const Tensor x = row({1, 2, 3, 4});
  // At 0.25 from pixel 0 with a = -0.75: the border repeats, or is left out and the rest renormalised.
  const Floats w = {-0.10546875f, 0.87890625f, 0.26171875f, -0.03515625f};
  const Tensor y = resize(x, {2}, {{"mode", "cubic"}});
  EXPECT_NEAR(values<float>(y)[1], w[0] * 1 + w[1] * 1 + w[2] * 2 + w[3] * 3, 1e-5f);
  const Tensor z = resize(x, {2}, {{"mode", "cubic"}, {"exclude_outside", int64_t{1}}});
  EXPECT_NEAR(values<float>(z)[1], (w[1] * 1 + w[2] * 2 + w[3] * 3) / (w[1] + w[2] + w[3]), 1e-5f);
}

TEST(Resize, AntialiasAveragesWhenShrinking) {
  const Tensor x = row({0, 8, 0, 8});
  const Tensor y = resize(x, {0.5f}, {{"mode", "linear"}, {"antialias", int64_t{1}}});
  expect_near(
      y, {(0.75f * 0 + 0.75f * 8 + 0.25f * 0 + 0.25f * 0) / 2, (0.25f * 8 + 0.75f * 0 + 0.75f * 8 + 0.25f * 8) / 2});
}

TEST(Resize, SizesPoliciesAndAxes) {
  const Tensor x = floats({1, 2, 4}, {0, 1, 2, 3, 4, 5, 6, 7});
  const auto sized = [&](const char* policy) {
    return run_op("Resize", {x, Tensor(), Tensor(), ints({4, 4})},
                  {{"axes", Ints{1, 2}}, {"keep_aspect_ratio_policy", policy}})[0]
        .shape();
  };
  EXPECT_EQ(sized("stretch"), (Shape{1, 4, 4}));
  EXPECT_EQ(sized("not_larger"), (Shape{1, 2, 4}));
  EXPECT_EQ(sized("not_smaller"), (Shape{1, 4, 8}));
  const Tensor same = run_op("Resize", {x, Tensor(), row({1, 1, 1})}, {{"mode", "cubic"}})[0];
  EXPECT_EQ(values<float>(same), values<float>(x));
  // Opset 11 gives what it does not use as empty tensors.
  EXPECT_EQ(run_op("Resize", {x, row({}), row({}), ints({1, 2, 2})})[0].shape(), (Shape{1, 2, 2}));
}

TEST(Resize, CropExtrapolates) {
  const Tensor y = run_op(
      "Resize", {row({0, 1, 2, 3}), row({0, 2}), Tensor(), ints({3})},
      {{"mode", "linear"}, {"coordinate_transformation_mode", "tf_crop_and_resize"}, {"extrapolation_value", 9.0f}})[0];
  expect_near(y, {0, 3, 9});
}

TEST(Resize, IntegersTruncateAndSaturate) {
  const Tensor x = Tensor::of<uint8_t>({2}, {0, 255});
  const std::vector<uint8_t> y = values<uint8_t>(resize(x, {2}, {{"mode", "linear"}}));
  EXPECT_EQ(y, (std::vector<uint8_t>{0, 63, 191, 255}));
  const std::vector<uint8_t> z =
      values<uint8_t>(resize(Tensor::of<uint8_t>({4}, {0, 0, 255, 255}), {2}, {{"mode", "cubic"}}));
  EXPECT_EQ(z[2], 0);
  EXPECT_EQ(z[5], 255);
}

TEST(Resize, Refuses) {
  const Tensor x = row({1, 2});
  expect_error("Resize", {x}, {}, Code::kInvalidModel, "neither");
  expect_error("Resize", {x, Tensor(), row({2}), ints({4})}, {}, Code::kInvalidModel, "both");
  expect_error("Resize", {x, Tensor(), row({0})}, {}, Code::kInvalidModel, "a scale is 0");
  expect_error("Resize", {x, Tensor(), row({1, 2})}, {}, Code::kInvalidModel, "2 scales");
  expect_error("Resize", {x, Tensor(), row({2})}, {{"mode", "area"}}, Code::kUnsupported, "area");
  expect_error("Resize", {x, Tensor(), Tensor(), ints({-4})}, {}, Code::kInvalidModel, "length is -4");
  expect_error("Resize", {row({}), Tensor(), Tensor(), ints({4})}, {}, Code::kInvalidModel, "empty axis");
  expect_error("Resize", {Tensor::of<bool>({1}, {true}), Tensor(), row({2})}, {{"mode", "linear"}}, Code::kUnsupported,
               "bool");
}

TEST(GridSample, ModesAndPadding) {
  const Tensor x = floats({1, 1, 2, 2}, {0, 1, 2, 3});
  const Tensor grid = floats({1, 1, 3, 2}, {0, 0, -1, -1, 3, 0});
  const auto sample = [&](const char* mode, const char* padding) {
    return run_op("GridSample", {x, grid}, {{"mode", mode}, {"padding_mode", padding}})[0];
  };
  expect_near(sample("linear", "zeros"), {1.5f, 0, 0});
  expect_near(sample("linear", "border"), {1.5f, 0, 2});
  expect_near(sample("linear", "reflection"), {1.5f, 0, 1});
  EXPECT_EQ(sample("cubic", "zeros").shape(), (Shape{1, 1, 1, 3}));
  expect_near(
      run_op("GridSample", {x, floats({1, 1, 1, 2}, {1, -1})}, {{"align_corners", int64_t{1}}, {"mode", "nearest"}})[0],
      {1});
  const Tensor nan =
      run_op("GridSample", {x, floats({1, 1, 1, 2}, {NAN, INFINITY})}, {{"padding_mode", "reflection"}})[0];
  EXPECT_TRUE(std::isfinite(values<float>(nan)[0]));
  expect_error("GridSample", {x, floats({1, 1, 1, 3}, {0, 0, 0})}, {}, Code::kInvalidModel, "2 coordinates");
  expect_error("GridSample", {x, grid}, {{"padding_mode", "wrap"}}, Code::kUnsupported, "wrap");
}

TEST(AffineGrid, IdentityGivesPixelCentres) {
  const Tensor theta = floats({1, 2, 3}, {1, 0, 0, 0, 1, 0});
  expect_near(run_op("AffineGrid", {theta, ints({1, 1, 2, 2})})[0],
              {-0.5f, -0.5f, 0.5f, -0.5f, -0.5f, 0.5f, 0.5f, 0.5f});
  expect_near(run_op("AffineGrid", {theta, ints({1, 1, 1, 2})}, {{"align_corners", int64_t{1}}})[0], {-1, -1, 1, -1});
  expect_error("AffineGrid", {theta, ints({1, 1, 2})}, {}, Code::kInvalidModel, "3 elements");
  expect_error("AffineGrid", {theta, ints({2, 1, 2, 2})}, {}, Code::kInvalidModel, "differ: 2 and 1");
}

TEST(RoiAlign, AveragesAndMaximum) {
  Tensor x(DType::kF32, {1, 1, 4, 4});
  std::iota(x.data<float>(), x.data<float>() + 16, 0.0f);
  const Tensor roi = floats({1, 4}, {0, 0, 4, 4}), batch = ints({0});
  const Attrs two = {{"output_height", int64_t{2}}, {"output_width", int64_t{2}}, {"sampling_ratio", int64_t{2}}};
  expect_near(run_op("RoiAlign", {x, roi, batch}, two)[0], {2.5f, 4.5f, 10.5f, 12.5f});
  Attrs one = {
      {"mode", "max"}, {"sampling_ratio", int64_t{1}}, {"coordinate_transformation_mode", "output_half_pixel"}};
  expect_near(run_op("RoiAlign", {x, roi, batch}, one)[0], {10});
  expect_error("RoiAlign", {x, roi, ints({1})}, {}, Code::kInvalidData, "batch index 1");
  expect_error("RoiAlign", {x, floats({1, 4}, {0, 0, 1e30f, 1}), batch}, {}, Code::kInvalidData, "cannot be sampled");
  expect_error("RoiAlign", {x, floats({1, 4}, {0, 0, 9e4f, 9e4f}), batch}, {}, Code::kUnsupported, "samples per bin");
}

TEST(MaxRoiPool, PoolsWholePixels) {
  Tensor x(DType::kF32, {1, 1, 4, 4});
  std::iota(x.data<float>(), x.data<float>() + 16, 0.0f);
  const Attrs two = {{"pooled_shape", Ints{2, 2}}};
  expect_near(run_op("MaxRoiPool", {x, floats({1, 5}, {0, 0, 0, 3, 3})}, two)[0], {5, 7, 13, 15});
  expect_near(run_op("MaxRoiPool", {x, floats({1, 5}, {0, 10, 10, 12, 12})}, two)[0], {0, 0, 0, 0});
  expect_error("MaxRoiPool", {x, floats({1, 5}, {2, 0, 0, 1, 1})}, two, Code::kInvalidData, "batch index 2");
  expect_error("MaxRoiPool", {x, floats({1, 5}, {0, NAN, 0, 1, 1})}, two, Code::kInvalidData, "nan");
}

TEST(MaxUnpool, PutsBackAndChecksIndices) {
  const Tensor x = floats({1, 1, 2}, {5, 6});
  const Attrs attrs = {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}};
  expect_near(run_op("MaxUnpool", {x, Tensor::of<int64_t>({1, 1, 2}, {1, 2})}, attrs)[0], {0, 5, 6, 0});
  expect_near(run_op("MaxUnpool", {x, Tensor::of<int64_t>({1, 1, 2}, {1, 2}), ints({1, 1, 5})}, attrs)[0],
              {0, 5, 6, 0, 0});
  expect_error("MaxUnpool", {x, Tensor::of<int64_t>({1, 1, 2}, {1, 4})}, attrs, Code::kInvalidData, "index 4");
  expect_error("MaxUnpool", {x, Tensor::of<int64_t>({1, 1, 2}, {1, 2}), ints({1, 1, 3})}, attrs, Code::kInvalidModel,
               "smaller");
}

}  // namespace
}  // namespace neural_engine::testing
