// A line on standard error that counts, when standard error is a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace neural_engine::tools {

class Progress {
 public:
  Progress(std::string what, int64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `note` stands behind the counter ("accuracy 0.61").
  void advance(int64_t by, const std::string& note = {});

 private:
  using Clock = std::chrono::steady_clock;

  std::string what_;
  int64_t total_;
  int64_t done_ = 0;
  bool shown_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_{};
};

}  // namespace neural_engine::tools
