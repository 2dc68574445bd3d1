// Keeps oneDNN's OpenMP to the calling thread.
#pragma once

#include <string>

// Defined by the OpenMP runtime that oneDNN brings, if it brings one: we do not link OpenMP ourselves.
extern "C" {
__attribute__((weak)) void omp_set_num_threads(int);
__attribute__((weak)) int omp_get_max_threads(void);
}

namespace neural_engine::onednn {

// While it lives, parallel regions that this thread opens have one thread. The number is a setting of the calling
// thread alone (an OpenMP internal control variable), so what the user's own OpenMP code sees is left as it was.
// Needed around the creation of primitives too: they are planned for the number of threads of that moment.
class SingleThread {
 public:
  SingleThread() : before_(omp_get_max_threads != nullptr ? omp_get_max_threads() : 1) { set(1); }
  ~SingleThread() { set(before_); }
  SingleThread(const SingleThread&) = delete;
  SingleThread& operator=(const SingleThread&) = delete;

 private:
  static void set(int threads) {
    if (omp_set_num_threads != nullptr) omp_set_num_threads(threads);
  }
  int before_;
};

}  // namespace neural_engine::onednn
