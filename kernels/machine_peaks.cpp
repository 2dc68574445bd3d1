#include "kernels/machine_peaks.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "kernels/jit/peak_loops.h"

namespace neural_engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTries = 8;
// Long beside the time in which threads wake up, short beside the time for which a neighbour stays away.
constexpr double kTrySeconds = 5e-3;
// Beyond the last cache, but within a small machine's memory.
constexpr int64_t kMinDramBytes = 64 << 20, kMaxDramBytes = 512 << 20;

double seconds(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// 64-byte aligned, its pages touched.
class Buffer {
 public:
  explicit Buffer(int64_t bytes) : data_(static_cast<char*>(std::aligned_alloc(64, static_cast<size_t>(bytes)))) {
    if (!data_) throw std::bad_alloc();
    std::fill_n(data_.get(), bytes, '\1');
  }
  const char* at(int64_t offset) const { return data_.get() + offset; }

 private:
  struct Free {
    void operator()(char* p) const { std::free(p); }
  };
  std::unique_ptr<char, Free> data_;
};

// Each thread takes one task: body(thread) for all of them at once.
template <class Body>
double best_rate(Parallel& parallel, double work_of_one, Body body) {
  const int threads = parallel.threads();
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const Clock::time_point start = Clock::now();
    parallel.run(threads, [&](int64_t index, int) { body(index); });
    best = std::max(best, work_of_one * threads / seconds(start));
  }
  return best;
}

MachinePeaks::Rate compute_rate(const jit::PeakLoop* loop, Parallel& parallel) {
  if (loop == nullptr) return {};
  int64_t steps = 1000;
  for (;; steps *= 2) {
    const Clock::time_point start = Clock::now();
    loop->run(steps, nullptr);
    if (seconds(start) >= kTrySeconds) break;
  }
  const double work = loop->per_step() * static_cast<double>(steps);
  return {best_rate(parallel, work, [&](int64_t) { loop->run(steps, nullptr); }), loop->name()};
}

// Each thread reads its `bytes` of the buffer, again and again until kTrySeconds have passed for sure.
MachinePeaks::Rate read_rate(const jit::PeakLoop& loop, int64_t bytes, Parallel& parallel) {
  bytes = std::max<int64_t>(bytes / jit::PeakLoop::kReadBytes, 1) * jit::PeakLoop::kReadBytes;
  const Buffer buffer(bytes * parallel.threads());
  const int64_t rounds = std::max<int64_t>(static_cast<int64_t>(kTrySeconds * 20e9) / bytes, 1);
  const double work = static_cast<double>(bytes * rounds);
  const double rate = best_rate(parallel, work, [&](int64_t thread) {
    for (int64_t i = 0; i < rounds; ++i) loop.run(bytes / jit::PeakLoop::kReadBytes, buffer.at(thread * bytes));
  });
  return {rate, loop.name()};
}

}  // namespace

MachinePeaks measure_peaks(const CpuInfo& cpu, Parallel& parallel) {
  const int threads = parallel.threads();
  MachinePeaks peaks;
  peaks.threads = threads;
  peaks.l2_bytes = static_cast<double>(cpu.l2_bytes * threads);
  peaks.l3_bytes = static_cast<double>(cpu.l3_bytes);
  peaks.f32 = compute_rate(jit::f32_loop(cpu).get(), parallel);
  peaks.bf16 = compute_rate(jit::bf16_loop(cpu).get(), parallel);
  peaks.int8 = compute_rate(jit::int8_loop(cpu).get(), parallel);
  const std::unique_ptr<jit::PeakLoop> reading = jit::read_loop(cpu);
  // Half of a cache each, for the code and the system have some of it; L3 beyond what the L2 caches hold.
  peaks.l2 = read_rate(*reading, cpu.l2_bytes / 2, parallel);
  peaks.l3 = read_rate(*reading, std::max(cpu.l3_bytes / 2 / threads, cpu.l2_bytes * 2), parallel);
  const int64_t far = std::clamp(cpu.l3_bytes * 3, kMinDramBytes, kMaxDramBytes);
  peaks.dram = read_rate(*reading, far / threads, parallel);
  return peaks;
}

}  // namespace neural_engine
