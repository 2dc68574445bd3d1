// Quantized products from IntMatmulVec's strips.
//
//   rows of A are quantized into the scratch memory                in parallel, once
//   tasks  (groups of panels) x (blocks of rows)                   in parallel; a block of A stays in L2
//   panel  of the group; tile of rows inside the generated code
//
// K is not cut: sums stay in registers, and a panel (16 bytes a row of B) is read from L2 at half the rate that it
// could be.
#include <algorithm>
#include <array>

#include "kernels/jit/epilogue_emitter.h"
#include "kernels/jit/int_matmul_vec.h"
#include "kernels/jit/quantize_row.h"
#include "kernels/jit/rows.h"
#include "kernels/pack/int_panels.h"
#include "kernels/requests.h"

namespace neural_engine::jit {
namespace {

constexpr int64_t kFloat = sizeof(float);
constexpr int kMaxOperands = 8;

class JitIntMatmul final : public IntMatmulKernel {
 public:
  JitIntMatmul(const IntMatmulDesc& desc, Isa isa)
      : desc_(desc),
        panels_{desc.k, desc.n},
        // Stores come in vectors of 16. One line more: rows a power of two apart would share their cache sets.
        a_ld_(round_up(desc.k, 16) + 32),
        m_block_(std::max<int64_t>(cpu().l2_bytes / 2 / (a_ld_ * 2) / IntMatmulVec::kMaxRows, 4) *
                 IntMatmulVec::kMaxRows),
        quantize_(QuantizeRow::get(isa)),
        code_(IntMatmulVec::get(isa, desc.epilogue)) {}

  int64_t packed_bytes() const override { return panels_.panels() * panels_.panel_bytes(); }
  std::string packing() const override { return "int_panels.s8.pairs"; }
  void pack(const int8_t* b, int64_t ldb, void* packed, Parallel& parallel) const override {
    parallel.run(panels_.panels(), [&](int64_t index, int) {
      pack::int_panel(b, ldb, desc_.b_transposed, panels_, index,
                      static_cast<int8_t*>(packed) + index * panels_.panel_bytes());
    });
  }

  int64_t scratch_bytes(int64_t m) const override {
    return round_up(m * kFloat, kScratchAlignment) + m * a_ld_ * int64_t{sizeof(int16_t)};
  }

 private:
  struct Job {
    const IntMatmulArgs& args;
    float* scales;  // of the rows of A
    int16_t* a;
    int64_t m_blocks, groups, group_panels;
  };

  void execute(const IntMatmulArgs& args, Parallel& parallel) const override {
    if (args.m == 0) return;
    char* scratch = static_cast<char*>(args.scratch);
    Job job = {args,
               reinterpret_cast<float*>(scratch),
               reinterpret_cast<int16_t*>(scratch + round_up(args.m * kFloat, kScratchAlignment)),
               div_up(args.m, m_block_),
               0,
               0};
    // Sixteen thousand elements are some microseconds.
    parallel.ranges(args.m, div_up(16 << 10, desc_.k), [&](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; ++m) quantize(job, m);
    });
    const int64_t units = panels_.panels() * job.m_blocks;
    job.group_panels =
        parallel.threads() == 1 ? panels_.panels() : std::clamp<int64_t>(units / (parallel.threads() * 4), 1, 8);
    job.groups = div_up(panels_.panels(), job.group_panels);
    parallel.run(job.groups * job.m_blocks, [&](int64_t index, int) { task(job, index); });
  }

  void quantize(const Job& job, int64_t m) const {
    QuantizeRowCall call = {};
    call.src = job.args.a + m * job.args.lda;
    call.dst = job.a + m * a_ld_;
    call.n = desc_.k;
    quantize_->bounds(call);
    const RowQuantization row = RowQuantization::of(call.low, call.high, call.absolute_bits);
    call.inverse = row.inverse;
    call.from = row.low;
    call.to = row.high;
    quantize_->convert(call);
    job.scales[m] = row.scale;
  }

  void task(const Job& job, int64_t index) const {
    const int64_t block = index % job.m_blocks, first = index / job.m_blocks * job.group_panels;
    const int64_t begin = job.args.m * block / job.m_blocks, end = job.args.m * (block + 1) / job.m_blocks;
    const int64_t last = std::min(first + job.group_panels, panels_.panels());
    for (int64_t panel = first; panel < last; ++panel) strip(job, panel, begin, end);
  }

  // Tiles of nearly equal heights.
  void strip(const Job& job, int64_t panel, int64_t begin, int64_t end) const {
    const IntMatmulArgs& args = job.args;
    const int64_t n0 = panel * panels_.kWidth;
    std::array<OperandPointer, kMaxOperands> operands;
    point_operands(args, begin, n0, &operands);
    IntStripCall call = {};
    call.a = job.a + begin * a_ld_;
    call.a_row_bytes = a_ld_ * int64_t{sizeof(int16_t)};
    call.b = static_cast<const int8_t*>(args.b) + panel * panels_.panel_bytes();
    call.steps = panels_.k_padded() / panels_.kStep;
    call.scale_a = job.scales + begin;
    call.scale_b = args.scale_b + n0;
    call.c = args.c + begin * args.ldc + n0;
    call.c_row_bytes = args.ldc * kFloat;
    call.cols = std::min(panels_.kWidth, desc_.n - n0);
    call.operands = operands.data();
    const int64_t rows = end - begin, tiles = div_up(rows, IntMatmulVec::kMaxRows), larger = rows % tiles;
    const auto run = [&](int64_t count, int64_t height) {
      if (count == 0) return;
      call.tiles = count;
      code_->run(call, static_cast<int>(height));
    };
    run(larger, rows / tiles + 1);
    run(tiles - larger, rows / tiles);
  }

  void point_operands(const IntMatmulArgs& args, int64_t m, int64_t n0,
                      std::array<OperandPointer, kMaxOperands>* out) const {
    size_t next = 0;
    for (const EpilogueOp& op : desc_.epilogue) {
      if (op.kind != EpilogueOp::Kind::kBinary) continue;
      const EpilogueOperand& operand = args.operands[next];
      const float* data = static_cast<const float*>(operand.data);
      if (op.spread == Spread::kRow) data += n0;
      if (op.spread == Spread::kColumn) data += m;
      if (op.spread == Spread::kFull) data += m * operand.ld + n0;
      (*out)[next++] = {data, operand.ld * kFloat};
    }
  }

  const IntMatmulDesc desc_;
  const pack::IntPanelShape panels_;
  const int64_t a_ld_, m_block_;
  const std::shared_ptr<const QuantizeRow> quantize_;
  const std::shared_ptr<const IntMatmulVec> code_;
};

}  // namespace

std::string supports(const IntMatmulDesc& desc) {
  std::string reason = check_int_matmul(desc);
  if (reason.empty() && operand_count(desc.epilogue) > kMaxOperands)
    reason = text("the epilogue has ", operand_count(desc.epilogue), " operands, ", kMaxOperands, " are supported");
  return reason;
}

// 160 operations a nanosecond were measured for the step; quantizing a row costs about half a nanosecond an element.
double cost(const IntMatmulDesc& desc, Isa) {
  return flops(desc) / 140e3 + or_typical(desc.m, 128) * static_cast<double>(desc.k) * 0.5e-3;
}

std::unique_ptr<IntMatmulKernel> make(const IntMatmulDesc& desc, Isa isa) {
  return std::make_unique<JitIntMatmul>(desc, isa);
}

}  // namespace neural_engine::jit
