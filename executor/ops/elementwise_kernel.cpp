// Element-wise ops on the kernel table's rows.
#include <cstring>
#include <optional>

#include "executor/ops/elementwise.h"
#include "kernels/kernel_table.h"

namespace neural_engine {

namespace {

// Below this, generating code for a node takes longer than many runs of its loop.
constexpr int64_t kFewElements = 256;

// A kernel faster than the plain loops, or nullptr: the table's reference is written to define, not to run.
std::shared_ptr<const EltwiseKernel> faster_kernel(const EltwiseDesc& desc, BoundOp* bound) {
  if (desc.m * desc.n < kFewElements) {
    bound->rejected.push_back("eltwise: fewer than 256 elements");
    return nullptr;
  }
  Selection<EltwiseDesc> selection = select(desc);
  for (const Rejection& each : selection.rejected) bound->rejected.push_back(each.row + ": " + each.reason);
  if (std::strstr(selection.row->name, "reference") != nullptr) return nullptr;
  bound->kernel = selection.row->name;
  return std::move(selection.kernel);
}

// Which operand is the whole matrix, and how the other spreads over it.
struct Form {
  int full;
  Spread spread;
  int64_t m, n;
};

std::optional<Form> form_of(const Broadcast& plan) {
  const Shape& dims = plan.dims();
  const std::vector<int64_t>& a = plan.strides(0);
  const std::vector<int64_t>& b = plan.strides(1);
  if (dims.size() == 1) {
    const int full = a[0] != 0 ? 0 : 1;
    return Form{full, a[0] == b[0] ? Spread::kFull : Spread::kScalar, 1, dims[0]};
  }
  if (dims.size() != 2) return std::nullopt;
  const std::vector<int64_t> whole = dense_strides(dims);
  for (int full : {0, 1}) {
    const std::vector<int64_t>& other = full == 0 ? b : a;
    if (plan.strides(full) != whole) continue;
    if (other[0] == 0 && other[1] == 1) return Form{full, Spread::kRow, dims[0], dims[1]};
    if (other[0] == 1 && other[1] == 0) return Form{full, Spread::kColumn, dims[0], dims[1]};
  }
  return std::nullopt;
}

}  // namespace

bool bind_kernel(const BindContext& context, const EpilogueOp& op, BoundOp* bound) {
  const int64_t elems = Tensor::borrow(DType::kF32, context.shape(0), nullptr).elems();
  if (context.dtype(0) != DType::kF32 || elems == 0) return false;
  std::shared_ptr<const EltwiseKernel> kernel = faster_kernel({.ops = {op}, .m = 1, .n = elems}, bound);
  if (kernel == nullptr) return false;
  bound->run = [kernel, elems](OpContext& op_context) {
    kernel->run({.m = 1,
                 .n = elems,
                 .src = op_context.input(0).raw(),
                 .ld_src = elems,
                 .dst = op_context.output(0).raw(),
                 .ld_dst = elems,
                 .operands = {}},
                op_context.parallel);
  };
  return true;
}

bool bind_kernel(const BindContext& context, BinaryOp op, const Broadcast& plan, BoundOp* bound) {
  if (context.dtype(0) != DType::kF32 || plan.elems() == 0) return false;
  const std::optional<Form> form = form_of(plan);
  if (!form) {
    bound->rejected.push_back("eltwise: the operands spread over more than two dimensions");
    return false;
  }
  const EltwiseDesc desc{.ops = {binary(op, form->spread, form->full == 1)}, .m = form->m, .n = form->n};
  std::shared_ptr<const EltwiseKernel> kernel = faster_kernel(desc, bound);
  if (kernel == nullptr) return false;
  bound->run = [kernel, form = *form](OpContext& op_context) {
    const EpilogueOperand operand{.data = op_context.input(1 - form.full).raw(), .ld = form.n};
    kernel->run({.m = form.m,
                 .n = form.n,
                 .src = op_context.input(form.full).raw(),
                 .ld_src = form.n,
                 .dst = op_context.output(0).raw(),
                 .ld_dst = form.n,
                 .operands = {&operand, 1}},
                op_context.parallel);
  };
  return true;
}

}  // namespace neural_engine
