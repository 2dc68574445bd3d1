// Loops that do nothing but what a CPU's limit is made of: independent multiply-adds, or reads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kernels/isa.h"

namespace neural_engine::jit {

// One loop, generated for one instruction set.
class PeakLoop {
 public:
  virtual ~PeakLoop() = default;
  // `steps` rounds, 1 or more; the loops that read walk over 512 bytes of `memory` in each (64-byte aligned).
  virtual void run(int64_t steps, const void* memory) const = 0;
  // Multiplications and additions of a round; bytes for a loop that reads.
  virtual double per_step() const = 0;
  // "vpdpbusd zmm"
  virtual std::string name() const = 0;

  static constexpr int64_t kReadBytes = 512;
};

// The fastest that `cpu` has for products of f32, of bf16 (none without an instruction for them: null) and of 8-bit
// integers, and for reading.
std::unique_ptr<PeakLoop> f32_loop(const CpuInfo& cpu);
std::unique_ptr<PeakLoop> bf16_loop(const CpuInfo& cpu);
std::unique_ptr<PeakLoop> int8_loop(const CpuInfo& cpu);
std::unique_ptr<PeakLoop> read_loop(const CpuInfo& cpu);

}  // namespace neural_engine::jit
