// Bounds on memory: what a request or a file asks for beyond them is refused with the numbers, before it is allocated.
#include <gtest/gtest.h>

#include "base/error.h"
#include "executor/memory.h"
#include "executor/weight_store.h"
#include "neural_engine/session.h"

namespace neural_engine {
namespace {

const std::string kModel = std::string(NE_SOURCE_DIR) + "/models/tiny_a/model.onnx";

std::vector<Shape> shapes_of(const Model& model, int64_t rows, int64_t length) {
  return std::vector<Shape>(model.inputs().size(), Shape{rows, length});
}

template <class Call>
std::string refusal_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kOutOfMemory);
    return error.what();
  }
  return "";
}

TEST(Arena, OffsetsDoNotWrapRound) {
  // Sixteen of these come to 2^64 bytes.
  const BufferRequest huge = {size_t{1} << 60, 0, 1};
  EXPECT_NO_THROW(plan_arena({7, huge}));
  EXPECT_EQ(refusal_of([&] { plan_arena(std::vector<BufferRequest>(16, huge)); }),
            "the values of one run need more than 2^63 bytes");
  EXPECT_NE(refusal_of([] { plan_arena({{SIZE_MAX, 0, 0}}); }), "") << "rounding up wraps round too";
}

TEST(MaxMemory, ModelsThatAreLargerAreRefused) {
  const size_t bytes = Model::load(kModel).weight_bytes();
  EXPECT_NO_THROW(Model::load(kModel, {.max_memory = 2 * bytes}));
  const std::string why = refusal_of([] { Model::load(kModel, {.max_memory = 1000}); });
  EXPECT_NE(why.find("model.onnx: constants of "), std::string::npos) << why;
  EXPECT_NE(why.find("the limit is 1000 bytes"), std::string::npos) << why;
  const Model model = Model::load(kModel);
  EXPECT_NE(refusal_of([&] { Session(model, {.max_memory = 1000}); }), "");
}

TEST(MaxMemory, RunsThatNeedMoreAreRefusedAndOthersGoOn) {
  const Model model = Model::load(kModel);
  Session measured(model, {.threads = 1});
  measured.prepare(shapes_of(model, 1, 16));
  const size_t enough = measured.memory().predicted_peak_bytes + (size_t{1} << 20);

  Session session(model, {.threads = 1, .max_memory = std::max(enough, model.weight_bytes())});
  session.prepare(shapes_of(model, 1, 16));
  const std::string why = refusal_of([&] { session.prepare(shapes_of(model, 64, 128)); });
  EXPECT_NE(why.find("a run with inputs of shape [64,128], [64,128]"), std::string::npos) << why;
  EXPECT_NE(why.find("the limit is "), std::string::npos) << why;
  EXPECT_NO_THROW(session.prepare(shapes_of(model, 1, 16)));
  EXPECT_LE(session.memory().predicted_peak_bytes, enough + model.weight_bytes());
}

TEST(MaxMemory, PlansOfOtherShapesMakeRoom) {
  const Model model = Model::load(kModel);
  Session measured(model, {.threads = 1});
  measured.prepare(shapes_of(model, 4, 64));
  const size_t arena = measured.memory().arena_bytes;
  const size_t limit = measured.memory().predicted_peak_bytes + arena / 2;
  if (limit < model.weight_bytes()) GTEST_SKIP() << "nothing but weights counts";

  Session session(model, {.threads = 1, .max_memory = limit});
  for (const int64_t length : {64, 63, 62, 64}) session.prepare(shapes_of(model, 4, length));
  EXPECT_LE(session.memory().predicted_peak_bytes, limit);
  Session free(model, {.threads = 1});
  for (const int64_t length : {64, 63, 62, 64}) free.prepare(shapes_of(model, 4, length));
  EXPECT_GT(free.memory().predicted_peak_bytes, limit) << "what the limit is for";
}

TEST(MaxMemory, PackedWeightsCount) {
  WeightStore store;
  store.limit(8, 100);
  const Tensor weight = Tensor::of<float>({2}, {1, 2});
  EXPECT_NO_THROW(store.get(weight, "small", [&] { return store.allocate(64); }));
  EXPECT_TRUE(store.has_room(28));
  EXPECT_FALSE(store.has_room(29));
  EXPECT_EQ(refusal_of([&] { store.get(weight, "large", [&] { return store.allocate(64); }); }),
            "a packed weight needs 64 bytes beside 8 bytes of weights (0 of them not resident) and 64 bytes of packed "
            "weights; the limit is 100 bytes");
  EXPECT_EQ(store.bytes(), 64u);
}

}  // namespace
}  // namespace neural_engine
