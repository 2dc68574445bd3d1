// Chains of element-wise ops: the epilogue emitter on a row, four vectors at a time.
//
//   for each column block: acc = src; acc = ops(acc); dst = acc
#include <array>
#include <cstddef>

#include "kernels/jit/epilogue_emitter.h"
#include "kernels/jit/rows.h"
#include "kernels/requests.h"

namespace neural_engine::jit {
namespace {

constexpr int kMaxOperands = 8;
// Elements that are worth waking a thread for: some microseconds of work.
constexpr int64_t kGrain = 16 << 10;

struct EltwiseCall {
  const float* src;
  float* dst;
  int64_t n;
  const OperandPointer* operands;
};

// void(const EltwiseCall*): one row.
class EltwiseGenerator final : public VecGenerator {
 public:
  EltwiseGenerator(Isa isa, const Epilogue& ops)
      : VecGenerator(isa), epilogue_(*this, ops, kWalkVecs, {operands_, at_, step_, mask_, &column_}) {
    preamble();
    mov(src_, ptr[call_ + static_cast<int>(offsetof(EltwiseCall, src))]);
    mov(dst_, ptr[call_ + static_cast<int>(offsetof(EltwiseCall, dst))]);
    mov(operands_, ptr[call_ + static_cast<int>(offsetof(EltwiseCall, operands))]);
    mov(left_, ptr[call_ + static_cast<int>(offsetof(EltwiseCall, n))]);
    walk_row(column_, left_, mask_, [&](int vecs, bool tail) {
      for (int i = 0; i < vecs; ++i) load(v(i), ptr[src_ + column_ + i * vec_bytes()], mask_, tail);
      epilogue_.emit({1, vecs, tail});
      for (int i = 0; i < vecs; ++i) store(ptr[dst_ + column_ + i * vec_bytes()], v(i), v(kWalkVecs), mask_, tail);
    });
    postamble();
    finish("eltwise");
  }

 private:
  const Xbyak::Reg64 call_ = rdi, src_ = rsi, dst_ = rdx, left_ = rcx, column_ = rax, operands_ = r8, at_ = r9,
                     step_ = r10, mask_ = r11;
  EpilogueEmitter epilogue_;
};

class JitEltwise final : public EltwiseKernel {
 public:
  JitEltwise(const EltwiseDesc& desc, Isa isa)
      : ops_(desc.ops), code_(generate("eltwise", [&] { return std::make_unique<EltwiseGenerator>(isa, ops_); })) {}

 private:
  void execute(const EltwiseArgs& args, Parallel& parallel) const override {
    if (args.m == 0 || args.n == 0) return;
    const bool flat = is_flat(args);
    const int64_t m = flat ? 1 : args.m, n = flat ? args.m * args.n : args.n;
    if (m == 1) {
      // Whole cache lines to each thread.
      parallel.ranges(div_up(n, 16), kGrain / 16, [&](int64_t begin, int64_t end) {
        row(args, 0, begin * 16, std::min(end * 16, n) - begin * 16);
      });
      return;
    }
    parallel.ranges(m, div_up(kGrain, n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) row(args, i, 0, n);
    });
  }

  // One long row will do: nothing is different from row to row.
  bool is_flat(const EltwiseArgs& args) const {
    bool flat = args.ld_src == args.n && args.ld_dst == args.n;
    size_t next = 0;
    for (const EpilogueOp& op : ops_) {
      if (op.kind != EpilogueOp::Kind::kBinary) continue;
      const EpilogueOperand& operand = args.operands[next++];
      flat = flat && (op.spread == Spread::kScalar || (op.spread == Spread::kFull && operand.ld == args.n));
    }
    return flat;
  }

  void row(const EltwiseArgs& args, int64_t m, int64_t n0, int64_t n) const {
    std::array<OperandPointer, kMaxOperands> operands;
    size_t next = 0;
    for (const EpilogueOp& op : ops_) {
      if (op.kind != EpilogueOp::Kind::kBinary) continue;
      const EpilogueOperand& operand = args.operands[next];
      operands[next++] = OperandPointer::at(op, operand, m, n0);
    }
    const EltwiseCall call = {static_cast<const float*>(args.src) + m * args.ld_src + n0,
                              static_cast<float*>(args.dst) + m * args.ld_dst + n0, n, operands.data()};
    code_->entry<void(const EltwiseCall*)>()(&call);
  }

  const Epilogue ops_;
  const std::unique_ptr<EltwiseGenerator> code_;
};

}  // namespace

std::string supports(const EltwiseDesc& desc) {
  std::string reason = check_f32(desc);
  if (reason.empty() && operand_count(desc.ops) > kMaxOperands)
    reason = text("there are ", operand_count(desc.ops), " operands, ", kMaxOperands, " are supported");
  return reason;
}

// A third of a nanosecond to move an element, about as much again for each op.
double cost(const EltwiseDesc& desc, Isa) { return elements(desc) * 0.3e-3 * static_cast<double>(1 + desc.ops.size()); }

std::unique_ptr<EltwiseKernel> make(const EltwiseDesc& desc, Isa isa) {
  return std::make_unique<JitEltwise>(desc, isa);
}

}  // namespace neural_engine::jit
