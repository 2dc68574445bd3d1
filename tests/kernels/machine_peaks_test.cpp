#include "kernels/machine_peaks.h"

#include <gtest/gtest.h>

#include "emulator/emulation.h"
#include "kernels/jit/peak_loops.h"

namespace neural_engine {
namespace {

alignas(64) char memory[2 * jit::PeakLoop::kReadBytes];

// Every loop runs, on the instructions of whichever CPU.
TEST(PeakLoops, RunOnEveryIsa) {
  const CpuInfo best = emulator::test_cpu();
  for (int isa = 0; isa < kIsaCount; ++isa) {
    const CpuInfo cpu = limited(best, static_cast<Isa>(isa));
    SCOPED_TRACE(to_string(static_cast<Isa>(isa)));
    for (const auto& make : {jit::f32_loop, jit::bf16_loop, jit::int8_loop, jit::read_loop}) {
      const auto loop = make(cpu);
      if (!loop) continue;
      SCOPED_TRACE(loop->name());
      loop->run(2, memory);
      EXPECT_GT(loop->per_step(), 0);
    }
  }
}

TEST(PeakLoops, OperationsOfARound) {
  const CpuInfo best = emulator::test_cpu();
  EXPECT_EQ(jit::f32_loop(limited(best, Isa::kAvx2))->per_step(), 12 * 8 * 2);
  EXPECT_EQ(jit::int8_loop(limited(best, Isa::kAvx2))->per_step(), 12 * 32 * 2);
  if (best.has(Isa::kAmxInt8)) {
    EXPECT_EQ(jit::int8_loop(best)->per_step(), 4 * 16 * 16 * 64 * 2);
  }
}

TEST(MachinePeaks, NearerMemoryIsNoSlower) {
  SerialParallel serial;
  const MachinePeaks peaks = measure_peaks(cpu(), serial);
  EXPECT_GT(peaks.f32.per_second, 1e9);
  EXPECT_GT(peaks.int8.per_second, 1e9);
  // Half, for a machine that others use.
  EXPECT_GT(peaks.l2.per_second, peaks.dram.per_second / 2);
}

}  // namespace
}  // namespace neural_engine
