#include "kernels/jit/int_matmul_vec.h"

#include <array>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/jit/epilogue_emitter.h"
#include "kernels/jit/vec.h"
#include "kernels/pack/int_panels.h"

namespace neural_engine::jit {
namespace {

constexpr int kVecs = 2;
constexpr int kPairs = pack::IntPanelShape::kStep / 2;
constexpr int kPairBytes = pack::IntPanelShape::kWidth * 2;  // of B

// Tiles of so many rows: void(IntStripCall*).
class IntStripGenerator final : public VecGenerator {
 public:
  IntStripGenerator(Isa isa, int rows, const Epilogue& ops)
      : VecGenerator(isa),
        rows_(rows),
        first_temp_(rows * kVecs),
        epilogue_(*this, ops, first_temp_, {operands_, at_, step_, mask_, nullptr}) {
    emit();
    finish("int_matmul_vec_" + std::to_string(rows));
  }

 private:
  Xbyak::Address field(size_t offset) { return qword[call_ + static_cast<int>(offset)]; }
  Vec acc(int row, int vec) const { return v(row * kVecs + vec); }
  Vec temp(int index) const { return v(first_temp_ + index); }

  void emit() {
    Xbyak::Label tile, tail, next;
    preamble();
    mov(operands_, field(offsetof(IntStripCall, operands)));
    mov(a_row_, field(offsetof(IntStripCall, a_row_bytes)));
    mov(c_row_, field(offsetof(IntStripCall, c_row_bytes)));
    mov(count_, field(offsetof(IntStripCall, cols)));
    begin_tail(mask_, count_);
    L(tile);
    for (int i = 0; i < first_temp_; ++i) zero(v(i));
    k_loop();
    cmp(field(offsetof(IntStripCall, cols)), pack::IntPanelShape::kWidth);
    jl(tail, T_NEAR);
    finish_tile(false);
    jmp(next, T_NEAR);
    L(tail);
    finish_tile(true);
    L(next);
    advance();
    dec(field(offsetof(IntStripCall, tiles)));
    jnz(tile, T_NEAR);
    postamble();
  }

  void k_loop() {
    Xbyak::Label loop;
    mov(a_, field(offsetof(IntStripCall, a)));
    mov(b_, field(offsetof(IntStripCall, b)));
    mov(count_, field(offsetof(IntStripCall, steps)));
    if (rows_ > 3) {
      lea(a3_, ptr[a_ + a_row_ * 2]);
      add(a3_, a_row_);
    }
    align(32);
    L(loop);
    for (int pair = 0; pair < kPairs; ++pair) k_pair(pair);
    add(a_, kPairs * 4);
    if (rows_ > 3) add(a3_, kPairs * 4);
    add(b_, kPairs * kPairBytes);
    dec(count_);
    jnz(loop, T_NEAR);
  }

  Xbyak::Address a_at(int row, int pair) {
    const Xbyak::Reg64& base = row < 3 ? a_ : a3_;
    if (row % 3 == 0) return dword[base + 4 * pair];
    return dword[base + a_row_ * (row % 3) + 4 * pair];
  }

  void k_pair(int pair) {
    for (int vec = 0; vec < kVecs; ++vec)
      vpmovsxbw(Xbyak::Ymm(temp(vec).getIdx()), ptr[b_ + pair * kPairBytes + vec * kPairBytes / kVecs]);
    for (int row = 0; row < rows_; ++row) {
      vpbroadcastd(temp(2), a_at(row, pair));
      vpmaddwd(temp(3), temp(2), temp(0));
      vpaddd(acc(row, 0), acc(row, 0), temp(3));
      vpmaddwd(temp(2), temp(2), temp(1));
      vpaddd(acc(row, 1), acc(row, 1), temp(2));
    }
  }

  void finish_tile(bool tail) {
    mov(at_, field(offsetof(IntStripCall, scale_b)));
    mov(step_, field(offsetof(IntStripCall, scale_a)));
    for (int vec = 0; vec < kVecs; ++vec) load_or_tail(temp(vec), at_, vec, tail);
    for (int row = 0; row < rows_; ++row) {
      vbroadcastss(temp(2), dword[step_ + row * 4]);
      for (int vec = 0; vec < kVecs; ++vec) {
        vmulps(temp(3), temp(2), temp(vec));
        vcvtdq2ps(acc(row, vec), acc(row, vec));
        vmulps(acc(row, vec), acc(row, vec), temp(3));
      }
    }
    epilogue_.emit({rows_, kVecs, tail});
    mov(at_, field(offsetof(IntStripCall, c)));
    for (int row = 0; row < rows_; ++row) {
      for (int vec = 0; vec < kVecs; ++vec) {
        const Xbyak::Address dst = ptr[at_ + vec * vec_bytes()];
        tail ? store_tail(dst, acc(row, vec), temp(0), mask_, vec) : vmovups(dst, acc(row, vec));
      }
      if (row + 1 < rows_) add(at_, c_row_);
    }
  }

  void load_or_tail(const Vec& dst, const Xbyak::Reg64& from, int vec, bool tail) {
    const Xbyak::Address src = ptr[from + vec * vec_bytes()];
    tail ? load_tail(dst, src, mask_, vec) : vmovups(dst, src);
  }

  void advance() {
    imul(at_, a_row_, rows_);
    add(field(offsetof(IntStripCall, a)), at_);
    imul(at_, c_row_, rows_);
    add(field(offsetof(IntStripCall, c)), at_);
    add(field(offsetof(IntStripCall, scale_a)), rows_ * 4);
    epilogue_.advance_rows(rows_);
  }

  const int rows_;
  const int first_temp_;
  const Xbyak::Reg64 call_ = rdi, a_ = rsi, a3_ = r8, a_row_ = r9, b_ = rdx, count_ = rcx, c_row_ = r13, mask_ = r14,
                     operands_ = r15, at_ = rbp, step_ = rbx;
  EpilogueEmitter epilogue_;
};

class IntMatmulVecCode final : public IntMatmulVec {
 public:
  IntMatmulVecCode(Isa isa, const Epilogue& ops) {
    for (int rows = 1; rows <= kMaxRows; ++rows)
      code_[static_cast<size_t>(rows - 1)] = std::make_unique<IntStripGenerator>(isa, rows, ops);
  }
  void run(IntStripCall& call, int rows) const override {
    code_[static_cast<size_t>(rows - 1)]->entry<void(IntStripCall*)>()(&call);
  }

 private:
  std::array<std::unique_ptr<IntStripGenerator>, kMaxRows> code_;
};

}  // namespace

// Shared while any kernel uses it, as MatmulVec's code is; a list of few epilogues, compared one by one.
std::shared_ptr<const IntMatmulVec> IntMatmulVec::get(Isa isa, const Epilogue& epilogue) {
  struct Entry {
    Isa isa;
    Epilogue epilogue;
    std::weak_ptr<const IntMatmulVec> code;
  };
  static std::mutex mutex;
  static std::vector<Entry> cache;
  const std::lock_guard<std::mutex> lock(mutex);
  std::erase_if(cache, [](const Entry& entry) { return entry.code.expired(); });
  for (const Entry& entry : cache)
    if (entry.isa == isa && entry.epilogue == epilogue)
      if (std::shared_ptr<const IntMatmulVec> code = entry.code.lock()) return code;
  std::shared_ptr<const IntMatmulVec> code =
      generate("int_matmul_vec", [&] { return std::make_shared<IntMatmulVecCode>(isa, epilogue); });
  cache.push_back({isa, epilogue, code});
  return code;
}

}  // namespace neural_engine::jit
