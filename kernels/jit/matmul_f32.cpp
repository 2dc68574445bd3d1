// f32 matrix products from MatmulVec's strips.
//
// Loop nest, outermost first:
//   tasks  (groups of panels) x (blocks of M)   in parallel; a block of A's slice stays in L2
//   k      blocks of K                          so that one panel's slice of B stays in L1 over all rows
//   panel  of the group
//   tile   of rows                              inside the generated code
// C's partial sums are kept in C itself between blocks of K. Each element is summed in the order of K whatever the
// split, so neither threads nor blocks change its bits.
#include <algorithm>
#include <array>

#include "kernels/jit/epilogue_emitter.h"
#include "kernels/jit/matmul_vec.h"
#include "kernels/jit/rows.h"
#include "kernels/pack/panels.h"
#include "kernels/requests.h"

namespace neural_engine::jit {
namespace {

constexpr int64_t kFloat = sizeof(float);
// Operands a call can carry on the stack.
constexpr int kMaxOperands = 8;

// `total` in `parts` near-equal tiles: the first `larger` have one row more.
struct Tiles {
  Tiles(int64_t total, int64_t max) : parts(div_up(total, max)), rows(total / parts), larger(total % parts) {}
  int64_t parts, rows, larger;
};

class JitMatmul final : public MatmulKernel {
 public:
  JitMatmul(const MatmulDesc& desc, Isa isa)
      : desc_(desc),
        code_(MatmulVec::get(isa, desc.alpha, desc.epilogue)),
        // Three quarters of L1 for the slice of a panel, the rest for the rows of A and C that pass by.
        k_block_(cpu().l1d_bytes * 3 / 4 / (code_->width() * kFloat)),
        // Half of L2 for the slice of A.
        m_block_(round_up(std::max<int64_t>(cpu().l2_bytes / 2 / (k_block_ * kFloat), 48), 6)) {}

  int64_t packed_bytes() const override { return shape(desc_.k, desc_.n).bytes(); }
  std::string packing() const override { return "panels" + std::to_string(code_->width()) + ".f32"; }

  void pack(const void* b, int64_t ldb, void* packed, Parallel& parallel) const override {
    const pack::PanelShape panels = shape(desc_.k, desc_.n);
    parallel.run(div_up(panels.panels(), pack::kGroupPanels), [&](int64_t index, int) {
      pack::panel_group(static_cast<const float*>(b), ldb, desc_.b_transposed, panels, index,
                        static_cast<float*>(packed) + index * pack::kGroupPanels * panels.panel_elems());
    });
  }

  int64_t scratch_bytes(const MatmulArgs& shape_args, int) const override {
    return desc_.b_constant ? 0 : shape_args.batch * shape(shape_args.k, shape_args.n).bytes();
  }

 private:
  pack::PanelShape shape(int64_t k, int64_t n) const { return {k, n, code_->width()}; }

  // What the tasks of one run share.
  struct Job {
    const MatmulArgs& args;
    pack::PanelShape panels;
    const float* b;          // packed
    int64_t b_matrix_elems;  // from one packed B to the next, 0 when shared
    int64_t m_blocks, groups, group_panels;
  };

  void execute(const MatmulArgs& args, Parallel& parallel) const override {
    if (args.m == 0 || args.n == 0 || args.batch == 0) return;
    const pack::PanelShape panels = shape(args.k, args.n);
    Job job = {args, panels, static_cast<const float*>(args.b), 0, div_up(args.m, m_block_), 0, 0};
    if (!desc_.b_constant) {
      job.b = static_cast<const float*>(args.scratch);
      job.b_matrix_elems = panels.bytes() / kFloat;
      pack_run_time_b(job, static_cast<float*>(args.scratch), parallel);
    }

    prepare(job);

    // Groups of eight panels let a slice of A be read from L2 eight times; fewer when the threads would starve.
    const int64_t units = panels.panels() * job.m_blocks * args.batch;
    job.group_panels = parallel.threads() == 1 ? 8 : std::clamp<int64_t>(units / (parallel.threads() * 4), 1, 8);
    job.group_panels = round_up(job.group_panels, std::min<int64_t>(job.group_panels, panels_at_once(job)));
    job.groups = div_up(panels.panels(), job.group_panels);
    parallel.run(args.batch * job.groups * job.m_blocks, [&](int64_t index, int) { task(job, index); });
  }

  // The shapes of tile that strips() will ask for: blocks of M differ by one row at most.
  void prepare(const Job& job) const {
    for (const int64_t m : {job.args.m / job.m_blocks, div_up(job.args.m, job.m_blocks)}) {
      const Tiles tiles(m, MatmulVec::kMaxRows);
      const int rows = static_cast<int>(tiles.rows);
      code_->prepare(rows, 1);
      if (tiles.larger > 0) code_->prepare(rows + 1, 1);
      if (tiles.parts == 1) code_->prepare(rows, code_->max_panels(rows));
    }
  }

  int64_t panels_at_once(const Job& job) const {
    return job.args.m <= MatmulVec::kMaxRows ? code_->max_panels(static_cast<int>(job.args.m)) : 1;
  }

  void pack_run_time_b(const Job& job, float* dst, Parallel& parallel) const {
    const MatmulArgs& args = job.args;
    parallel.run(args.batch * job.panels.panels(), [&](int64_t index, int) {
      const int64_t batch = index / job.panels.panels();
      pack::panel(static_cast<const float*>(args.b) + batch * args.b_batch_stride, args.ldb, desc_.b_transposed,
                  job.panels, index % job.panels.panels(), dst + index * job.panels.panel_elems());
    });
  }

  static std::pair<int64_t, int64_t> m_range(const Job& job, int64_t block) {
    return {job.args.m * block / job.m_blocks, job.args.m * (block + 1) / job.m_blocks};
  }

  void task(const Job& job, int64_t index) const {
    const int64_t batch = index / (job.groups * job.m_blocks);
    const int64_t group = index / job.m_blocks % job.groups;
    const auto [m_begin, m_end] = m_range(job, index % job.m_blocks);
    const int64_t first = group * job.group_panels;
    const int64_t last = std::min(first + job.group_panels, job.panels.panels());
    const int64_t k_blocks = std::max<int64_t>(div_up(job.args.k, k_block_), 1);
    const int64_t k_step = std::max<int64_t>(round_up(div_up(job.args.k, k_blocks), 4), 4);
    const Tiles tiles(m_end - m_begin, MatmulVec::kMaxRows);
    for (int64_t k = 0; k == 0 || k < job.args.k; k += k_step) {
      Slice slice = {batch, m_begin, first, 1, k, std::min(k_step, job.args.k - k)};
      for (; slice.panel < last; slice.panel += slice.panels) {
        slice.panels = 1;
        // Several panels side by side only where all their columns exist.
        const int wide = tiles.parts == 1 ? code_->max_panels(static_cast<int>(tiles.rows)) : 1;
        if ((slice.panel + wide) * job.panels.width <= job.args.n && slice.panel + wide <= last) slice.panels = wide;
        strips(job, slice, tiles, after(job, slice, first, last, k_step));
      }
    }
  }

  struct Slice {
    int64_t batch, m, panel;
    int panels;
    int64_t k, k_size;
  };

  // What of B comes next, within this task or, most likely, the next one: it is fetched while this slice is multiplied.
  const float* after(const Job& job, const Slice& slice, int64_t first, int64_t last, int64_t k_step) const {
    int64_t panel = slice.panel + slice.panels, k = slice.k;
    if (panel == last && k + k_step < job.args.k) {
      panel = first;
      k += k_step;
    } else if (panel == last) {
      panel = job.m_blocks == 1 && last < job.panels.panels() ? last : first;
      k = 0;
    }
    return job.b + slice.batch * job.b_matrix_elems + panel * job.panels.panel_elems() + k * job.panels.width;
  }

  // All rows of the block for one panel (or several side by side) and one block of K.
  void strips(const Job& job, const Slice& slice, const Tiles& tiles, const float* next) const {
    const MatmulArgs& args = job.args;
    const int64_t width = job.panels.width, n0 = slice.panel * width;
    const float* a = static_cast<const float*>(args.a) + slice.batch * args.a_batch_stride + slice.k;
    const float* b = job.b + slice.batch * job.b_matrix_elems;

    std::array<OperandPointer, kMaxOperands> operands;
    point_operands(args, slice, n0, &operands);
    StripCall call = {};
    call.b = b + slice.panel * job.panels.panel_elems() + slice.k * width;
    call.b_panel_bytes = job.panels.panel_elems() * kFloat;
    call.a_row_bytes = args.lda * kFloat;
    call.c = static_cast<float*>(args.c) + slice.batch * args.c_batch_stride + slice.m * args.ldc + n0;
    call.c_row_bytes = args.ldc * kFloat;
    call.k = slice.k_size;
    call.cols = std::min(args.n - n0, slice.panels * width);
    call.first_k = slice.k == 0;
    call.last_k = slice.k + slice.k_size == args.k;
    call.operands = operands.data();
    call.prefetch = reinterpret_cast<const char*>(next);
    call.prefetch_step = width * kFloat / std::min<int64_t>(tiles.parts, 16);

    int64_t row = slice.m;
    const auto run = [&](int64_t count, int64_t rows) {
      if (count == 0) return;
      call.tiles = count;
      call.a = a + row * args.lda;
      code_->run(call, static_cast<int>(rows), slice.panels);
      row += count * rows;
      call.prefetch += count * slice.k_size * call.prefetch_step;
    };
    run(tiles.larger, tiles.rows + 1);
    run(tiles.parts - tiles.larger, tiles.rows);
  }

  void point_operands(const MatmulArgs& args, const Slice& slice, int64_t n0,
                      std::array<OperandPointer, kMaxOperands>* out) const {
    size_t next = 0;
    for (const EpilogueOp& op : desc_.epilogue) {
      if (op.kind != EpilogueOp::Kind::kBinary) continue;
      const EpilogueOperand& operand = args.operands[next];
      const float* data = static_cast<const float*>(operand.data) + slice.batch * operand.batch_stride;
      if (op.spread == Spread::kRow) data += n0;
      if (op.spread == Spread::kColumn) data += slice.m;
      if (op.spread == Spread::kFull) data += slice.m * operand.ld + n0;
      (*out)[next++] = {data, operand.ld * kFloat};
    }
  }

  const MatmulDesc desc_;
  const std::shared_ptr<const MatmulVec> code_;
  const int64_t k_block_, m_block_;
};

}  // namespace

std::string supports(const MatmulDesc& desc) {
  std::string reason = check_f32(desc);
  if (reason.empty() && operand_count(desc.epilogue) > kMaxOperands)
    reason = text("the epilogue has ", operand_count(desc.epilogue), " operands, ", kMaxOperands, " are supported");
  return reason;
}

// 32 flops a cycle at 3 GHz, nine tenths of it reached; B at 15 GB/s; packing where it is done per call.
double cost(const MatmulDesc& desc, Isa) {
  const double k_n = or_typical(desc.n, 128) * or_typical(desc.k, 64);
  return flops(desc) / 86e3 + k_n * 4 / 15e3 * 0.2 + (desc.b_constant ? 0.0 : k_n / 2e3);
}

std::unique_ptr<MatmulKernel> make(const MatmulDesc& desc, Isa isa) { return std::make_unique<JitMatmul>(desc, isa); }

}  // namespace neural_engine::jit
