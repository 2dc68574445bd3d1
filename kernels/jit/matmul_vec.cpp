#include "kernels/jit/matmul_vec.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>

#include "kernels/jit/epilogue_emitter.h"
#include "kernels/jit/vec.h"

namespace neural_engine::jit {
namespace {

struct Shape {
  int rows;
  int panels;
};

constexpr int kVecsPerPanel = 2;
constexpr int kUnroll = 4;
constexpr int kTemps = MathEmitter::kTemps;

int max_panels_of(int rows) { return rows == 1 ? 4 : rows <= 3 ? 2 : 1; }

// One tile shape's code: void(StripCall*).
class StripGenerator final : public VecGenerator {
 public:
  StripGenerator(Isa isa, Shape shape, float alpha, const Epilogue& ops)
      : VecGenerator(isa),
        shape_(shape),
        vecs_(shape.panels * kVecsPerPanel),
        first_temp_(shape.rows * vecs_),
        alpha_(alpha),
        epilogue_(*this, ops, first_temp_, {operands_, at_, count_, mask_, nullptr}) {
    require(first_temp_ + kTemps <= registers(), Code::kInternal, "a tile of ", shape.rows, " rows and ", vecs_,
            " vectors does not fit the registers");
    emit();
    finish("matmul_vec_" + std::to_string(shape.rows) + "x" + std::to_string(shape.panels));
  }

 private:
  Xbyak::Address field(size_t offset) { return qword[call_ + static_cast<int>(offset)]; }
  Vec acc(int row, int vec) const { return v(row * vecs_ + vec); }
  Vec temp(int index) const { return v(first_temp_ + index); }

  void emit() {
    Xbyak::Label tile, tail, next, done;
    preamble();
    mov(c_row_, field(offsetof(StripCall, c_row_bytes)));
    mov(operands_, field(offsetof(StripCall, operands)));
    mov(prefetch_, field(offsetof(StripCall, prefetch)));
    mov(prefetch_step_, field(offsetof(StripCall, prefetch_step)));
    mov(b_panel_, field(offsetof(StripCall, b_panel_bytes)));
    mov(a_row_, field(offsetof(StripCall, a_row_bytes)));
    mov(count_, field(offsetof(StripCall, cols)));
    begin_tail(mask_, count_);

    L(tile);
    mov(c_, field(offsetof(StripCall, c)));
    cmp(field(offsetof(StripCall, cols)), vecs_ * lanes());
    if (shape_.panels == 1) jl(tail, T_NEAR);
    tile_body(false);
    jmp(next, T_NEAR);
    L(tail);
    if (shape_.panels == 1) tile_body(true);
    L(next);
    advance();
    dec(field(offsetof(StripCall, tiles)));
    jnz(tile, T_NEAR);
    postamble();
  }

  void tile_body(bool tail) {
    Xbyak::Label accumulate, sum, store, done;
    cmp(field(offsetof(StripCall, first_k)), 0);
    je(accumulate, T_NEAR);
    for (int i = 0; i < first_temp_; ++i) zero(v(i));
    jmp(sum, T_NEAR);
    L(accumulate);
    for_each_row([&](int row) {
      for (int vec = 0; vec < vecs_; ++vec) {
        const Xbyak::Address src = ptr[at_ + vec * vec_bytes()];
        tail ? load_tail(acc(row, vec), src, mask_, vec) : vmovups(acc(row, vec), src);
      }
    });
    L(sum);
    k_loop();

    cmp(field(offsetof(StripCall, last_k)), 0);
    je(store, T_NEAR);
    if (alpha_ != 1.0f)
      for (int i = 0; i < first_temp_; ++i) vmulps(v(i), v(i), constant(alpha_));
    epilogue_.emit({shape_.rows, vecs_, tail});
    L(store);
    for_each_row([&](int row) {
      for (int vec = 0; vec < vecs_; ++vec) {
        const Xbyak::Address dst = ptr[at_ + vec * vec_bytes()];
        tail ? store_tail(dst, acc(row, vec), temp(0), mask_, vec) : vmovups(dst, acc(row, vec));
      }
    });
  }

  // Calls body(row) with `at` on the row of C.
  template <class Body>
  void for_each_row(Body body) {
    mov(at_, c_);
    for (int row = 0; row < shape_.rows; ++row) {
      body(row);
      if (row + 1 < shape_.rows) add(at_, c_row_);
    }
  }

  void k_loop() {
    Xbyak::Label unrolled, rest, single, done;
    mov(a_, field(offsetof(StripCall, a)));
    mov(b_, field(offsetof(StripCall, b)));
    if (shape_.rows > 3) {
      lea(a3_, ptr[a_ + a_row_ * 2]);
      add(a3_, a_row_);
    }
    if (shape_.panels > 3) {
      lea(b3_, ptr[b_ + b_panel_ * 2]);
      add(b3_, b_panel_);
    }
    mov(count_, field(offsetof(StripCall, k)));
    sub(count_, kUnroll);
    jl(rest, T_NEAR);
    align(32);
    L(unrolled);
    for (int step = 0; step < kUnroll; ++step) k_step(step);
    step_pointers(kUnroll);
    sub(count_, kUnroll);
    jge(unrolled, T_NEAR);
    L(rest);
    add(count_, kUnroll);
    jz(done, T_NEAR);
    L(single);
    k_step(0);
    step_pointers(1);
    dec(count_);
    jnz(single, T_NEAR);
    L(done);
  }

  void step_pointers(int steps) {
    const int a_bytes = 4 * steps;
    const int b_bytes = steps * kVecsPerPanel * vec_bytes();
    add(a_, a_bytes);
    if (shape_.rows > 3) add(a3_, a_bytes);
    add(b_, b_bytes);
    if (shape_.panels > 3) add(b3_, b_bytes);
  }

  Xbyak::Address a_at(int row, int step) {
    const Xbyak::Reg64& base = row < 3 ? a_ : a3_;
    if (row % 3 == 0) return dword[base + 4 * step];
    return dword[base + a_row_ * (row % 3) + 4 * step];
  }

  Xbyak::Address b_at(int vec, int step) {
    const int panel = vec / kVecsPerPanel;
    const int at = (step * kVecsPerPanel + vec % kVecsPerPanel) * vec_bytes();
    if (panel == 3) return ptr[b3_ + at];
    if (panel == 0) return ptr[b_ + at];
    return ptr[b_ + b_panel_ * panel + at];
  }

  // Whichever of A and B fits stays in the temporaries while the other is walked along.
  void k_step(int step) {
    prefetcht1(ptr[prefetch_]);  // to L2: L1 is full of this panel
    add(prefetch_, prefetch_step_);
    if (shape_.rows == 1) {
      vbroadcastss(temp(0), a_at(0, step));
      for (int vec = 0; vec < vecs_; ++vec) vfmadd231ps(acc(0, vec), temp(0), b_at(vec, step));
    } else if (vecs_ == kVecsPerPanel) {
      for (int vec = 0; vec < vecs_; ++vec) vmovups(temp(vec), b_at(vec, step));
      for (int row = 0; row < shape_.rows; ++row) {
        const Vec a = temp(vecs_ + row % 2);
        vbroadcastss(a, a_at(row, step));
        for (int vec = 0; vec < vecs_; ++vec) vfmadd231ps(acc(row, vec), a, temp(vec));
      }
    } else {
      for (int row = 0; row < shape_.rows; ++row) vbroadcastss(temp(row), a_at(row, step));
      for (int vec = 0; vec < vecs_; ++vec) {
        vmovups(temp(3), b_at(vec, step));
        for (int row = 0; row < shape_.rows; ++row) vfmadd231ps(acc(row, vec), temp(row), temp(3));
      }
    }
  }

  void advance() {
    imul(at_, a_row_, shape_.rows);
    add(field(offsetof(StripCall, a)), at_);
    imul(at_, c_row_, shape_.rows);
    add(field(offsetof(StripCall, c)), at_);
    epilogue_.advance_rows(shape_.rows);
  }

  const Shape shape_;
  const int vecs_;
  const int first_temp_;
  const float alpha_;
  const Xbyak::Reg64 call_ = rdi, a_ = rsi, a3_ = r8, a_row_ = r9, b_ = rdx, b_panel_ = r10, b3_ = r11, count_ = rcx,
                     prefetch_ = rax, prefetch_step_ = rbx, c_ = r12, c_row_ = r13, mask_ = r14, operands_ = r15,
                     at_ = rbp;
  EpilogueEmitter epilogue_;
};

// A model of one length uses two or three of the shapes: each is generated when it is first asked for.
class MatmulVecCode final : public MatmulVec {
 public:
  MatmulVecCode(Isa isa, float alpha, const Epilogue& ops)
      : isa_(isa), alpha_(alpha), ops_(ops), width_(VecGenerator::lanes_of(isa) * kVecsPerPanel) {}

  int width() const override { return width_; }
  int max_panels(int rows) const override { return max_panels_of(rows); }
  void prepare(int rows, int panels) const override { entry(rows, panels); }
  void run(StripCall& call, int rows, int panels) const override { entry(rows, panels)(&call); }

 private:
  using Entry = void(StripCall*);

  static size_t slot_of(int rows, int panels) { return static_cast<size_t>((rows - 1) * 2 + (panels > 1 ? 1 : 0)); }

  Entry* entry(int rows, int panels) const {
    const size_t slot = slot_of(rows, panels);
    Entry* found = entries_[slot].load(std::memory_order_acquire);
    return found != nullptr ? found : make(slot, {rows, panels});
  }

  Entry* make(size_t slot, Shape shape) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::unique_ptr<StripGenerator>& code = code_[slot];
    if (!code) {
      code = generate("matmul_vec", [&] { return std::make_unique<StripGenerator>(isa_, shape, alpha_, ops_); });
      entries_[slot].store(code->entry<Entry>(), std::memory_order_release);
    }
    return code->entry<Entry>();
  }

  const Isa isa_;
  const float alpha_;
  const Epilogue ops_;
  const int width_;
  mutable std::mutex mutex_;
  mutable std::array<std::unique_ptr<StripGenerator>, 2 * kMaxRows> code_;
  mutable std::array<std::atomic<Entry*>, 2 * kMaxRows> entries_{};
};

// The bytes that decide what is generated.
std::string key_of(Isa isa, float alpha, const Epilogue& ops) {
  std::string key;
  const auto append = [&key](const auto& value) { key.append(reinterpret_cast<const char*>(&value), sizeof(value)); };
  append(isa);
  append(alpha);
  for (const EpilogueOp& op : ops) {
    append(op.kind);
    append(op.unary);
    append(op.alpha);
    append(op.beta);
    append(op.binary);
    append(op.spread);
    append(op.reversed);
    append(op.operand_dtype);
  }
  return key;
}

}  // namespace

// Layers of a model ask for the same code again and again, so it is shared while any kernel uses it.
std::shared_ptr<const MatmulVec> MatmulVec::get(Isa isa, float alpha, const Epilogue& epilogue) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const MatmulVec>> cache;
  const std::string key = key_of(isa, alpha, epilogue);
  const std::lock_guard<std::mutex> lock(mutex);
  std::erase_if(cache, [](const auto& entry) { return entry.second.expired(); });
  std::shared_ptr<const MatmulVec> code = cache[key].lock();
  if (!code) {
    code = std::make_shared<MatmulVecCode>(isa, alpha, epilogue);
    cache[key] = code;
  }
  return code;
}

}  // namespace neural_engine::jit
