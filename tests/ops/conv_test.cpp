#include <gtest/gtest.h>

#include "ir/infer.h"
#include "op_tester.h"
#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::doubles;
using testing::error_of;
using testing::expect_near;
using testing::random_tensor;
using testing::run_op;
using testing::values;

using Ints = std::vector<int64_t>;

double tolerance(DType dtype) {
  return dtype == DType::kBF16 ? 0.03 : dtype == DType::kF16 ? 4e-3 : dtype == DType::kF32 ? 1e-5 : 1e-12;
}

struct Geometry {
  int64_t groups = 1, stride = 1, dilation = 1, begin = 0, end = 0;
};

// One spatial axis more or less is the same sum: images are given as [N,C,H,W], with H = 1 for one axis.
std::vector<double> conv2d(const Tensor& x, const Tensor& w, const Tensor& bias, const Geometry& h, const Geometry& v) {
  const Shape xs = x.shape(), ws = w.shape();
  const int64_t out_h = (xs[2] + h.begin + h.end - (ws[2] - 1) * h.dilation - 1) / h.stride + 1;
  const int64_t out_w = (xs[3] + v.begin + v.end - (ws[3] - 1) * v.dilation - 1) / v.stride + 1;
  const std::vector<double> xd = doubles(x), wd = doubles(w), bd = doubles(bias);
  std::vector<double> out;
  for (int64_t n = 0; n < xs[0]; ++n) {
    for (int64_t m = 0; m < ws[0]; ++m) {
      for (int64_t o = 0; o < out_h * out_w; ++o) {
        double sum = bd[static_cast<size_t>(m)];
        for (int64_t t = 0; t < ws[1] * ws[2] * ws[3]; ++t) {
          const int64_t c = t / (ws[2] * ws[3]) + m / (ws[0] / h.groups) * ws[1];
          const int64_t y = o / out_w * h.stride - h.begin + t / ws[3] % ws[2] * h.dilation;
          const int64_t z = o % out_w * v.stride - v.begin + t % ws[3] * v.dilation;
          if (y < 0 || y >= xs[2] || z < 0 || z >= xs[3]) continue;
          sum += xd[static_cast<size_t>(((n * xs[1] + c) * xs[2] + y) * xs[3] + z)] *
                 wd[static_cast<size_t>(m * ws[1] * ws[2] * ws[3] + t)];
        }
        out.push_back(sum);
      }
    }
  }
  return out;
}

Attrs attrs_of(const Geometry& h, const Geometry& v) {
  return {{"group", h.groups},
          {"strides", Ints{h.stride, v.stride}},
          {"dilations", Ints{h.dilation, v.dilation}},
          {"pads", Ints{h.begin, v.begin, h.end, v.end}}};
}

TEST(Conv, AgreesWithTheSumInTwoDimensions) {
  struct Case {
    Shape x, w;
    Geometry h, v;
  };
  const Case cases[] = {
      {{2, 3, 7, 9}, {4, 3, 3, 3}, {}, {}},
      {{1, 3, 7, 9}, {4, 3, 3, 2}, {1, 2, 1, 1, 1}, {1, 1, 2, 0, 2}},
      {{2, 4, 6, 5}, {6, 2, 3, 3}, {2, 1, 2, 2, 1}, {2, 3, 1, 1, 1}},
      {{2, 4, 5, 5}, {4, 1, 3, 3}, {4, 1, 1, 1, 1}, {4, 1, 1, 1, 1}},      // depthwise
      {{2, 8, 4, 5}, {3, 8, 1, 1}, {}, {}},                                // the image is the matrix
      {{1, 16, 40, 60}, {8, 16, 3, 3}, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}},  // more columns than one block
  };
  for (const Case& each : cases) {
    for (const DType dtype : {DType::kF32, DType::kF64, DType::kF16}) {
      const Tensor x = random_tensor(each.x, 1, dtype), w = random_tensor(each.w, 2, dtype);
      const Tensor bias = random_tensor({each.w[0]}, 3, dtype);
      expect_near(run_op("Conv", {x, w, bias}, attrs_of(each.h, each.v))[0], conv2d(x, w, bias, each.h, each.v),
                  tolerance(dtype), tolerance(dtype));
    }
  }
}

TEST(Conv, HonoursOneAndThreeDimensions) {
  const Geometry padded{.stride = 2, .begin = 1, .end = 1};
  const Tensor x = random_tensor({2, 5, 20}, 1), w = random_tensor({4, 5, 3}, 2), bias = random_tensor({4}, 3);
  const Tensor found = run_op("Conv", {x, w, bias}, {{"strides", Ints{2}}, {"pads", Ints{1, 1}}})[0];
  expect_near(found, conv2d(x.reshaped({2, 5, 1, 20}), w.reshaped({4, 5, 1, 3}), bias, {}, padded));
  // A window of one plane: the same as two dimensions of each plane.
  const Tensor volume = random_tensor({1, 2, 3, 4, 5}, 4), flat = random_tensor({3, 2, 1, 2, 2}, 5);
  const Tensor planes = run_op("Conv", {volume, flat})[0];
  EXPECT_EQ(planes.shape(), (Shape{1, 3, 3, 3, 4}));
  const Tensor merged = run_op("Conv", {volume.reshaped({1, 2, 12, 5}), flat.reshaped({3, 2, 2, 2})})[0];
  for (int64_t m = 0; m < 3; ++m) {
    for (int64_t z = 0; z < 3; ++z) {
      for (int64_t i = 0; i < 12; ++i) {
        EXPECT_NEAR(planes.data<float>()[(m * 3 + z) * 12 + i], merged.data<float>()[m * 44 + z * 16 + i], 1e-5);
      }
    }
  }
}

TEST(Conv, PadsAutomatically) {
  const Tensor x = random_tensor({1, 1, 5, 6}, 1), w = random_tensor({1, 1, 4, 4}, 2),
               bias = Tensor::of<float>({1}, {0});
  for (const char* mode : {"SAME_UPPER", "SAME_LOWER", "VALID"}) {
    const Tensor found = run_op("Conv", {x, w, bias}, {{"auto_pad", std::string(mode)}, {"strides", Ints{2, 2}}})[0];
    Geometry h{.stride = 2}, v{.stride = 2};
    if (mode[0] == 'S') {
      // Height 5: 3 outputs need 8 rows, 3 of padding; width 6: 3 need 8, 2 of padding.
      h.begin = mode[5] == 'U' ? 1 : 2;
      h.end = 3 - h.begin;
      v.begin = v.end = 1;
    }
    expect_near(found, conv2d(x, w, bias, h, v));
  }
}

TEST(Conv, InfersSymbolicShapesAndRefusesBadOnes) {
  Graph graph;
  const Dim width = Dim::symbol("width");
  const ValueId x = graph.add_input("x", DType::kF32, SymShape{Dim::symbol("n"), 2, width});
  const ValueId w = graph.add_constant(random_tensor({4, 2, 3}, 1));
  const NodeId same = graph.add_node(op_def("Conv"), {x, w}, {{"pads", Ints{1, 1}}});
  const NodeId half = graph.add_node(op_def("Conv"), {x, w}, {{"pads", Ints{1, 1}}, {"strides", Ints{2}}});
  infer_graph(graph);
  EXPECT_EQ(to_string(*graph.value(graph.node(same).outputs[0]).facts.shape), "[n,4,width]");
  EXPECT_EQ((*graph.value(graph.node(half).outputs[0]).facts.shape)[2], (width - Dim(1)) / Dim(2) + Dim(1));
  const auto message = [](const Shape& image, const Shape& weight, Attrs attrs) {
    return error_of([&] { run_op("Conv", {random_tensor(image, 1), random_tensor(weight, 2)}, std::move(attrs)); });
  };
  EXPECT_NE(message({1, 3, 5}, {4, 2, 3}, {}).find("number of channels is 3, expected 2"), std::string::npos);
  EXPECT_NE(message({1, 2, 5}, {4, 2, 7}, {}).find("does not fit"), std::string::npos);
  EXPECT_NE(message({1, 2, 5}, {4, 2, 3}, {{"strides", Ints{0}}}).find("strides has the element 0"), std::string::npos);
  EXPECT_NE(message({1, 2, 5}, {4, 2, 3}, {{"pads", Ints{1}}}).find("pads has 1 elements, expected 2"),
            std::string::npos);
  EXPECT_NE(message({1, 2, 5}, {4, 2, 3}, {{"kernel_shape", Ints{2}}}).find("kernel_shape has 2"), std::string::npos);
  EXPECT_NE(message({1, 2, 5}, {4, 2, 3}, {{"auto_pad", std::string("SAME")}}).find("auto_pad is \"SAME\""),
            std::string::npos);
  EXPECT_NE(message({1, 2}, {4, 2, 3}, {}).find("rank of at least 3"), std::string::npos);
}

TEST(ConvTranspose, ScattersEachInput) {
  const int64_t in = 5, taps = 3, stride = 2, dilation = 2, begin = 1, end = 2, extra = 1;
  const Tensor x = random_tensor({2, 4, in}, 1), w = random_tensor({4, 3, taps}, 2), bias = random_tensor({6}, 3);
  const Tensor found = run_op("ConvTranspose", {x, w, bias},
                              {{"group", int64_t{2}},
                               {"strides", Ints{stride}},
                               {"dilations", Ints{dilation}},
                               {"pads", Ints{begin, end}},
                               {"output_padding", Ints{extra}}})[0];
  const int64_t out = stride * (in - 1) + extra + (taps - 1) * dilation + 1 - begin - end;
  ASSERT_EQ(found.shape(), (Shape{2, 6, out}));
  std::vector<double> expected(static_cast<size_t>(2 * 6 * out));
  for (int64_t i = 0; i < 2 * 6 * out; ++i)
    expected[static_cast<size_t>(i)] = doubles(bias)[static_cast<size_t>(i / out % 6)];
  for (int64_t n = 0; n < 2; ++n) {
    for (int64_t c = 0; c < 4; ++c) {
      for (int64_t m = 0; m < 3; ++m) {
        for (int64_t i = 0; i < in * taps; ++i) {
          const int64_t at = i / taps * stride + i % taps * dilation - begin;
          if (at < 0 || at >= out) continue;
          expected[static_cast<size_t>((n * 6 + c / 2 * 3 + m) * out + at)] +=
              doubles(x)[static_cast<size_t>((n * 4 + c) * in + i / taps)] *
              doubles(w)[static_cast<size_t>((c * 3 + m) * taps + i % taps)];
        }
      }
    }
  }
  expect_near(found, expected);
}

TEST(ConvTranspose, FindsThePaddingOfAGivenOutput) {
  const Tensor x = Tensor::of<float>({1, 1, 2}, {1, 10}), w = Tensor::of<float>({1, 1, 3}, {1, 2, 3});
  // The whole is 1 2 13 20 30 with stride 2; two are dropped for 3 outputs.
  const auto out = [&](Attrs attrs) {
    attrs.set("strides", Ints{2});
    return values<float>(run_op("ConvTranspose", {x, w}, attrs)[0]);
  };
  EXPECT_EQ(out({}), (std::vector<float>{1, 2, 13, 20, 30}));
  EXPECT_EQ(out({{"output_shape", Ints{3}}}), (std::vector<float>{2, 13, 20}));
  EXPECT_EQ(out({{"auto_pad", std::string("SAME_UPPER")}}), (std::vector<float>{1, 2, 13, 20}));
  EXPECT_EQ(out({{"auto_pad", std::string("SAME_LOWER")}}), (std::vector<float>{2, 13, 20, 30}));
}

TEST(DeformConv, IsAConvolutionWithoutOffsetsAndMasks) {
  const Geometry g{.groups = 2, .stride = 2, .dilation = 1, .begin = 1, .end = 1};
  const Tensor x = random_tensor({2, 4, 5, 6}, 1), w = random_tensor({4, 2, 2, 3}, 2), bias = random_tensor({4}, 3);
  Attrs attrs = attrs_of(g, g);
  attrs.set("offset_group", int64_t{2});
  const Tensor zeros = testing::tensor_of(DType::kF32, {2, 24, 3, 3}, std::vector<double>(432, 0.0));
  expect_near(run_op("DeformConv", {x, w, zeros, bias}, attrs)[0], conv2d(x, w, bias, g, g));
}

TEST(DeformConv, SamplesBetweenPixels) {
  const Tensor x = Tensor::of<float>({1, 1, 2, 2}, {1, 2, 3, 4}), w = Tensor::of<float>({1, 1, 1, 1}, {10});
  const Tensor offset = Tensor::of<float>({1, 2, 2, 2}, {0.5f, 0, -0.5f, 5, 0, 0.5f, 0, 0});
  const Tensor mask = Tensor::of<float>({1, 1, 2, 2}, {1, 0.5f, 1, 1});
  // Rows 0.5, 0, 0.5, 6 and columns 0, 1.5, 0, 1: halfway down, half outside with half the weight, halfway, outside.
  EXPECT_EQ(values<float>(run_op("DeformConv", {x, w, offset, Tensor(), mask})[0]), (std::vector<float>{20, 5, 20, 0}));
}

TEST(MaxPool, FindsMaximaAndTheirIndices) {
  const Tensor x = Tensor::of<float>({1, 1, 3, 4}, {1, 9, 2, 3, 4, 5, 6, 7, 8, 0, 11, 10});
  const std::vector<Tensor> found = run_op("MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}}, 2);
  EXPECT_EQ(values<float>(found[0]), (std::vector<float>{9, 9, 7, 8, 11, 11}));
  EXPECT_EQ(values<int64_t>(found[1]), (Ints{1, 1, 7, 8, 10, 10}));
  const Attrs columns = {{"kernel_shape", Ints{2, 2}}, {"storage_order", int64_t{1}}};
  EXPECT_EQ(values<int64_t>(run_op("MaxPool", {x}, columns, 2)[1]), (Ints{3, 3, 10, 2, 8, 8}));
  const Tensor bytes = Tensor::of<uint8_t>({1, 1, 4}, {3, 200, 7, 1});
  EXPECT_EQ(values<uint8_t>(run_op("MaxPool", {bytes}, {{"kernel_shape", Ints{2}}, {"dilations", Ints{2}}})[0]),
            (std::vector<uint8_t>{7, 200}));
}

TEST(Pooling, RoundsSizesUpInCeilMode) {
  const Tensor x = Tensor::of<float>({1, 1, 5}, {1, 2, 3, 4, 5});
  const Attrs up = {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}, {"ceil_mode", int64_t{1}}};
  EXPECT_EQ(values<float>(run_op("MaxPool", {x}, up)[0]), (std::vector<float>{2, 4, 5}));
  EXPECT_EQ(values<float>(run_op("AveragePool", {x}, up)[0]), (std::vector<float>{1.5f, 3.5f, 5}));
  // A window that would start in the padding is none.
  const Attrs padded = {
      {"kernel_shape", Ints{1}}, {"strides", Ints{3}}, {"pads", Ints{0, 1}}, {"ceil_mode", int64_t{1}}};
  EXPECT_EQ(values<float>(run_op("MaxPool", {x}, padded)[0]), (std::vector<float>{1, 4}));
}

TEST(AveragePool, CountsPaddingOnlyWhenAsked) {
  const Tensor x = Tensor::of<float>({1, 1, 3}, {3, 6, 9});
  Attrs attrs = {{"kernel_shape", Ints{3}}, {"pads", Ints{1, 1}}};
  EXPECT_EQ(values<float>(run_op("AveragePool", {x}, attrs)[0]), (std::vector<float>{4.5f, 6, 7.5f}));
  attrs.set("count_include_pad", int64_t{1});
  EXPECT_EQ(values<float>(run_op("AveragePool", {x}, attrs)[0]), (std::vector<float>{3, 6, 5}));
  attrs.set("ceil_mode", int64_t{1});
  attrs.set("strides", Ints{3});
  // The second window covers the last element and the padding, and reaches beyond it, which does not count.
  EXPECT_EQ(values<float>(run_op("AveragePool", {x}, attrs)[0]), (std::vector<float>{3, 4.5f}));
}

TEST(LpPool, TakesRootsOfSums) {
  const Tensor x = Tensor::of<float>({1, 1, 3}, {3, -4, 12});
  expect_near(run_op("LpPool", {x}, {{"kernel_shape", Ints{2}}})[0], {5, std::sqrt(160.0)});
  expect_near(run_op("LpPool", {x}, {{"kernel_shape", Ints{2}}, {"p", int64_t{1}}})[0], {7, 16});
  expect_near(run_op("LpPool", {x}, {{"kernel_shape", Ints{2}}, {"p", int64_t{3}}})[0],
              {std::cbrt(91.0), std::cbrt(64.0 + 1728)});
}

TEST(GlobalPool, ReducesPlanes) {
  const Tensor x = Tensor::of<float>({1, 2, 2, 2}, {1, 2, 3, 6, -3, -4, 0, 0});
  expect_near(run_op("GlobalAveragePool", {x})[0], {3, -1.75});
  expect_near(run_op("GlobalMaxPool", {x})[0], {6, 0});
  expect_near(run_op("GlobalLpPool", {x})[0], {std::sqrt(50.0), 5});
  EXPECT_EQ(run_op("GlobalMaxPool", {x})[0].shape(), (Shape{1, 2, 1, 1}));
}

TEST(Pooling, RefusesBadAttributes) {
  const Tensor x = random_tensor({1, 1, 3}, 1);
  EXPECT_NE(error_of([&] {
              run_op("LpPool", {x}, {{"kernel_shape", Ints{2}}, {"p", int64_t{0}}});
            }).find("p is 0"),
            std::string::npos);
  EXPECT_NE(
      error_of([&] {
        run_op("MaxPool", {x}, {{"kernel_shape", Ints{2}}, {"pads", Ints{1, 0}}, {"auto_pad", std::string("VALID")}});
      }).find("auto_pad is VALID and pads are given"),
      std::string::npos);
  EXPECT_NE(error_of([&] {
              run_op("MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}});
            }).find("kernel_shape has 2 elements"),
            std::string::npos);
}

}  // namespace
}  // namespace neural_engine
