#include "executor/thread_pool.h"

#include <immintrin.h>
#include <sched.h>

#include <algorithm>

#include "executor/cpu_set.h"

namespace neural_engine {

namespace {

using namespace std::chrono_literals;

// A worker looks for the next region this often before it sleeps: at about 40 cycles a pause some 50 us.
constexpr int kWorkerSpins = 4000;
// The caller looks this often before it lets others run on its core.
constexpr int kCallerSpins = 2000;
// Waiting for a straggler longer than this, and than so many tasks take, means that it lost its core.
constexpr auto kStall = 300us;
constexpr int kStallTasks = 2;
// After a stall the caller works alone for this many times the stall: the cost of stalls stays below a tenth of the
// time.
constexpr int kAlone = 12;
constexpr auto kMaxAlone = 200ms;

}  // namespace

ThreadPool::ThreadPool(int threads, std::vector<int> cpus) {
  for (int worker = 1; worker < threads; ++worker) {
    std::vector<int> own =
        static_cast<int>(cpus.size()) == threads ? std::vector{cpus[static_cast<size_t>(worker)]} : cpus;
    workers_.emplace_back([this, worker, own = std::move(own)] { work(worker, own); });
  }
}

ThreadPool::~ThreadPool() {
  closing_.store(true);
  region_.fetch_add(2);  // still even: a value that nobody waits for
  region_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(int64_t count, Task task) {
  std::unique_lock lock(owner_, std::defer_lock);
  const bool alone = workers_.empty() || count <= 1 || !lock.try_lock() ||
                     (penalty_ != Clock::duration::zero() && Clock::now() < alone_until_);
  if (alone) {
    for (int64_t index = 0; index < count; ++index) task(index, 0);
    return;
  }
  task_ = &task;
  count_ = count;
  next_.store(0, std::memory_order_relaxed);
  const Clock::time_point start = Clock::now();
  region_.fetch_add(1);  // opens
  region_.notify_all();
  const int64_t taken = take_tasks(0);
  region_.fetch_add(1);  // closes: who has not joined stays out
  await_workers((Clock::now() - start) / std::max<int64_t>(taken, 1));
}

// A worker that joins increments `joined_` and then reads `region_`; the caller changes `region_` and then reads
// `joined_`. Both are sequentially consistent, so either the caller sees the worker, or the worker sees that the region
// is closed.
void ThreadPool::await_workers(Clock::duration task_time) {
  for (int spin = 0; spin < kCallerSpins; ++spin) {
    if (joined_.load() == 0) return;
    _mm_pause();
  }
  const Clock::time_point start = Clock::now();
  while (joined_.load() != 0) sched_yield();
  back_off(Clock::now() - start, std::max<Clock::duration>(kStall, task_time * kStallTasks));
}

void ThreadPool::back_off(Clock::duration waited, Clock::duration stall) {
  if (waited < stall) {
    penalty_ /= 2;
    return;
  }
  penalty_ = std::min<Clock::duration>(std::max(waited * kAlone, penalty_ * 2), kMaxAlone);
  alone_until_ = Clock::now() + penalty_;
}

int64_t ThreadPool::take_tasks(int worker) {
  for (int64_t taken = 0;; ++taken) {
    const int64_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= count_) return taken;
    (*task_)(index, worker);
  }
}

void ThreadPool::work(int worker, const std::vector<int>& cpus) {
  try {
    pin_thread(cpus);
  } catch (const std::exception&) {
    // The session has checked the list; a mask that changed since then is no reason to stop.
  }
  uint32_t last = 0;
  while (await_region(last)) {
    joined_.fetch_add(1);
    if (region_.load() == last) take_tasks(worker);
    joined_.fetch_sub(1);
  }
}

bool ThreadPool::await_region(uint32_t& last) {
  for (;;) {
    uint32_t now = region_.load();
    for (int spin = 0; spin < kWorkerSpins && (now % 2 == 0 || now == last); ++spin) {
      if (closing_.load(std::memory_order_relaxed)) return false;
      _mm_pause();
      now = region_.load();
    }
    if (closing_.load()) return false;
    if (now % 2 == 1 && now != last) {
      last = now;
      return true;
    }
    region_.wait(now);
  }
}

}  // namespace neural_engine
