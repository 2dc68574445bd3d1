// The threads of one session.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "base/parallel.h"

namespace neural_engine {

// Fork-join over a shared counter. The caller works too, and waits only for tasks that a worker has begun: a worker
// whose core is taken by another process costs nothing until it takes a task. When it does and is then descheduled, the
// caller notices that it waited long for a straggler and works alone for a while (see `back_off`), so that a busy
// neighbour costs a bounded share of the time instead of a scheduler's slice per region.
//
// Workers spin for some tens of microseconds after a region, which covers the gaps between the operators of a run, and
// then sleep on a futex.
//
// run() may be called from many threads: one of them has the workers, the others run their tasks themselves.
class ThreadPool final : public Parallel {
 public:
  // `threads` counts the caller. Workers are pinned to cpus[1..] one by one when `cpus` has `threads` entries, and to
  // all of them when it has another number of entries; an empty list leaves them where the process may run.
  explicit ThreadPool(int threads, std::vector<int> cpus = {});
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const noexcept override { return static_cast<int>(workers_.size()) + 1; }
  void run(int64_t count, FunctionRef<void(int64_t index, int worker)> task) override;

 private:
  using Clock = std::chrono::steady_clock;
  using Task = FunctionRef<void(int64_t, int)>;

  void work(int worker, const std::vector<int>& cpus);
  // Waits until a region that is not `last` is open; false when the pool is closing.
  bool await_region(uint32_t& last);
  // How many.
  int64_t take_tasks(int worker);
  // `task_time`: what one task of the region took the caller.
  void await_workers(Clock::duration task_time);
  void back_off(Clock::duration waited, Clock::duration stall);

  std::vector<std::thread> workers_;
  std::mutex owner_;  // held by the run() that has the workers

  // The open region; written before `region_` becomes odd, read by workers that have joined.
  const Task* task_ = nullptr;
  int64_t count_ = 0;
  Clock::time_point alone_until_{};
  Clock::duration penalty_{};

  alignas(64) std::atomic<uint32_t> region_{0};  // odd: open. Each region has a number of its own
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<int> joined_{0};  // workers inside the region
  std::atomic<bool> closing_{false};
};

}  // namespace neural_engine
