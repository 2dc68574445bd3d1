// The one list of kernels. Per kind a table of rows; the cheapest row that supports a request on this CPU wins, and the
// selection says why each other row did not. Tests and benchmarks iterate over the same rows.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/attention.h"
#include "kernels/eltwise.h"
#include "kernels/int_matmul.h"
#include "kernels/isa.h"
#include "kernels/matmul.h"
#include "kernels/norm.h"

namespace neural_engine {

template <class Desc>
struct KernelRow {
  const char* name;  // kind.dtypes.isa[.variant], or kind.reference, kind.dtypes.onednn
  Isa needs;
  std::string (*supports)(const Desc&);                         // empty, or why not
  double (*cost)(const Desc&, const CpuInfo&);                  // estimated microseconds on one thread
  std::unique_ptr<typename Desc::Kernel> (*make)(const Desc&);  // the descriptor is supported, the CPU has `needs`
  mutable std::atomic<int64_t> executions{0};                   // runs of this row's kernels in this process
};

// The rows of one kind, the last of which is the reference. Instantiated for MatmulDesc, IntMatmulDesc,
// AttentionDesc, SoftmaxDesc, NormDesc and EltwiseDesc.
template <class Desc>
std::span<const KernelRow<Desc>> kernel_rows();

struct Rejection {
  std::string row;
  std::string reason;  // "needs avx512", what supports() said, or "costs 12.1 us, 3.4 us won"
};

template <class Desc>
struct Selection {
  const KernelRow<Desc>* row = nullptr;
  std::unique_ptr<typename Desc::Kernel> kernel;
  double cost_us = 0;
  std::vector<Rejection> rejected;
};

// Empty, or why `row` cannot serve the request on `info`.
template <class Desc>
std::string refusal(const KernelRow<Desc>& row, const Desc& desc, const CpuInfo& info);

// A kernel of this row, its runs counted there. The row must not refuse the request.
template <class Desc>
std::unique_ptr<typename Desc::Kernel> make_kernel(const KernelRow<Desc>& row, const Desc& desc);

// The cheapest row that does not refuse. Throws Error(kUnsupported), naming every row's reason, when all do.
template <class Desc>
Selection<Desc> select(const Desc& desc, const CpuInfo& info = cpu());

// Every row of every kind, for reports.
struct RowStatus {
  std::string name;
  Isa needs;
  int64_t executions;
};
std::vector<RowStatus> kernel_status();

}  // namespace neural_engine
