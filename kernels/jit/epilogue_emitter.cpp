#include "kernels/jit/epilogue_emitter.h"

#include <cstddef>

namespace neural_engine::jit {

OperandPointer OperandPointer::at(const EpilogueOp& op, const EpilogueOperand& operand, int64_t m, int64_t n) {
  const bool bytes = op.operand_dtype != DType::kF32;
  const int64_t elem = bytes ? 1 : int64_t{sizeof(float)};
  OperandPointer pointer = {.data = operand.data, .ld_bytes = operand.ld * elem};
  const auto zero = static_cast<float>(operand.zero);
  if (bytes) {
    const float lowest = op.operand_dtype == DType::kU8 ? 0.0f : -128.0f;
    pointer.scale = operand.scale;
    pointer.zero = zero;
    pointer.low = lowest - zero;
    pointer.high = lowest + 255.0f - zero;
  }
  if (op.kind != EpilogueOp::Kind::kBinary) return pointer;
  int64_t first = 0;
  if (op.spread == Spread::kRow) first = n;
  if (op.spread == Spread::kColumn) first = m;
  if (op.spread == Spread::kFull) first = m * operand.ld + n;
  pointer.data = static_cast<const char*>(operand.data) + first * elem;
  return pointer;
}

Xbyak::Address EpilogueEmitter::operand_field(int index, size_t field) const {
  return g_.qword[regs_.operands + index * static_cast<int>(sizeof(OperandPointer)) + static_cast<int>(field)];
}

Xbyak::Address EpilogueEmitter::number_field(int index, size_t field) const {
  return g_.dword[regs_.operands + index * static_cast<int>(sizeof(OperandPointer)) + static_cast<int>(field)];
}

// Op by op over the whole block: the blocks' chains are independent, so the CPU overlaps them.
void EpilogueEmitter::emit(const AccBlock& block) {
  int operand = 0;
  for (const EpilogueOp& op : ops_) {
    if (op.kind == EpilogueOp::Kind::kBinary) {
      binary_op(op, operand++, block);
      continue;
    }
    if (op.kind == EpilogueOp::Kind::kGrid) {
      grid_op(op, operand++, block);
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

  if (op.operand_dtype != DType::kF32) {
    g_.vbroadcastss(g_.v(first_temp_ + 1), number_field(index, offsetof(OperandPointer, zero)));
    g_.vbroadcastss(g_.v(first_temp_ + 2), number_field(index, offsetof(OperandPointer, scale)));
  }
  if (op.spread == Spread::kRow) {
    for (int vec = 0; vec < block.vecs; ++vec) {
      load(op, value, vec, block.tail);
      for (int row = 0; row < block.rows; ++row) apply(op, g_.v(row * block.vecs + vec), value);
    }
    return;
  }
  for (int row = 0; row < block.rows; ++row) {
    if (op.spread == Spread::kColumn) g_.vbroadcastss(value, g_.dword[regs_.at + row * 4]);
    for (int vec = 0; vec < block.vecs; ++vec) {
      if (op.spread == Spread::kFull) load(op, value, vec, block.tail);
      apply(op, g_.v(row * block.vecs + vec), value);
    }
    if (op.spread == Spread::kFull && row + 1 < block.rows) g_.add(regs_.at, regs_.step);
  }
}

void EpilogueEmitter::load(const EpilogueOp& op, const Vec& value, int vec, bool tail) {
  if (op.operand_dtype == DType::kF32) {
    const Xbyak::Address src = g_.ptr[regs_.at + vec * g_.vec_bytes()];
    tail ? g_.load_tail(value, src, regs_.mask, vec) : g_.vmovups(value, src);
    return;
  }
  const Xbyak::Address src = g_.ptr[regs_.at + vec * g_.lanes()];
  op.operand_dtype == DType::kU8 ? g_.vpmovzxbd(value, src) : g_.vpmovsxbd(value, src);
  g_.vcvtdq2ps(value, value);
  g_.vsubps(value, value, g_.v(first_temp_ + 1));
  g_.vmulps(value, value, g_.v(first_temp_ + 2));
}

// Bounds first, so that what is rounded fits. Through integers, where 0 has one sign.
void EpilogueEmitter::grid_op(const EpilogueOp& op, int index, const AccBlock& block) {
  const Vec scale = g_.v(first_temp_), low = g_.v(first_temp_ + 1), high = g_.v(first_temp_ + 2),
            scratch = g_.v(first_temp_ + 3);
  const int count = block.rows * block.vecs;
  g_.vbroadcastss(scale, number_field(index, offsetof(OperandPointer, scale)));
  g_.vbroadcastss(low, number_field(index, offsetof(OperandPointer, low)));
  g_.vbroadcastss(high, number_field(index, offsetof(OperandPointer, high)));
  for (int i = 0; i < count; ++i) {
    const Vec x = g_.v(i);
    g_.vdivps(x, x, scale);
    g_.zero_nan(x, scratch);
    g_.vmaxps(x, low, x);
    g_.vminps(x, high, x);
    g_.vcvtps2dq(x, x);
    g_.vcvtdq2ps(x, x);
    if (!op.levels) g_.vmulps(x, x, scale);
  }
  if (!op.levels) return;
  g_.vbroadcastss(scale, number_field(index, offsetof(OperandPointer, zero)));
  for (int i = 0; i < count; ++i) g_.vaddps(g_.v(i), g_.v(i), scale);
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
      return g_.keep_nan(x, fixed, left, is_nan);
  }
}

void EpilogueEmitter::advance_rows(int rows) {
  int index = 0;
  for (const EpilogueOp& op : ops_) {
    if (!takes_operand(op)) continue;
    if (op.kind == EpilogueOp::Kind::kGrid) {
      ++index;
      continue;
    }
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
