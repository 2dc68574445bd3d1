#include "executor/tools/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace neural_engine::tools {

namespace {

using namespace std::chrono_literals;

constexpr auto kQuiet = 500ms;  // nothing is shown of work that is done sooner
constexpr auto kPeriod = 100ms;
constexpr char kClearLine[] = "\r\033[K";

}  // namespace

Progress::Progress(std::string what, int64_t total)
    : what_(std::move(what)), total_(std::max<int64_t>(total, 1)), shown_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_ && last_ != Clock::time_point{}) std::fputs(kClearLine, stderr);
}

void Progress::advance(int64_t by, const std::string& note) {
  done_ += by;
  if (!shown_) return;
  const Clock::time_point now = Clock::now();
  if (now - start_ < kQuiet || now - last_ < kPeriod) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double left = seconds / static_cast<double>(done_) * static_cast<double>(total_ - done_);
  std::fprintf(stderr, "%s%s %lld/%lld, %.0f s left %s", kClearLine, what_.c_str(), static_cast<long long>(done_),
               static_cast<long long>(total_), left, note.c_str());
}

}  // namespace neural_engine::tools
