// Emits an Epilogue on a block of accumulators: rows x vecs registers, row by row from register 0.
#pragma once

#include <functional>

#include "kernels/epilogue.h"
#include "kernels/jit/math_emitter.h"
#include "kernels/jit/vec.h"

namespace neural_engine::jit {

// What generated code reads of one operand. The code's caller points `data` at the block's first element.
struct OperandPointer {
  const void* data = nullptr;
  int64_t ld_bytes = 0;
  // Of a grid or of 8-bit elements; the bounds of the levels, zero subtracted.
  float scale = 1.0f, zero = 0.0f, low = 0.0f, high = 0.0f;

  // For an op that takes this operand, at the block's row m and column n.
  static OperandPointer at(const EpilogueOp& op, const EpilogueOperand& operand, int64_t m, int64_t n);
};

struct AccBlock {
  int rows;
  int vecs;
  // The columns end inside the block: `mask` is set by begin_tail(). Operands of 8 bits are read beyond them.
  bool tail;
};

class EpilogueEmitter {
 public:
  // `operands` points to an array of OperandPointer. `column` is an offset in bytes added to row and full operands
  // (nullptr: none). `at` and `step` are clobbered.
  struct Registers {
    Xbyak::Reg64 operands, at, step, mask;
    const Xbyak::Reg64* column;
  };

  EpilogueEmitter(VecGenerator& g, const Epilogue& ops, int first_temp, const Registers& regs)
      : g_(g), ops_(ops), math_(g, first_temp), first_temp_(first_temp), regs_(regs) {}

  void emit(const AccBlock& block);
  // Moves row-wise operands `rows` rows on, in the array itself.
  void advance_rows(int rows);

 private:
  void binary_op(const EpilogueOp& op, int index, const AccBlock& block);
  void grid_op(const EpilogueOp& op, int index, const AccBlock& block);
  void load(const EpilogueOp& op, const Vec& value, int vec, bool tail);
  void apply(const EpilogueOp& op, const Vec& x, const Vec& operand);
  Xbyak::Address operand_field(int index, size_t field) const;
  Xbyak::Address number_field(int index, size_t field) const;

  VecGenerator& g_;
  const Epilogue& ops_;
  MathEmitter math_;
  int first_temp_;
  Registers regs_;
};

}  // namespace neural_engine::jit
