#include "executor/thread_pool.h"

#include <gtest/gtest.h>
#include <sched.h>

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

// The last of three equal tasks lets the other thread wait for a task's length, which is no sign of a busy neighbour.
TEST(ThreadPool, LongTasksAreNoStall) {
  constexpr int kRounds = 20;
  int shared = 0;
  // Where other processes take the cores the pool is right to work alone: one quiet moment of ten is enough.
  for (int attempt = 0; attempt < 10 && shared < kRounds / 2; ++attempt) {
    ThreadPool pool(2);
    shared = 0;
    for (int round = 0; round < kRounds; ++round) {
      std::atomic<int> by_worker{0};
      pool.run(3, [&](int64_t, int worker) {
        by_worker += worker;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      });
      shared += by_worker > 0 ? 1 : 0;
    }
  }
  EXPECT_GE(shared, kRounds / 2);
}

// Two sessions that were given different cores: no worker of one ever runs on a core of the other.
TEST(ThreadPool, PoolsOnDisjointCoresKeepToThem) {
  const std::vector<int> cpus = allowed_cpus();
  if (cpus.size() < 2) GTEST_SKIP() << "one CPU";
  std::atomic<int> astray{0}, tasks{0};
  const auto use = [&](int cpu) {
    ThreadPool pool(3, {cpu});
    for (int round = 0; round < 100; ++round) {
      pool.run(8, [&](int64_t, int worker) {
        if (worker == 0) return;  // the caller's thread is the caller's to pin
        ++tasks;
        if (sched_getcpu() != cpu) ++astray;
      });
      // Gives workers that share a core with a busy caller a turn.
      if (round % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  };
  std::thread first(use, cpus[0]), second(use, cpus[1]);
  first.join();
  second.join();
  EXPECT_EQ(astray, 0);
  RecordProperty("tasks_of_workers", tasks);
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
