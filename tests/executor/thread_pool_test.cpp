#include "executor/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>

#include "executor/cpu_set.h"

namespace neural_engine {
namespace {

TEST(ThreadPool, RunsEveryTaskOnce) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> counts(1000);
  for (int round = 0; round < 200; ++round) {
    pool.run(1000, [&](int64_t index, int worker) {
      ASSERT_LT(worker, 4);
      counts[static_cast<size_t>(index)]++;
    });
  }
  for (const auto& count : counts) EXPECT_EQ(count, 200);
}

TEST(ThreadPool, RangesCoverTheWhole) {
  ThreadPool pool(3);
  for (int64_t count : {0, 1, 2, 7, 100, 12345}) {
    std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
    pool.ranges(count, 10, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) seen[static_cast<size_t>(i)]++;
    });
    for (const auto& each : seen) EXPECT_EQ(each, 1);
  }
}

TEST(ThreadPool, MayBeUsedFromManyThreads) {
  ThreadPool pool(2);
  std::atomic<int64_t> total{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        pool.run(16, [&](int64_t index, int) { total += index; });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total, int64_t{4} * 500 * (16 * 15 / 2));
}

TEST(ThreadPool, StartsAndStopsAtOnce) {
  for (int i = 0; i < 50; ++i) ThreadPool pool(3);
}

TEST(CpuSet, AllowsAtLeastOneThread) {
  EXPECT_GE(usable_threads(), 1);
  EXPECT_LE(usable_threads(), static_cast<int>(allowed_cpus().size()));
  EXPECT_THROW(pin_thread({-1}), std::exception);
}

}  // namespace
}  // namespace neural_engine
