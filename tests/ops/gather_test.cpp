#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "op_tester.h"

namespace neural_engine::testing {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

Tensor ints(const Ints& data) { return Tensor::of<int64_t>({static_cast<int64_t>(data.size())}, data); }
Tensor ints(Shape shape, const Ints& data) { return Tensor::of<int64_t>(std::move(shape), data); }
Tensor floats(Shape shape, const Floats& data) { return Tensor::of<float>(std::move(shape), data); }
Tensor iota(Shape shape) {
  Tensor result(DType::kF32, std::move(shape));
  std::iota(result.data<float>(), result.data<float>() + result.elems(), 0.0f);
  return result;
}

void expect_tensor(const Tensor& found, const Shape& shape, const Floats& data) {
  EXPECT_EQ(found.shape(), shape);
  EXPECT_EQ(values<float>(found), data);
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

TEST(Gather, RowsAndInnerAxes) {
  const Tensor x = iota({3, 2});
  expect_tensor(run_op("Gather", {x, ints({2, 2}, {0, -1, 1, 1})})[0], {2, 2, 2}, {0, 1, 4, 5, 2, 3, 2, 3});
  expect_tensor(run_op("Gather", {x, Tensor::of<int32_t>({1}, {1})}, {{"axis", int64_t{-1}}})[0], {3, 1}, {1, 3, 5});
  expect_tensor(run_op("Gather", {x, Tensor::scalar<int64_t>(1)})[0], {2}, {2, 3});
  EXPECT_EQ(run_op("Gather", {x, ints({})})[0].shape(), (Shape{0, 2}));
  EXPECT_EQ(run_op("Gather", {iota({0, 2}), ints({})})[0].shape(), (Shape{0, 2}));
}

TEST(Gather, RefusesIndicesOutOfBounds) {
  const Tensor x = iota({3, 2});
  expect_error("Gather", {x, ints({0, 3})}, {}, Code::kInvalidData, "index 3 at position 1 is outside [-3,3)");
  expect_error("Gather", {x, ints({-4})}, {}, Code::kInvalidData, "index -4 at position 0 is outside [-3,3)");
  expect_error("Gather", {iota({0}), ints({0})}, {}, Code::kInvalidData, "index 0");
  const Attrs not_from_end = {{"from_end", int64_t{0}}};
  expect_tensor(run_op("Gather", {x, ints({2})}, not_from_end)[0], {1, 2}, {4, 5});
  expect_error("Gather", {x, ints({1, -1})}, not_from_end, Code::kInvalidData,
               "index -1 at position 1 is outside [0,3)");
  expect_error("GatherND", {x, ints({1, 1}, {-1})}, not_from_end, Code::kInvalidData, "is outside [0,3)");
  expect_error("ScatterND", {x, ints({1, 1}, {-1}), iota({1, 2})}, not_from_end, Code::kInvalidData,
               "is outside [0,3)");
  expect_error("Gather", {x, floats({1}, {0})}, {}, Code::kUnsupported, "f32");
  expect_error("Gather", {x, ints({0})}, {{"axis", int64_t{2}}}, Code::kInvalidModel, "axis 2");
}

TEST(GatherElements, ReplacesOneCoordinate) {
  const Tensor x = iota({3, 3});
  expect_tensor(run_op("GatherElements", {x, ints({2, 3}, {1, 2, 0, 2, 0, -3})})[0], {2, 3}, {3, 7, 2, 6, 1, 2});
  expect_tensor(run_op("GatherElements", {x, ints({2, 2}, {0, 0, 1, -1})}, {{"axis", int64_t{1}}})[0], {2, 2},
                {0, 0, 4, 5});
  expect_error("GatherElements", {x, ints({4, 1}, {0, 0, 0, 0})}, {{"axis", int64_t{1}}}, Code::kInvalidModel,
               "reach beyond");
  expect_error("GatherElements", {x, ints({1, 1}, {3})}, {}, Code::kInvalidData, "index 3");
  expect_error("GatherElements", {x, ints({3})}, {}, Code::kInvalidModel, "differ in rank");
}

TEST(GatherND, TuplesSlicesAndBatches) {
  const Tensor x = iota({2, 2, 2});
  expect_tensor(run_op("GatherND", {x, ints({2, 3}, {0, 0, 1, 1, -1, 0})})[0], {2}, {1, 6});
  expect_tensor(run_op("GatherND", {x, ints({1, 1}, {1})})[0], {1, 2, 2}, {4, 5, 6, 7});
  expect_tensor(run_op("GatherND", {x, ints({2, 1}, {1, 0})}, {{"batch_dims", int64_t{1}}})[0], {2, 2}, {2, 3, 4, 5});
  expect_error("GatherND", {x, ints({1, 2}, {0, 2})}, {}, Code::kInvalidData, "index 2 at position 1");
  expect_error("GatherND", {x, ints({1, 4}, {0, 0, 0, 0})}, {}, Code::kInvalidModel, "4 elements");
  expect_error("GatherND", {x, ints({3, 1}, {0, 0, 0})}, {{"batch_dims", int64_t{1}}}, Code::kInvalidModel, "differ");
}

TEST(ScatterElements, PutsAndReduces) {
  const Tensor x = floats({5}, {1, 2, 3, 4, 5});
  const Tensor indices = ints({1, -2, 1}), updates = floats({3}, {10, 20, 30});
  const auto scatter = [&](const char* reduction) {
    return values<float>(run_op("ScatterElements", {x, indices, updates}, {{"reduction", reduction}})[0]);
  };
  EXPECT_EQ(scatter("none"), (Floats{1, 30, 3, 20, 5}));
  EXPECT_EQ(scatter("add"), (Floats{1, 42, 3, 24, 5}));
  EXPECT_EQ(scatter("mul"), (Floats{1, 600, 3, 80, 5}));
  EXPECT_EQ(scatter("max"), (Floats{1, 30, 3, 20, 5}));
  EXPECT_EQ(scatter("min"), (Floats{1, 2, 3, 4, 5}));
  expect_tensor(run_op("ScatterElements", {iota({2, 2}), ints({2, 1}, {1, 0}), floats({2, 1}, {8, 9})},
                       {{"axis", int64_t{1}}})[0],
                {2, 2}, {0, 8, 9, 3});
  EXPECT_EQ(values<float>(run_op("ScatterElements", {x, ints({}), floats({0}, {})})[0]), values<float>(x));
}

TEST(ScatterElements, NanWinsMaxAndIntegersWrap) {
  const Tensor nan =
      run_op("ScatterElements", {floats({1}, {1}), ints({0}), floats({1}, {std::nanf("")})}, {{"reduction", "max"}})[0];
  EXPECT_TRUE(std::isnan(values<float>(nan)[0]));
  const Tensor sum = run_op("ScatterElements", {ints({INT64_MAX}), ints({0}), ints({1})}, {{"reduction", "add"}})[0];
  EXPECT_EQ(values<int64_t>(sum)[0], INT64_MIN);
}

TEST(ScatterElements, Refuses) {
  const Tensor x = iota({3});
  expect_error("ScatterElements", {x, ints({3}), floats({1}, {0})}, {}, Code::kInvalidData, "index 3");
  expect_error("ScatterElements", {x, ints({0, 1}), floats({1}, {0})}, {}, Code::kInvalidModel, "differ: 2 and 1");
  expect_error("ScatterElements", {x, ints({0}), floats({1}, {0})}, {{"reduction", "mean"}}, Code::kUnsupported,
               "mean");
  expect_error("ScatterElements", {Tensor::of<bool>({1}, {true}), ints({0}), Tensor::of<bool>({1}, {true})},
               {{"reduction", "add"}}, Code::kUnsupported, "bool");
}

TEST(ScatterND, SlicesAndElements) {
  const Tensor x = iota({3, 2});
  expect_tensor(run_op("ScatterND", {x, ints({2, 1}, {2, -3}), floats({2, 2}, {9, 8, 7, 6})})[0], {3, 2},
                {7, 6, 2, 3, 9, 8});
  expect_tensor(run_op("ScatterND", {x, ints({2, 2}, {0, 1, 0, 1}), floats({2}, {5, 6})}, {{"reduction", "add"}})[0],
                {3, 2}, {0, 12, 2, 3, 4, 5});
  expect_error("ScatterND", {x, ints({1, 1}, {3}), floats({1, 2}, {0, 0})}, {}, Code::kInvalidData, "index 3");
  expect_error("ScatterND", {x, ints({1, 1}, {0}), floats({1, 3}, {0, 0, 0})}, {}, Code::kInvalidModel,
               "differ: 2 and 3");
  expect_error("ScatterND", {x, ints({1, 1}, {0}), floats({1}, {0})}, {}, Code::kInvalidModel, "updates have shape");
}

TEST(OneHot, AxesAndIndicesOutside) {
  const Tensor values_2 = floats({2}, {-1, 2});
  expect_tensor(run_op("OneHot", {ints({0, -1, 5}), Tensor::scalar<int64_t>(3), values_2})[0], {3, 3},
                {2, -1, -1, -1, -1, 2, -1, -1, -1});
  expect_tensor(run_op("OneHot", {floats({2}, {1.9f, NAN}), floats({1}, {2}), values_2}, {{"axis", int64_t{0}}})[0],
                {2, 2}, {-1, -1, 2, -1});
  expect_error("OneHot", {ints({0}), Tensor::scalar<int64_t>(-1), values_2}, {}, Code::kInvalidModel, "negative");
  expect_error("OneHot", {ints({0}), Tensor::scalar<int64_t>(1), floats({3}, {0, 1, 2})}, {}, Code::kInvalidModel,
               "3 values");
}

TEST(NonZero, CoordinatesByAxis) {
  const Tensor found = run_op("NonZero", {floats({2, 2}, {0, 1, -2, NAN})})[0];
  EXPECT_EQ(found.shape(), (Shape{2, 3}));
  EXPECT_EQ(values<int64_t>(found), (Ints{0, 1, 1, 1, 0, 1}));
  EXPECT_EQ(run_op("NonZero", {Tensor::scalar(1.0f)})[0].shape(), (Shape{0, 1}));
  EXPECT_EQ(run_op("NonZero", {floats({0, 2}, {})})[0].shape(), (Shape{2, 0}));
  EXPECT_EQ(values<int64_t>(run_op("NonZero", {Tensor::of<bool>({3}, {true, false, true})})[0]), (Ints{0, 2}));
}

TEST(Compress, AlongAnAxisOrFlat) {
  const Tensor x = iota({3, 2});
  const auto flags = [](std::vector<bool> data) { return Tensor::of<bool>({static_cast<int64_t>(data.size())}, data); };
  expect_tensor(run_op("Compress", {x, flags({false, true, true})}, {{"axis", int64_t{0}}})[0], {2, 2}, {2, 3, 4, 5});
  expect_tensor(run_op("Compress", {x, flags({false, true})}, {{"axis", int64_t{-1}}})[0], {3, 1}, {1, 3, 5});
  expect_tensor(run_op("Compress", {x, flags({true, false, false, true})})[0], {2}, {0, 3});
  expect_error("Compress", {x, flags({false, false, true})}, {{"axis", int64_t{1}}}, Code::kInvalidData, "condition 2");
}

TEST(Unique, SortedOrInOrderOfAppearance) {
  const Tensor x = floats({6}, {2, 1, 1, 3, 4, 3});
  const auto sorted = run_op("Unique", {x}, {}, 4);
  EXPECT_EQ(values<float>(sorted[0]), (Floats{1, 2, 3, 4}));
  EXPECT_EQ(values<int64_t>(sorted[1]), (Ints{1, 0, 3, 4}));
  EXPECT_EQ(values<int64_t>(sorted[2]), (Ints{1, 0, 0, 2, 3, 2}));
  EXPECT_EQ(values<int64_t>(sorted[3]), (Ints{2, 1, 2, 1}));
  const auto unsorted = run_op("Unique", {x}, {{"sorted", int64_t{0}}}, 4);
  EXPECT_EQ(values<float>(unsorted[0]), (Floats{2, 1, 3, 4}));
  EXPECT_EQ(values<int64_t>(unsorted[2]), (Ints{0, 1, 1, 2, 3, 2}));
  const auto rows = run_op("Unique", {floats({3, 2}, {1, 0, 0, 5, 1, 0})}, {{"axis", int64_t{0}}}, 4);
  expect_tensor(rows[0], {2, 2}, {0, 5, 1, 0});
  EXPECT_EQ(run_op("Unique", {floats({3}, {NAN, 1, NAN})})[0].elems(), 2);
  EXPECT_EQ(run_op("Unique", {floats({0}, {})})[0].elems(), 0);
}

TEST(NonMaxSuppression, KeepsTheBestOfOverlapping) {
  const Tensor boxes = floats({1, 3, 4}, {0, 0, 1, 1, 1, 1.1f, 0, 0.1f, 0, 10, 1, 11});
  const Tensor scores = floats({1, 1, 3}, {0.5f, 0.9f, 0.4f});
  const Tensor two = Tensor::of<int64_t>({1}, {2}), half = floats({1}, {0.5f});
  EXPECT_EQ(values<int64_t>(run_op("NonMaxSuppression", {boxes, scores, two, half})[0]), (Ints{0, 0, 1, 0, 0, 2}));
  EXPECT_EQ(values<int64_t>(run_op("NonMaxSuppression", {boxes, scores, two, half, half})[0]), (Ints{0, 0, 1}));
  EXPECT_EQ(run_op("NonMaxSuppression", {boxes, scores})[0].shape(), (Shape{0, 3}));
  expect_error("NonMaxSuppression", {boxes, floats({1, 1, 2}, {0, 0})}, {}, Code::kInvalidModel, "numbers of boxes");
}

}  // namespace
}  // namespace neural_engine::testing
