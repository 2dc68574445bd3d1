// Times of the steps of a run.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace neural_engine {

// One entry per step of the plan, in order. Given to a run, it is filled; it belongs to one run at a time.
struct Profile {
  struct Entry {
    int64_t begin_ns;  // since `start`
    int64_t end_ns;
  };
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  std::vector<Entry> steps;

  int64_t now_ns() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
  }
};

}  // namespace neural_engine
