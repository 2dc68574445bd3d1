// How kernels ask for threads without knowing who owns them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/function_ref.h"

namespace neural_engine {

// Runs independent tasks. Implemented by executor/thread_pool; SerialParallel runs them in place. A task must compute
// the same bits whichever thread runs it and however the tasks are shared out: never reduce across tasks in arrival
// order.
class Parallel {
 public:
  virtual ~Parallel() = default;

  // Threads that may run tasks at once, the caller's included; worker indices are below it.
  virtual int threads() const noexcept = 0;

  // Calls task(index, worker) once for each index in [0, count); returns when all are done. Tasks are handed out in
  // increasing order. Tasks do not throw and do not call run() again on the same object.
  virtual void run(int64_t count, FunctionRef<void(int64_t index, int worker)> task) = 0;

  // Splits [0, count) into ranges of at least `grain` elements (a property of the work, not of the threads).
  void ranges(int64_t count, int64_t grain, FunctionRef<void(int64_t begin, int64_t end)> body) {
    if (count <= 0) return;
    const int64_t chunks = std::clamp<int64_t>(count / std::max<int64_t>(grain, 1), 1, int64_t{threads()} * 4);
    if (chunks == 1 || threads() == 1) return body(0, count);
    run(chunks, [&](int64_t chunk, int) { body(count * chunk / chunks, count * (chunk + 1) / chunks); });
  }
};

class SerialParallel final : public Parallel {
 public:
  int threads() const noexcept override { return 1; }
  void run(int64_t count, FunctionRef<void(int64_t, int)> task) override {
    for (int64_t index = 0; index < count; ++index) task(index, 0);
  }
};

}  // namespace neural_engine
