#include <gtest/gtest.h>

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

Tensor einsum(const char* equation, const std::vector<Tensor>& inputs) {
  return run_op("Einsum", inputs, {{"equation", std::string(equation)}})[0];
}

TEST(Einsum, AgreesWithTheOpsThatItGeneralises) {
  const Tensor a = random_tensor({2, 3, 4}, 1), b = random_tensor({2, 4, 5}, 2);
  expect_near(einsum("bij, bjk -> bik", {a, b}), doubles(run_op("MatMul", {a, b})[0]));
  expect_near(einsum("...ij,...jk", {a, b}), doubles(run_op("MatMul", {a, b})[0]));
}

TEST(Einsum, TransposesSumsAndTakesDiagonals) {
  const Tensor m = Tensor::of<int32_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(values<int32_t>(einsum("ij->ji", {m})), (std::vector<int32_t>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(values<int32_t>(einsum("ij->i", {m})), (std::vector<int32_t>{6, 15}));
  EXPECT_EQ(values<int32_t>(einsum("ij->", {m})), std::vector<int32_t>{21});
  const Tensor square = Tensor::of<int32_t>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(values<int32_t>(einsum("ii->i", {square})), (std::vector<int32_t>{1, 4}));
  EXPECT_EQ(values<int32_t>(einsum("ii", {square})), std::vector<int32_t>{5});
}

TEST(Einsum, TakesThreeOperandsAndBroadcastsEllipses) {
  const Tensor a = Tensor::of<int64_t>({2}, {2, 3}), b = Tensor::of<int64_t>({2}, {5, 7});
  EXPECT_EQ(values<int64_t>(einsum("i,i,i->", {a, b, b})), std::vector<int64_t>{2 * 25 + 3 * 49});
  const Tensor column = Tensor::of<int64_t>({2, 1, 1}, {1, 10});
  EXPECT_EQ(values<int64_t>(
                einsum("...i,...->...i", {Tensor::of<int64_t>({1, 2, 2}, {1, 2, 3, 4}), column.reshaped({2, 1})})),
            (std::vector<int64_t>{1, 2, 3, 4, 10, 20, 30, 40}));
}

// f32 goes through one matrix product wherever there is one, f64 through loops: both must agree.
TEST(Einsum, AgreesBetweenProductsAndLoops) {
  struct Case {
    const char* equation;
    Shape a, b;
  };
  for (const Case& each : {Case{"bhid,bhjd->bhij", {2, 3, 4, 5}, {2, 3, 6, 5}},  // q k^T
                           Case{"bhij,bhjd->bihd", {2, 3, 4, 5}, {2, 3, 5, 6}},  // to heads side by side
                           Case{"blhd,bshd->bhls", {2, 4, 3, 5}, {2, 6, 3, 5}},  // both in another order
                           Case{"bsd,dhk->bshk", {2, 3, 4}, {4, 5, 6}},  // a weight with two columns' dimensions
                           Case{"abc,cde->edba", {2, 3, 4}, {4, 5, 6}},  //
                           Case{"i,j->ij", {3}, {4}},                    // nothing is summed
                           Case{"ij,ij->", {3, 4}, {3, 4}},              // everything is
                           Case{"ij,kj->ik", {3, 1}, {2, 4}},            // a 1 that spreads: loops
                           Case{"ij,jk->i", {3, 4}, {4, 5}}}) {          // a sum of one operand: loops
    const Tensor a = random_tensor(each.a, 1), b = random_tensor(each.b, 2);
    const Tensor exact = einsum(each.equation, {testing::tensor_of(DType::kF64, each.a, doubles(a)),
                                                testing::tensor_of(DType::kF64, each.b, doubles(b))});
    const Tensor found = einsum(each.equation, {a, b});
    EXPECT_EQ(found.shape(), exact.shape()) << each.equation;
    expect_near(found, doubles(exact));
  }
}

TEST(Einsum, RefusesBadEquations) {
  const Tensor m = random_tensor({2, 3}, 1);
  const auto message = [&](const char* equation) { return error_of([&] { einsum(equation, {m}); }); };
  EXPECT_NE(message("i->i").find("names 1 dimensions of an operand of rank 2"), std::string::npos);
  EXPECT_NE(message("ij->k").find("no subscript"), std::string::npos);
  EXPECT_NE(message("ij->ii").find("occurs twice"), std::string::npos);
  EXPECT_NE(message("i1->i").find("expected letters"), std::string::npos);
  EXPECT_NE(message("ij,jk->ik").find("has 2 operands, 1 found"), std::string::npos);
  EXPECT_NE(message("ii->i").find("cannot broadcast"), std::string::npos);
}

}  // namespace
}  // namespace neural_engine
