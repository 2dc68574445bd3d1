#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "op_tester.h"

namespace neural_engine::testing {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

Tensor iota(Shape shape) {
  const int64_t count = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  Floats data(static_cast<size_t>(count));
  std::iota(data.begin(), data.end(), 0.0f);
  return Tensor::of<float>(std::move(shape), data);
}
Tensor ints(const Ints& data) { return Tensor::of<int64_t>({static_cast<int64_t>(data.size())}, data); }

void expect_tensor(const Tensor& found, const Shape& shape, const Floats& data) {
  EXPECT_EQ(found.shape(), shape);
  EXPECT_EQ(values<float>(found), data);
}

void expect_error(std::string_view op, const std::vector<Tensor>& inputs, const Attrs& attrs, Code code,
                  const std::string& part, int outputs = 1) {
  try {
    run_op(op, inputs, attrs, outputs);
    ADD_FAILURE() << op << " accepted what it should refuse: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

// The definition of Transpose, one element at a time.
Floats transposed(const Tensor& x, const Ints& perm) {
  const size_t rank = perm.size();
  Shape out;
  for (int64_t axis : perm) out.push_back(x.shape()[static_cast<size_t>(axis)]);
  Floats result(static_cast<size_t>(x.elems()));
  for (int64_t i = 0; i < x.elems(); ++i) {
    Ints index(rank);
    int64_t rest = i;
    for (size_t d = rank; d-- > 0;) {
      index[static_cast<size_t>(perm[d])] = rest % out[d];
      rest /= out[d];
    }
    int64_t offset = 0;
    for (size_t d = 0; d < rank; ++d) offset = offset * x.shape()[d] + index[d];
    result[static_cast<size_t>(i)] = x.data<float>()[offset];
  }
  return result;
}

TEST(Reshape, ZeroCopiesAndMinusOneComputes) {
  const Tensor x = iota({2, 3, 4});
  EXPECT_EQ(run_op("Reshape", {x, ints({0, -1})})[0].shape(), (Shape{2, 12}));
  EXPECT_EQ(run_op("Reshape", {x, ints({4, 0, -1})})[0].shape(), (Shape{4, 3, 2}));
  EXPECT_EQ(values<float>(run_op("Reshape", {x, ints({-1})})[0]), values<float>(x));
  EXPECT_EQ(run_op("Reshape", {Tensor::scalar(1.0f), ints({1, 1})})[0].shape(), (Shape{1, 1}));
  EXPECT_EQ(run_op("Reshape", {iota({1}), ints({})})[0].shape(), Shape{});
}

TEST(Reshape, EmptyTensors) {
  EXPECT_EQ(run_op("Reshape", {iota({0, 3}), ints({0, -1})})[0].shape(), (Shape{0, 3}));
  EXPECT_EQ(run_op("Reshape", {iota({0, 3}), ints({3, 0})}, {{"allowzero", int64_t{1}}})[0].shape(), (Shape{3, 0}));
  EXPECT_EQ(run_op("Reshape", {iota({2, 0, 6}), ints({0, 0, 2, -1})})[0].shape(), (Shape{2, 0, 2, 3}));
}

TEST(Reshape, Refuses) {
  const Tensor x = iota({2, 3});
  expect_error("Reshape", {x, ints({4})}, {}, Code::kInvalidModel, "cannot reshape [2,3] to [4]");
  expect_error("Reshape", {x, ints({-1, 4})}, {}, Code::kInvalidModel, "no size fits");
  expect_error("Reshape", {x, ints({-1, -1})}, {}, Code::kInvalidModel, "more than one -1");
  expect_error("Reshape", {x, ints({2, 3, 0})}, {}, Code::kInvalidModel, "copies dimension 2");
  expect_error("Reshape", {x, ints({-2, 3})}, {}, Code::kInvalidModel, "negative");
  expect_error("Reshape", {iota({0, 3}), ints({-1, 0})}, {{"allowzero", int64_t{1}}}, Code::kInvalidModel, "allowzero");
  expect_error("Reshape", {x, Tensor::of<int32_t>({1}, {6})}, {}, Code::kUnsupported, "s32");
}

TEST(Views, FlattenSqueezeUnsqueezeIdentity) {
  const Tensor x = iota({2, 1, 3, 1});
  EXPECT_EQ(run_op("Flatten", {x}, {{"axis", int64_t{2}}})[0].shape(), (Shape{2, 3}));
  EXPECT_EQ(run_op("Flatten", {x}, {{"axis", int64_t{-1}}})[0].shape(), (Shape{6, 1}));
  EXPECT_EQ(run_op("Flatten", {x}, {{"axis", int64_t{4}}})[0].shape(), (Shape{6, 1}));
  EXPECT_EQ(run_op("Squeeze", {x})[0].shape(), (Shape{2, 3}));
  EXPECT_EQ(run_op("Squeeze", {x, ints({-1})})[0].shape(), (Shape{2, 1, 3}));
  EXPECT_EQ(run_op("Unsqueeze", {iota({2, 3}), ints({4, 0, -2})})[0].shape(), (Shape{1, 2, 3, 1, 1}));
  EXPECT_EQ(values<float>(run_op("Identity", {x})[0]), values<float>(x));
  expect_error("Squeeze", {x, ints({0})}, {}, Code::kInvalidModel, "cannot squeeze axis 0");
  expect_error("Unsqueeze", {x, ints({1, 1})}, {}, Code::kInvalidModel, "given twice");
  expect_error("Flatten", {x}, {{"axis", int64_t{5}}}, Code::kInvalidModel, "axis 5");
}

TEST(Views, FourBitElementsPassThrough) {
  Tensor x(DType::kU4, {3});
  static_cast<uint8_t*>(x.raw())[0] = 0x21;
  static_cast<uint8_t*>(x.raw())[1] = 0x03;
  const Tensor y = run_op("Reshape", {x, ints({3, 1})})[0];
  EXPECT_EQ(static_cast<const uint8_t*>(y.raw())[0], 0x21);
  expect_error("Transpose", {x}, {}, Code::kUnsupported, "u4");
}

TEST(Shape, StartEndAndSize) {
  const Tensor x = iota({2, 3, 4});
  EXPECT_EQ(values<int64_t>(run_op("Shape", {x})[0]), (Ints{2, 3, 4}));
  EXPECT_EQ(values<int64_t>(run_op("Shape", {x}, {{"start", int64_t{-2}}, {"end", int64_t{9}}})[0]), (Ints{3, 4}));
  EXPECT_EQ(values<int64_t>(run_op("Shape", {x}, {{"start", int64_t{2}}, {"end", int64_t{1}}})[0]), Ints{});
  EXPECT_EQ(values<int64_t>(run_op("Size", {x})[0]), Ints{24});
  EXPECT_EQ(values<int64_t>(run_op("Size", {iota({2, 0})})[0]), Ints{0});
}

TEST(Transpose, AgreesWithItsDefinition) {
  const std::vector<std::pair<Shape, Ints>> cases = {{{5, 7}, {1, 0}},
                                                     {{64, 64}, {1, 0}},
                                                     {{33, 70}, {1, 0}},
                                                     {{2, 3, 4}, {2, 1, 0}},
                                                     {{2, 5, 3, 8}, {0, 2, 1, 3}},
                                                     {{2, 5, 3, 8}, {0, 2, 3, 1}},
                                                     {{2, 5, 3, 8}, {3, 1, 0, 2}},
                                                     {{1, 4, 1, 3}, {2, 3, 0, 1}},
                                                     {{2, 3, 2, 3, 2}, {4, 0, 3, 1, 2}}};
  for (const auto& [shape, perm] : cases) {
    const Tensor x = iota(shape);
    EXPECT_EQ(values<float>(run_op("Transpose", {x}, {{"perm", perm}})[0]), transposed(x, perm)) << to_string(shape);
  }
  expect_tensor(run_op("Transpose", {iota({2, 3})})[0], {3, 2}, {0, 3, 1, 4, 2, 5});
  EXPECT_EQ(run_op("Transpose", {iota({2, 0, 3})})[0].shape(), (Shape{3, 0, 2}));
}

TEST(Transpose, AllElementSizes) {
  const auto check = [](auto zero) {
    using T = decltype(zero);
    std::vector<T> data(35 * 37);
    for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<T>(i * 7);
    const Tensor x = Tensor::of<T>({35, 37}, data);
    const std::vector<T> y = values<T>(run_op("Transpose", {x})[0]);
    for (size_t i = 0; i < 35; ++i) {
      for (size_t j = 0; j < 37; ++j) ASSERT_EQ(y[j * 35 + i], data[i * 37 + j]);
    }
  };
  check(uint8_t());
  check(uint16_t());
  check(uint32_t());
  check(uint64_t());
}

TEST(Transpose, Refuses) {
  expect_error("Transpose", {iota({2, 3})}, {{"perm", Ints{0, 0}}}, Code::kInvalidModel, "given twice");
  expect_error("Transpose", {iota({2, 3})}, {{"perm", Ints{0}}}, Code::kInvalidModel, "perm has 1 axes");
  expect_error("Transpose", {iota({2, 3})}, {{"perm", Ints{0, 2}}}, Code::kInvalidModel, "axis 2");
}

TEST(Concat, AnyAxisAndEmptyParts) {
  const Tensor a = iota({2, 2}), b = iota({2, 1});
  expect_tensor(run_op("Concat", {a, b}, {{"axis", int64_t{1}}})[0], {2, 3}, {0, 1, 0, 2, 3, 1});
  expect_tensor(run_op("Concat", {a, iota({0, 2}), a}, {{"axis", int64_t{-2}}})[0], {4, 2}, {0, 1, 2, 3, 0, 1, 2, 3});
  expect_tensor(run_op("Concat", {iota({2})}, {{"axis", int64_t{0}}})[0], {2}, {0, 1});
  expect_error("Concat", {a, iota({3, 1})}, {{"axis", int64_t{1}}}, Code::kInvalidModel, "differ: 2 and 3");
  expect_error("Concat", {a, iota({2})}, {{"axis", int64_t{0}}}, Code::kInvalidModel, "cannot concatenate");
  expect_error("Concat", {a, ints({1})}, {{"axis", int64_t{0}}}, Code::kInvalidModel, "dtype");
}

TEST(Split, EqualUnevenAndGivenParts) {
  const Tensor x = iota({2, 5});
  const auto uneven = run_op("Split", {x}, {{"axis", int64_t{1}}, {"num_outputs", int64_t{2}}}, 2);
  expect_tensor(uneven[0], {2, 3}, {0, 1, 2, 5, 6, 7});
  expect_tensor(uneven[1], {2, 2}, {3, 4, 8, 9});
  const auto given = run_op("Split", {x, ints({1, 0, 4})}, {{"axis", int64_t{-1}}}, 3);
  expect_tensor(given[0], {2, 1}, {0, 5});
  expect_tensor(given[1], {2, 0}, {});
  expect_tensor(given[2], {2, 4}, {1, 2, 3, 4, 6, 7, 8, 9});
  expect_tensor(run_op("Split", {x}, {}, 2)[1], {1, 5}, {5, 6, 7, 8, 9});
  expect_error("Split", {x}, {{"axis", int64_t{1}}}, Code::kInvalidModel, "2 equal parts", 2);
  expect_error("Split", {x, ints({2, 2})}, {{"axis", int64_t{1}}}, Code::kInvalidModel, "do not add up", 2);
  expect_error("Split", {x, ints({5})}, {{"axis", int64_t{1}}}, Code::kInvalidModel, "1 parts given", 2);
  expect_error("Split", {x, ints({-1, 6})}, {{"axis", int64_t{1}}}, Code::kInvalidModel, "size -1", 2);
}

TEST(Slice, BoundsAreClamped) {
  const Tensor x = iota({3, 4});
  expect_tensor(run_op("Slice", {x, ints({1, 0}), ints({3, 9}), Tensor(), ints({1, 2})})[0], {2, 2}, {4, 6, 8, 10});
  expect_tensor(run_op("Slice", {x, ints({-1}), ints({INT64_MIN}), ints({0}), ints({-1})})[0], {3, 4},
                {8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3});
  expect_tensor(run_op("Slice", {x, ints({9}), ints({-9}), ints({-1}), ints({-3})})[0], {3, 2}, {3, 0, 7, 4, 11, 8});
  expect_tensor(run_op("Slice", {x, ints({2}), ints({1})})[0], {0, 4}, {});
  expect_tensor(run_op("Slice", {x, ints({0}), ints({INT64_MAX}), ints({1}), ints({INT64_MAX})})[0], {3, 1}, {0, 4, 8});
  expect_tensor(run_op("Slice", {x, ints({3}), ints({INT64_MIN}), ints({1}), ints({INT64_MIN})})[0], {3, 1},
                {3, 7, 11});
  expect_tensor(run_op("Slice", {iota({0, 4}), ints({0}), ints({5}), ints({0}), ints({-1})})[0], {0, 4}, {});
  const Tensor narrow = Tensor::of<int32_t>({1}, {1});
  expect_tensor(run_op("Slice", {iota({3}), narrow, Tensor::of<int32_t>({1}, {INT32_MAX})})[0], {2}, {1, 2});
}

TEST(Slice, Refuses) {
  const Tensor x = iota({3, 4});
  expect_error("Slice", {x, ints({0}), ints({1}), ints({2})}, {}, Code::kInvalidModel, "axis 2");
  expect_error("Slice", {x, ints({0}), ints({1, 2})}, {}, Code::kInvalidModel, "2 elements");
  expect_error("Slice", {x, ints({0}), ints({1}), ints({0}), ints({0})}, {}, Code::kInvalidModel, "step is 0");
  expect_error("Slice", {x, ints({0, 0, 0}), ints({1, 1, 1})}, {}, Code::kInvalidModel, "3 starts");
  expect_error("Slice", {x, ints({0, 0}), ints({1, 1}), ints({0, -2})}, {}, Code::kInvalidModel, "given twice");
}

TEST(Expand, BroadcastsBothWays) {
  expect_tensor(run_op("Expand", {iota({2, 1}), ints({2, 1, 3})})[0], {2, 2, 3}, {0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1});
  expect_tensor(run_op("Expand", {iota({3}), ints({1})})[0], {3}, {0, 1, 2});
  expect_tensor(run_op("Expand", {Tensor::scalar(5.0f), ints({2})})[0], {2}, {5, 5});
  EXPECT_EQ(run_op("Expand", {iota({1, 3}), ints({0, 3})})[0].shape(), (Shape{0, 3}));
  expect_error("Expand", {iota({2}), ints({3})}, {}, Code::kInvalidModel, "cannot broadcast");
  expect_error("Expand", {iota({1}), ints({-1})}, {}, Code::kInvalidModel, "negative");
}

TEST(Tile, RepeatsAxes) {
  expect_tensor(run_op("Tile", {iota({1, 2}), ints({2, 2})})[0], {2, 4}, {0, 1, 0, 1, 0, 1, 0, 1});
  expect_tensor(run_op("Tile", {iota({2}), ints({0})})[0], {0}, {});
  EXPECT_EQ(run_op("Tile", {iota({0, 2}), ints({3, 2})})[0].shape(), (Shape{0, 4}));
  expect_error("Tile", {iota({2}), ints({1, 1})}, {}, Code::kInvalidModel, "2 repeats");
  expect_error("Tile", {iota({2}), ints({-1})}, {}, Code::kInvalidModel, "negative");
}

TEST(DepthToSpace, BothModesAndBack) {
  const Tensor x = iota({1, 4, 1, 2});
  expect_tensor(run_op("DepthToSpace", {x}, {{"blocksize", int64_t{2}}})[0], {1, 1, 2, 4}, {0, 2, 1, 3, 4, 6, 5, 7});
  const Tensor y = iota({1, 8, 1, 1});
  expect_tensor(run_op("DepthToSpace", {y}, {{"blocksize", int64_t{2}}, {"mode", "CRD"}})[0], {1, 2, 2, 2},
                {0, 1, 2, 3, 4, 5, 6, 7});
  const Tensor big = iota({2, 12, 3, 5});
  const Tensor there = run_op("DepthToSpace", {big}, {{"blocksize", int64_t{2}}})[0];
  EXPECT_EQ(values<float>(run_op("SpaceToDepth", {there}, {{"blocksize", int64_t{2}}})[0]), values<float>(big));
  expect_error("DepthToSpace", {iota({1, 3, 1, 1})}, {{"blocksize", int64_t{2}}}, Code::kInvalidModel, "multiple of 4");
  expect_error("DepthToSpace", {x}, {{"blocksize", int64_t{2}}, {"mode", "XYZ"}}, Code::kUnsupported, "XYZ");
  expect_error("SpaceToDepth", {x}, {{"blocksize", int64_t{0}}}, Code::kInvalidModel, "blocksize 0");
}

TEST(ReverseSequence, ReversesPrefixes) {
  const Tensor x = iota({3, 2});  // [time, batch]
  expect_tensor(run_op("ReverseSequence", {x, ints({3, 1})})[0], {3, 2}, {4, 1, 2, 3, 0, 5});
  expect_tensor(
      run_op("ReverseSequence", {x, ints({2, 0, 1})}, {{"time_axis", int64_t{1}}, {"batch_axis", int64_t{0}}})[0],
      {3, 2}, {1, 0, 2, 3, 4, 5});
  expect_error("ReverseSequence", {x, ints({4, 1})}, {}, Code::kInvalidData, "sequence length 4");
}

}  // namespace
}  // namespace neural_engine::testing
