// Bindings ask the kernel table here, so that `explain` tells which row runs and why the others do not.
#pragma once

#include <memory>

#include "executor/op_binding.h"
#include "kernels/kernel_table.h"

namespace neural_engine {

// The cheapest kernel for the request, its row and the rejected ones recorded in `bound`. Throws Error(kUnsupported)
// when no row takes it.
template <class Desc>
std::shared_ptr<typename Desc::Kernel> choose_kernel(const Desc& desc, BoundOp* bound) {
  Selection<Desc> selection = select(desc);
  bound->kernel = selection.row->name;
  for (const Rejection& each : selection.rejected) bound->rejected.push_back(each.row + ": " + each.reason);
  return std::move(selection.kernel);
}

}  // namespace neural_engine
