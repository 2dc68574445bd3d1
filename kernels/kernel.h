// What every kernel is: immutable once made, callable from any thread, counted.
#pragma once

#include <atomic>
#include <cstdint>

namespace neural_engine {

class Kernel {
 public:
  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  virtual ~Kernel() = default;

  // Set by the table: where this kernel's runs are counted.
  void count_in(std::atomic<int64_t>* executions) noexcept { executions_ = executions; }

 protected:
  void count() const noexcept {
    if (executions_ != nullptr) executions_->fetch_add(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<int64_t>* executions_ = nullptr;
};

// Scratch memory is given in pieces that start on cache lines.
inline constexpr int64_t kScratchAlignment = 64;
inline int64_t round_up(int64_t value, int64_t multiple) noexcept {
  return (value + multiple - 1) / multiple * multiple;
}
inline int64_t div_up(int64_t value, int64_t divisor) noexcept { return (value + divisor - 1) / divisor; }

}  // namespace neural_engine
