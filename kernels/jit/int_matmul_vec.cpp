#include "kernels/jit/int_matmul_vec.h"

#include <array>
#include <atomic>
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
constexpr int kMostRows = 12;

// Tiles of so many rows: void(IntStripCall*).
class IntStripGenerator final : public VecGenerator {
 public:
  IntStripGenerator(const IntMatmulVec::Form& form, int rows)
      : VecGenerator(form.isa),
        form_(form),
        rows_(rows),
        first_temp_(rows * kVecs),
        result_(result_dtype(form.epilogue)),
        epilogue_(*this, form_.epilogue, first_temp_, {operands_, at_, step_, mask_, nullptr}) {
    emit();
    finish("int_matmul_vec_" + std::to_string(rows));
  }

 private:
  Xbyak::Address field(size_t offset) { return qword[call_ + static_cast<int>(offset)]; }
  Vec acc(int row, int vec) const { return v(row * kVecs + vec); }
  Vec temp(int index) const { return v(first_temp_ + index); }
  int width() const { return kVecs * lanes(); }
  int group_bytes() const { return width() * form_.group(); }  // of B
  int groups() const { return static_cast<int>(pack::IntPanelShape::kStep) / form_.group(); }

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
    cmp(field(offsetof(IntStripCall, cols)), width());
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

  // Every third row has a base register of its own: addresses reach two strides beyond one.
  const Xbyak::Reg64& base(int row) const { return bases_[static_cast<size_t>(row / 3)]; }

  void k_loop() {
    Xbyak::Label loop;
    mov(base(0), field(offsetof(IntStripCall, a)));
    for (int row = 3; row < rows_; row += 3) {
      lea(base(row), ptr[base(row - 3) + a_row_ * 2]);
      add(base(row), a_row_);
    }
    mov(b_, field(offsetof(IntStripCall, b)));
    mov(count_, field(offsetof(IntStripCall, steps)));
    align(32);
    L(loop);
    for (int group = 0; group < groups(); ++group) form_.group() == 2 ? pairs(group) : quadruples(group);
    for (int row = 0; row < rows_; row += 3) add(base(row), groups() * 4);
    add(b_, groups() * group_bytes());
    dec(count_);
    jnz(loop, T_NEAR);
  }

  Xbyak::Address a_at(int row, int group) {
    if (row % 3 == 0) return dword[base(row) + 4 * group];
    return dword[base(row) + a_row_ * (row % 3) + 4 * group];
  }
  Xbyak::Address b_at(int vec, int group) { return ptr[b_ + group * group_bytes() + vec * group_bytes() / kVecs]; }

  void pairs(int group) {
    for (int vec = 0; vec < kVecs; ++vec) vpmovsxbw(temp(vec), b_at(vec, group));
    for (int row = 0; row < rows_; ++row) {
      vpbroadcastd(temp(2), a_at(row, group));
      vpmaddwd(temp(3), temp(2), temp(0));
      vpaddd(acc(row, 0), acc(row, 0), temp(3));
      vpmaddwd(temp(2), temp(2), temp(1));
      vpaddd(acc(row, 1), acc(row, 1), temp(2));
    }
  }

  void quadruples(int group) {
    for (int vec = 0; vec < kVecs; ++vec) vmovups(temp(vec), b_at(vec, group));
    for (int row = 0; row < rows_; ++row) {
      const Vec a = temp(2 + row % 2);
      vpbroadcastd(a, a_at(row, group));
      for (int vec = 0; vec < kVecs; ++vec) dot_u8s8(acc(row, vec), a, temp(vec));
    }
  }

  void finish_tile(bool tail) {
    for (int i = 0; i < form_.corrections(); ++i)
      correct(offsetof(IntStripCall, corrections) + correction_bytes(i), tail);
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
      result_ == DType::kF32 ? store_floats(row, tail) : store_bytes(row);
      if (row + 1 < rows_) add(at_, c_row_);
    }
  }

  static size_t correction_bytes(int i) { return static_cast<size_t>(i) * sizeof(IntCorrection); }

  void correct(size_t at, bool tail) {
    mov(step_, field(at + offsetof(IntCorrection, rows)));
    mov(at_, field(at + offsetof(IntCorrection, columns)));
    for (int vec = 0; vec < kVecs; ++vec) load_or_tail(temp(vec), at_, vec, tail);
    for (int row = 0; row < rows_; ++row) {
      vpbroadcastd(temp(2), dword[step_ + row * 4]);
      for (int vec = 0; vec < kVecs; ++vec) {
        vpmulld(temp(3), temp(2), temp(vec));
        vpsubd(acc(row, vec), acc(row, vec), temp(3));
      }
    }
  }

  void store_floats(int row, bool tail) {
    for (int vec = 0; vec < kVecs; ++vec) {
      const Xbyak::Address dst = ptr[at_ + vec * vec_bytes()];
      tail ? store_tail(dst, acc(row, vec), temp(0), mask_, vec) : vmovups(dst, acc(row, vec));
    }
  }

  // The epilogue left levels, which fit.
  void store_bytes(int row) {
    for (int vec = 0; vec < kVecs; ++vec) vcvtps2dq(acc(row, vec), acc(row, vec));
    store_low_bytes(Xbyak::RegExp(at_), acc(row, 0), acc(row, 1), temp(0), result_ == DType::kU8);
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
    for (int i = 0; i < form_.corrections(); ++i)
      add(field(offsetof(IntStripCall, corrections) + correction_bytes(i) + offsetof(IntCorrection, rows)), rows_ * 4);
    epilogue_.advance_rows(rows_);
  }

  const IntMatmulVec::Form form_;
  const int rows_;
  const int first_temp_;
  const DType result_;
  const std::array<Xbyak::Reg64, kMostRows / 3> bases_ = {rsi, r8, r10, r11};
  const Xbyak::Reg64 call_ = rdi, a_row_ = r9, b_ = rdx, count_ = rcx, c_row_ = r13, mask_ = r14, operands_ = r15,
                     at_ = rbp, step_ = rbx;
  EpilogueEmitter epilogue_;
};

// As MatmulVec's, each height when it is first asked for.
class IntMatmulVecCode final : public IntMatmulVec {
 public:
  explicit IntMatmulVecCode(const Form& form) : form_(form) {}

  void prepare(int rows) const override { entry(rows); }
  void run(IntStripCall& call, int rows) const override { entry(rows)(&call); }

 private:
  using Entry = void(IntStripCall*);

  Entry* entry(int rows) const {
    const auto slot = static_cast<size_t>(rows - 1);
    Entry* found = entries_[slot].load(std::memory_order_acquire);
    return found != nullptr ? found : make(slot, rows);
  }

  Entry* make(size_t slot, int rows) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::unique_ptr<IntStripGenerator>& code = code_[slot];
    if (!code) {
      code = generate("int_matmul_vec", [&] { return std::make_unique<IntStripGenerator>(form_, rows); });
      entries_[slot].store(code->entry<Entry>(), std::memory_order_release);
    }
    return code->entry<Entry>();
  }

  const Form form_;
  mutable std::mutex mutex_;
  mutable std::array<std::unique_ptr<IntStripGenerator>, kMostRows> code_;
  mutable std::array<std::atomic<Entry*>, kMostRows> entries_{};
};

}  // namespace

int IntMatmulVec::Form::width() const { return kVecs * VecGenerator::lanes_of(isa); }

// Shared while any kernel uses it, as MatmulVec's code is; a list of few forms, compared one by one.
std::shared_ptr<const IntMatmulVec> IntMatmulVec::get(const Form& form) {
  struct Entry {
    Form form;
    std::weak_ptr<const IntMatmulVec> code;
  };
  static std::mutex mutex;
  static std::vector<Entry> cache;
  const std::lock_guard<std::mutex> lock(mutex);
  std::erase_if(cache, [](const Entry& entry) { return entry.code.expired(); });
  for (const Entry& entry : cache)
    if (entry.form == form)
      if (std::shared_ptr<const IntMatmulVec> code = entry.code.lock()) return code;
  auto code = std::make_shared<const IntMatmulVecCode>(form);
  cache.push_back({form, code});
  return code;
}

}  // namespace neural_engine::jit
