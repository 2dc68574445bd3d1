// Quantized products from IntMatmulVec's strips.
//
//   rows of A go into the scratch memory as the step reads them    in parallel, once
//   tasks  (groups of panels) x (blocks of rows)                   in parallel; a block of A stays in L2
//   panel  of the group; tile of rows inside the generated code
//
// K is not cut: sums stay in registers, and a panel (16 bytes a row of B) is read from L2 at half the rate that it
// could be.
#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/jit/epilogue_emitter.h"
#include "kernels/jit/int_matmul_vec.h"
#include "kernels/jit/int_rows.h"
#include "kernels/jit/rows.h"
#include "kernels/jit/vec.h"
#include "kernels/pack/int_panels.h"
#include "kernels/requests.h"

namespace neural_engine::jit {
namespace {

constexpr int kMaxOperands = 8;

class JitIntMatmul final : public IntMatmulKernel {
 public:
  JitIntMatmul(const IntMatmulDesc& desc, Isa isa)
      : desc_(desc),
        form_{isa, desc.epilogue, desc.has_zero_b},
        panels_{desc.k, desc.n, form_.width(), form_.group()},
        result_bytes_(bits_of(result_dtype(desc.epilogue)) / 8),
        bytes_in_epilogue_(std::any_of(desc.epilogue.begin(), desc.epilogue.end(),
                                       [](const EpilogueOp& op) {
                                         return op.kind == EpilogueOp::Kind::kBinary && op.operand_dtype != DType::kF32;
                                       }) ||
                           result_bytes_ == 1),
        rows_(isa, desc),
        m_block_(std::max<int64_t>(cpu().l2_bytes / 2 / rows_.row_bytes() / form_.max_rows(), 4) * form_.max_rows()),
        code_(IntMatmulVec::get(form_)) {}

  int64_t packed_bytes() const override { return panels_.panels() * panels_.panel_bytes(); }
  std::string packing() const override {
    return text("int_panels", panels_.width, ".", to_string(desc_.b), "x", panels_.group);
  }
  void pack(const void* b, int64_t ldb, void* packed, Parallel& parallel) const override {
    const uint8_t flip = desc_.b == DType::kU8 ? 0x80 : 0;
    parallel.run(panels_.panels(), [&](int64_t index, int) {
      pack::int_panel(static_cast<const uint8_t*>(b), ldb, desc_.b_transposed, flip, panels_, index,
                      static_cast<int8_t*>(packed) + index * panels_.panel_bytes());
    });
  }

  int64_t scratch_bytes(int64_t m) const override { return rows_.scratch_bytes(m); }

 private:
  struct Job {
    const IntMatmulArgs& args;
    IntRows::Memory rows;
    int64_t m_blocks, groups, group_panels;
  };

  void execute(const IntMatmulArgs& args, Parallel& parallel) const override {
    if (args.m == 0) return;
    Job job = {args, rows_.lay_out(args.m, args.scratch), div_up(args.m, m_block_), 0, 0};
    prepare(job);
    // Sixteen thousand elements are some microseconds.
    parallel.ranges(args.m, div_up(16 << 10, desc_.k), [&](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; ++m) rows_.read(args, m, job.rows);
    });
    const int64_t units = panels_.panels() * job.m_blocks;
    job.group_panels =
        parallel.threads() == 1 ? panels_.panels() : std::clamp<int64_t>(units / (parallel.threads() * 4), 1, 8);
    job.groups = div_up(panels_.panels(), job.group_panels);
    parallel.run(job.groups * job.m_blocks, [&](int64_t index, int) { task(job, index); });
  }

  static std::pair<int64_t, int64_t> block_rows(const Job& job, int64_t block) {
    return {job.args.m * block / job.m_blocks, job.args.m * (block + 1) / job.m_blocks};
  }

  // The heights of tile that strips will ask for.
  void prepare(const Job& job) const {
    const auto heights = [&](int64_t rows) {
      for_tiles(rows, [&](int64_t, int64_t, int height) { code_->prepare(height); });
    };
    for (const int64_t rows : {job.args.m / job.m_blocks, div_up(job.args.m, job.m_blocks)}) {
      heights(rows);
      if (!bytes_in_epilogue_ || desc_.n % panels_.width == 0) continue;
      heights(std::min(rows, kStagedRows));
      if (rows % kStagedRows != 0) heights(rows % kStagedRows);
    }
  }

  void task(const Job& job, int64_t index) const {
    const int64_t block = index % job.m_blocks, first = index / job.m_blocks * job.group_panels;
    const auto [begin, end] = block_rows(job, block);
    const int64_t last = std::min(first + job.group_panels, panels_.panels());
    for (int64_t panel = first; panel < last; ++panel) {
      const bool partial = desc_.n - panel * panels_.width < panels_.width;
      partial&& bytes_in_epilogue_ ? staged_strips(job, panel, begin, end) : strip(job, panel, begin, end, nullptr);
    }
  }

  // Tiles of nearly equal heights: body(first row, tiles, height).
  template <class Body>
  void for_tiles(int64_t rows, Body body) const {
    const int64_t tiles = div_up(rows, form_.max_rows()), height = rows / tiles, larger = rows % tiles;
    if (larger > 0) body(0, larger, static_cast<int>(height + 1));
    if (larger < tiles) body(larger * (height + 1), tiles - larger, static_cast<int>(height));
  }

  using Operands = std::array<OperandPointer, kMaxOperands>;

  // Rows [begin, end) of one panel. C's columns and 8-bit operands lie in `stage` where there is one.
  struct Stage {
    char* c;
    Operands operands;
  };
  void strip(const Job& job, int64_t panel, int64_t begin, int64_t end, Stage* stage) const {
    const IntMatmulArgs& args = job.args;
    const int64_t n0 = panel * panels_.width;
    Operands own;
    if (stage == nullptr) point_operands(args, begin, n0, &own);
    IntStripCall call = {};
    call.a = job.rows.elements + begin * rows_.row_bytes();
    call.a_row_bytes = rows_.row_bytes();
    call.b = static_cast<const int8_t*>(args.b) + panel * panels_.panel_bytes();
    call.steps = panels_.k_padded() / panels_.kStep;
    call.scale_a = job.rows.scales + begin;
    call.scale_b = args.scale_b + n0;
    int corrections = 0;
    if (form_.has_zero_a()) {
      const auto* sums = reinterpret_cast<const int32_t*>(call.b + panels_.element_bytes());
      call.corrections[corrections++] = {job.rows.zeros + begin, sums};
    }
    if (form_.has_zero_b) call.corrections[corrections++] = {job.rows.sums + begin, args.zero_b + n0};
    call.c = static_cast<char*>(args.c) + (begin * args.ldc + n0) * result_bytes_;
    call.c_row_bytes = args.ldc * result_bytes_;
    if (stage != nullptr && result_bytes_ == 1) {
      call.c = stage->c;
      call.c_row_bytes = panels_.width;
    }
    call.cols = std::min(panels_.width, desc_.n - n0);
    call.operands = stage != nullptr ? stage->operands.data() : own.data();
    for_tiles(end - begin, [&](int64_t, int64_t tiles, int height) {
      call.tiles = tiles;
      code_->run(call, height);
    });
  }

  // Columns of bytes have no masks: where a panel is not full, bytes are read from and written to the stack.
  static constexpr int64_t kStagedRows = 48;
  static constexpr int64_t kMaxWidth = 32;
  void staged_strips(const Job& job, int64_t panel, int64_t begin, int64_t end) const {
    const int64_t n0 = panel * panels_.width, cols = desc_.n - n0;
    char memory[kMaxOperands + 1][kStagedRows * kMaxWidth];
    for (; begin < end; begin += kStagedRows) {
      const int64_t rows = std::min(kStagedRows, end - begin);
      Stage stage = {memory[kMaxOperands], {}};
      point_operands(job.args, begin, n0, &stage.operands);
      size_t next = 0;
      for (const EpilogueOp& op : desc_.epilogue) {
        if (!takes_operand(op)) continue;
        OperandPointer& operand = stage.operands[next];
        if (op.kind == EpilogueOp::Kind::kBinary && op.operand_dtype != DType::kF32) {
          copy(static_cast<const char*>(operand.data), operand.ld_bytes, memory[next], panels_.width, rows, cols);
          operand.data = memory[next];
          operand.ld_bytes = panels_.width;
        }
        ++next;
      }
      strip(job, panel, begin, begin + rows, &stage);
      if (result_bytes_ == 1)
        copy(stage.c, panels_.width, static_cast<char*>(job.args.c) + begin * job.args.ldc + n0, job.args.ldc, rows,
             cols);
    }
  }

  static void copy(const char* src, int64_t src_ld, char* dst, int64_t dst_ld, int64_t rows, int64_t cols) {
    for (int64_t m = 0; m < rows; ++m) std::memcpy(dst + m * dst_ld, src + m * src_ld, static_cast<size_t>(cols));
  }

  void point_operands(const IntMatmulArgs& args, int64_t m, int64_t n0, Operands* out) const {
    size_t next = 0;
    for (const EpilogueOp& op : desc_.epilogue) {
      if (!takes_operand(op)) continue;
      (*out)[next] = OperandPointer::at(op, args.operands[next], m, n0);
      ++next;
    }
  }

  const IntMatmulDesc desc_;
  const IntMatmulVec::Form form_;
  const pack::IntPanelShape panels_;
  const int64_t result_bytes_;
  const bool bytes_in_epilogue_;
  const IntRows rows_;
  const int64_t m_block_;
  const std::shared_ptr<const IntMatmulVec> code_;
};

}  // namespace

std::string supports(const IntMatmulDesc& desc) {
  std::string reason = check_int_matmul(desc);
  if (reason.empty() && operand_count(desc.epilogue) > kMaxOperands)
    reason = text("the epilogue has ", operand_count(desc.epilogue), " operands, ", kMaxOperands, " are supported");
  return reason;
}

// 160 operations a nanosecond were measured for AVX2's step; the others in proportion to what one instruction does,
// VNNI twice AVX2's on the same registers. Quantizing a row costs about half a nanosecond an element.
double cost(const IntMatmulDesc& desc, Isa isa) {
  const double steps = (VecGenerator::is_wide(isa) ? 2.0 : 1.0) * (IntMatmulVec::Form{.isa = isa}.group() == 4 ? 2 : 1);
  return flops(desc) / (140e3 * steps) + or_typical(desc.m, 128) * static_cast<double>(desc.k) * 0.5e-3;
}

std::unique_ptr<IntMatmulKernel> make(const IntMatmulDesc& desc, Isa isa) {
  return std::make_unique<JitIntMatmul>(desc, isa);
}

}  // namespace neural_engine::jit
