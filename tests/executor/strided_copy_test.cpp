#include "executor/ops/strided_copy.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <vector>

#include "base/error.h"

namespace neural_engine {
namespace {

// Runs tasks backwards, as several threads might.
class BackwardParallel final : public Parallel {
 public:
  int threads() const noexcept override { return 3; }
  void run(int64_t count, FunctionRef<void(int64_t, int)> task) override {
    for (int64_t i = count; i-- > 0;) task(i, static_cast<int>(i % 3));
  }
};

struct Loop {
  int64_t count, src, dst;
};

// The definition: every combination of loop indices, one element at a time.
template <class T>
void copy_slowly(const std::vector<Loop>& loops, const T* src, T* dst, size_t level = 0) {
  if (level == loops.size()) {
    *dst = *src;
    return;
  }
  const Loop& loop = loops[level];
  for (int64_t i = 0; i < loop.count; ++i) copy_slowly(loops, src + i * loop.src, dst + i * loop.dst, level + 1);
}

template <class T>
void check(const std::vector<Loop>& loops, int64_t src_offset, int64_t src_elems, int64_t dst_elems) {
  std::vector<T> src(static_cast<size_t>(src_elems)), expected(static_cast<size_t>(dst_elems), T(1)), found = expected;
  std::iota(src.begin(), src.end(), T(3));
  copy_slowly(loops, src.data() + src_offset, expected.data());
  StridedCopy copy(sizeof(T));
  for (const Loop& loop : loops) copy.add(loop.count, loop.src, loop.dst);
  BackwardParallel parallel;
  copy.run(src.data() + src_offset, found.data(), parallel);
  EXPECT_EQ(found, expected);
}

template <class T>
void check_layouts() {
  check<T>({}, 0, 1, 1);
  check<T>({{100000, 1, 1}}, 0, 100000, 100000);                       // one run
  check<T>({{100000, 0, 1}}, 0, 1, 100000);                            // a fill
  check<T>({{1000, -1, 1}}, 999, 1000, 1000);                          // a reversal
  check<T>({{50, 100, 20}, {20, 1, 1}}, 0, 5000, 1000);                // rows out of wider rows
  check<T>({{70, 1, 130}, {130, 70, 1}}, 0, 9100, 9100);               // a transpose with tails
  check<T>({{3, 1, 5}, {5, 3, 1}}, 0, 15, 15);                         // a small one
  check<T>({{4, 600, 600}, {20, 1, 30}, {30, 20, 1}}, 0, 2400, 2400);  // a batch of transposes
  check<T>({{40, 1, 200}, {5, 400, 40}, {40, 40, 1}}, 0, 40 + 1600 + 1600, 8000);
  check<T>({{5, 0, 12}, {4, 1, 3}, {3, 0, 1}}, 0, 4, 60);  // an expansion
  check<T>({{7, 3, 2}}, 0, 21, 14);                        // gaps on both sides
  check<T>({{3, 1, 1}, {0, 5, 5}}, 0, 1, 1);               // nothing
}

TEST(StridedCopy, AgreesWithItsDefinition) {
  check_layouts<uint8_t>();
  check_layouts<uint16_t>();
  check_layouts<uint32_t>();
  check_layouts<uint64_t>();
}

TEST(StridedCopy, RandomPermutations) {
  std::mt19937 random(17);
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const size_t rank = 1 + random() % 5;
    std::vector<int64_t> shape(rank), strides(rank, 1);
    for (int64_t& dim : shape) dim = 1 + static_cast<int64_t>(random() % 9);
    for (size_t i = rank; i-- > 1;) strides[i - 1] = strides[i] * shape[i];
    const int64_t elems = strides[0] * shape[0];
    std::vector<size_t> order(rank);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    std::vector<Loop> loops(rank);
    int64_t dst = 1;
    for (size_t i = rank; i-- > 0;) {
      loops[i] = {shape[order[i]], strides[order[i]], dst};
      dst *= shape[order[i]];
    }
    check<uint32_t>(loops, 0, elems, elems);
  }
}

TEST(StridedCopy, RefusesTooManyLoops) {
  StridedCopy copy(4);
  for (int i = 0; i < 16; ++i) copy.add(2, 1, 1);
  EXPECT_THROW(copy.add(2, 1, 1), Error);
}

}  // namespace
}  // namespace neural_engine
