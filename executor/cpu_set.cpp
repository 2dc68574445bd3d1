#include "executor/cpu_set.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "base/error.h"

namespace neural_engine {

namespace {

// A mask for machines of any size: the kernel refuses one that is too small.
constexpr int kMaxCpus = 8192;

struct FreeCpuSet {
  void operator()(cpu_set_t* set) const { CPU_FREE(set); }
};
using CpuSetPtr = std::unique_ptr<cpu_set_t, FreeCpuSet>;

// The quota in CPUs of one cgroup folder; 0 when there is none.
double quota_of(const std::string& folder) {
  double quota = 0, period = 0;
  if (std::ifstream v2(folder + "/cpu.max"); v2 >> quota >> period) return period > 0 ? quota / period : 0;
  std::ifstream v1_quota(folder + "/cpu.cfs_quota_us"), v1_period(folder + "/cpu.cfs_period_us");
  if (v1_quota >> quota && v1_period >> period && quota > 0 && period > 0) return quota / period;
  return 0;
}

// The smallest quota on the way from the process's cgroup to the root.
double cgroup_quota() {
  double smallest = 0;
  const auto consider = [&](const std::string& folder) {
    const double quota = quota_of(folder);
    if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
  };
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers.find("cpu") == std::string::npos) continue;
    const std::string root = controllers.empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/" + controllers;
    for (std::string path = line.substr(second + 1);; path.erase(path.rfind('/'))) {
      consider(root + path);
      if (path.empty() || path.rfind('/') == std::string::npos) break;
    }
  }
  return smallest;
}

}  // namespace

std::vector<int> allowed_cpus() {
  const CpuSetPtr set(CPU_ALLOC(kMaxCpus));
  const size_t size = CPU_ALLOC_SIZE(kMaxCpus);
  std::vector<int> cpus;
  if (set && sched_getaffinity(0, size, set.get()) == 0) {
    for (int cpu = 0; cpu < kMaxCpus; ++cpu) {
      if (CPU_ISSET_S(static_cast<size_t>(cpu), size, set.get())) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

int usable_threads() {
  const int mask = static_cast<int>(allowed_cpus().size());
  const double quota = cgroup_quota();
  return quota > 0 ? std::max(1, std::min(mask, static_cast<int>(std::ceil(quota)))) : mask;
}

void pin_thread(const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  const CpuSetPtr set(CPU_ALLOC(kMaxCpus));
  require(set != nullptr, Code::kOutOfMemory, "no memory for a CPU mask");
  const size_t size = CPU_ALLOC_SIZE(kMaxCpus);
  CPU_ZERO_S(size, set.get());
  for (int cpu : cpus) {
    require(cpu >= 0 && cpu < kMaxCpus, Code::kInvalidArgument, "there is no CPU ", cpu);
    CPU_SET_S(static_cast<size_t>(cpu), size, set.get());
  }
  if (sched_setaffinity(0, size, set.get()) != 0) {
    std::ostringstream list;
    for (int cpu : cpus) list << " " << cpu;
    fail(Code::kInvalidArgument, "cannot run on the CPUs", list.str(), ": ", std::strerror(errno));
  }
}

}  // namespace neural_engine
