// A (batched, broadcast) matrix product of a node, prepared for known shapes: the kernel chosen, a constant B packed,
// the staging of what the kernels do not take laid out in scratch memory. Used by MatMul, Gemm and FusedMatMul.
//
// f32 runs the kernel table's rows directly. f16 and bf16 are staged through f32 (a constant B when it is packed), so
// that sums are f32 and each result is rounded once. f64 and integers run plain loops, without operands.
#pragma once

#include <memory>
#include <vector>

#include "executor/op_binding.h"
#include "executor/ops/post_ops.h"
#include "kernels/matmul.h"

namespace neural_engine {

struct MatmulProblem {
  DType dtype = DType::kF32;
  Shape a = {}, b = {};  // shapes of inputs 0 and 1, of rank 2 or more
  bool trans_a = false, trans_b = false;
  float alpha = 1.0f;
  Epilogue epilogue = {};
  std::vector<PlanOperand> operands = {};  // one per binary op of the epilogue
};

class MatmulPlan {
 public:
  // `bound` receives the kernel's name, the rejected rows and the scratch size.
  MatmulPlan(const MatmulProblem& problem, const BindContext& context, BoundOp* bound);

  // Inputs 0 and 1 of the node, and those of the operands, to output 0.
  void run(OpContext& context) const;

 private:
  // One matrix of each operand for `batch` products with constant steps; broadcasts that no step describes are told as
  // several calls. Units: matrices.
  struct Call {
    int64_t a = 0, b = 0, c = 0;
  };
  struct Staged {  // scratch bytes; absent when the kernel reads the tensor itself
    size_t offset = 0;
    bool used = false;
  };

  void lay_out_batches();
  void choose(const BindContext& context, BoundOp* bound);
  void pack_weight(const BindContext& context);
  void reserve(Staged* staged, int64_t bytes);
  void stage(Staged* staged, int64_t elems);  // of f32
  size_t operand_elems(size_t i) const;

  const float* staged_a(OpContext& context) const;
  const float* staged_b(OpContext& context) const;
  const void* staged_operand(OpContext& context, size_t i) const;
  void run_kernel(OpContext& context) const;
  template <class T>
  void run_loops(OpContext& context) const;
  MatmulArgs arguments() const;

  MatmulProblem problem_;
  bool through_table_ = false;
  int64_t m_ = 0, n_ = 0, k_ = 0;
  int64_t batch_ = 1, a_step_ = 0, b_step_ = 0;
  std::vector<Call> calls_;
  std::shared_ptr<MatmulKernel> kernel_;
  Tensor packed_;
  Staged a_, b_, c_, list_, work_;
  std::vector<Staged> operands_;
  size_t scratch_bytes_ = 0;
};

}  // namespace neural_engine
