#include "kernels/jit/epilogue_emitter.h"

#include <cstddef>

namespace neural_engine::jit {

Xbyak::Address EpilogueEmitter::operand_field(int index, size_t field) const {
  return g_.qword[regs_.operands + index * static_cast<int>(sizeof(OperandPointer)) + static_cast<int>(field)];
}

// Op by op over the whole block: the blocks' chains are independent, so the CPU overlaps them.
void EpilogueEmitter::emit(const AccBlock& block) {
  int operand = 0;
  for (const EpilogueOp& op : ops_) {
    if (op.kind == EpilogueOp::Kind::kBinary) {
      binary_op(op, operand++, block);
      continue;
    }
    for (int i = 0; i < block.rows * block.vecs; ++i) math_.emit(op, g_.v(i));
  }
}

void EpilogueEmitter::binary_op(const EpilogueOp& op, int index, const AccBlock& block) {
  const Vec value = g_.v(first_temp_);
  const bool by_column = op.spread == Spread::kRow || op.spread == Spread::kFull;
  g_.mov(regs_.at, operand_field(index, offsetof(OperandPointer, data)));
  if (by_column && regs_.column != nullptr) g_.add(regs_.at, *regs_.column);
  if (op.spread == Spread::kFull && block.rows > 1)
    g_.mov(regs_.step, operand_field(index, offsetof(OperandPointer, ld_bytes)));
  if (op.spread == Spread::kScalar) g_.vbroadcastss(value, g_.dword[regs_.at]);

  const auto load = [&](int vec) {
    const Xbyak::Address src = g_.ptr[regs_.at + vec * g_.vec_bytes()];
    block.tail ? g_.load_tail(value, src, regs_.mask, vec) : g_.vmovups(value, src);
  };
  if (op.spread == Spread::kRow) {
    for (int vec = 0; vec < block.vecs; ++vec) {
      load(vec);
      for (int row = 0; row < block.rows; ++row) apply(op, g_.v(row * block.vecs + vec), value);
    }
    return;
  }
  for (int row = 0; row < block.rows; ++row) {
    if (op.spread == Spread::kColumn) g_.vbroadcastss(value, g_.dword[regs_.at + row * 4]);
    for (int vec = 0; vec < block.vecs; ++vec) {
      if (op.spread == Spread::kFull) load(vec);
      apply(op, g_.v(row * block.vecs + vec), value);
    }
    if (op.spread == Spread::kFull && row + 1 < block.rows) g_.add(regs_.at, regs_.step);
  }
}

// min and max: NaN on either side gives NaN, as the reference has it. The instruction returns its second source when
// one is NaN, so x | operand-is-NaN needs a second look only at the first source.
void EpilogueEmitter::apply(const EpilogueOp& op, const Vec& x, const Vec& operand) {
  const Vec& left = op.reversed ? operand : x;
  const Vec& right = op.reversed ? x : operand;
  const Vec fixed = g_.v(first_temp_ + 1), is_nan = g_.v(first_temp_ + 2);
  switch (op.binary) {
    case BinaryOp::kAdd: return g_.vaddps(x, left, right);
    case BinaryOp::kSub: return g_.vsubps(x, left, right);
    case BinaryOp::kMul: return g_.vmulps(x, left, right);
    case BinaryOp::kDiv: return g_.vdivps(x, left, right);
    case BinaryOp::kMax:
    case BinaryOp::kMin:
      op.binary == BinaryOp::kMax ? g_.vmaxps(fixed, left, right) : g_.vminps(fixed, left, right);
      g_.vcmpps(is_nan, left, left, 3);  // unordered
      return g_.vblendvps(x, fixed, left, is_nan);
  }
}

void EpilogueEmitter::advance_rows(int rows) {
  int index = 0;
  for (const EpilogueOp& op : ops_) {
    if (op.kind != EpilogueOp::Kind::kBinary) continue;
    const Xbyak::Address data = operand_field(index, offsetof(OperandPointer, data));
    if (op.spread == Spread::kColumn) g_.add(data, rows * 4);
    if (op.spread == Spread::kFull) {
      g_.imul(regs_.step, operand_field(index, offsetof(OperandPointer, ld_bytes)), rows);
      g_.add(data, regs_.step);
    }
    ++index;
  }
}

}  // namespace neural_engine::jit
