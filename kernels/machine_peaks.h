// The limits of this machine, measured: what rooflines are drawn from (Williams, Waterman and Patterson, "Roofline: an
// insightful visual performance model for multicore architectures", 2009).
#pragma once

#include <string>

#include "base/parallel.h"
#include "kernels/isa.h"

namespace neural_engine {

// Rates of all threads together. A neighbour on a core lowers them, so each is the best of several tries.
struct MachinePeaks {
  struct Rate {
    double per_second = 0;  // operations (a multiply-add is two) or bytes; 0: this CPU has no instruction for it
    std::string loop;       // what was run
  };
  int threads = 1;
  Rate f32, bf16, int8;
  Rate l2, l3, dram;          // reading
  double l2_bytes, l3_bytes;  // of the threads together: what may stay in which cache
};

// Takes about half a second for each number of threads.
MachinePeaks measure_peaks(const CpuInfo& cpu, Parallel& parallel);

}  // namespace neural_engine
