// Which CPUs this process may use, and how much of them.
#pragma once

#include <vector>

namespace neural_engine {

// The CPUs of the calling thread's affinity mask, in increasing order.
std::vector<int> allowed_cpus();

// The number of threads that the mask and the cgroup's CPU quota (v1 or v2, rounded up) allow: at least 1. More would
// only take turns.
int usable_threads();

// Restricts the calling thread to the CPUs (those outside the allowed mask are refused: Error kInvalidArgument).
void pin_thread(const std::vector<int>& cpus);

}  // namespace neural_engine
